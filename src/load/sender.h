#ifndef SHNEK_LOAD_SENDER_H
#define SHNEK_LOAD_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/output.h"
#include "load/destination.h"

enum { DATAGRAMS = 64 }; /* the most that are sent at once */

struct senders;

/* One way out: stdout, a connection, or a socket whose messages are datagrams. */
struct sender {
    struct senders *of;
    struct output out; /* its buffer has the messages that wait, one behind the other */
    struct tls_session *tls;
    size_t block;             /* what is worth a write, in bytes; 0: more than bytes decides */
    uint64_t waiting;         /* messages */
    uint32_t ends[DATAGRAMS]; /* of those, in the buffer, where they are datagrams */
};

/* All ways to one destination, and what went there. */
struct senders {
    const struct destination *to;
    struct tls *tls;
    struct sender *all;
    size_t count;
    uint64_t sent;      /* messages that were written and not refused */
    uint64_t bytes;     /* of those that were written */
    uint64_t dropped;   /* messages that were written and refused, which only UDP has */
    uint64_t told;      /* of those */
    uint64_t told_at;   /* clock_monotonic */
    int refusal;        /* the last one's errno */
    uint64_t listen_to; /* clock_monotonic, until when refusals are waited for at the end */
};

/* Each gives false, and a report, where it fails. */

/* Opens so many, for messages of at least that many bytes. */
bool senders_open(struct senders *s, const struct destination *to, size_t count, size_t shortest);

/* Writes what waits. */
bool sender_flush(struct sender *s);
bool senders_flush(struct senders *s);

/* Writes what waits, and waits until the other side has all of it: its kernel for TCP, the receiver
 * itself for TLS and Unix sockets. */
bool senders_drain(struct senders *s);

/* Closes and frees. False, too, where messages were dropped. */
bool senders_close(struct senders *s);

/* For sender_took. */
bool sender_took_more(struct sender *s);

/* One more message is in the buffer. Where enough has come together it is written. */
static inline bool sender_took(struct sender *s)
{
    s->waiting++;
    return s->out.buffer.len < s->block || sender_took_more(s);
}

#endif
