#ifndef SHNEK_LOAD_SENDER_H
#define SHNEK_LOAD_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/output.h"
#include "load/destination.h"
#include "load/throttle.h"

enum { SENDER_DATAGRAMS_MAX = 64 }; /* the most that are sent at once */

struct senders;

struct senders_config {
    uint64_t count;
    uint64_t idle;            /* connections besides, on which nothing is sent */
    uint64_t reconnect_after; /* messages of a connection; 0: it stays */
    uint64_t bytes_per_s;     /* bytes a second of a connection; 0: as fast as it goes */
    bool quiet;               /* who drops knows by other means */
};

/* One way out: stdout, a connection, or a socket whose messages are datagrams. */
struct sender {
    struct senders *group;
    struct output out; /* its buffer has the messages that wait, one behind the other */
    struct tls_session *tls;
    size_t flush_size;        /* what is worth a write, in bytes; 0: more than bytes decides */
    uint64_t until_reconnect; /* messages until it ends and connects anew */
    uint64_t pending;         /* messages */
    uint32_t
        datagram_ends[SENDER_DATAGRAMS_MAX]; /* of those, in the buffer, where they are datagrams */
    struct throttle throttle;                /* where it is slow */
};

/* All ways to one destination, and what went there. */
struct senders {
    const struct destination *destination;
    const struct senders_config *config;
    struct tls *tls;
    struct sender *items;       /* those that send, and behind them those that are idle */
    size_t count;               /* of those that are open */
    size_t min_len;             /* message, in bytes */
    uint64_t sent;              /* messages that were written and not refused */
    uint64_t bytes;             /* of those that were written */
    uint64_t dropped;           /* messages that were written and refused, which only UDP has */
    uint64_t dropped_reported;  /* of those */
    uint64_t reported_at_ns;    /* clock_monotonic */
    int refused_errno;          /* the last one's errno */
    uint64_t refusals_until_ns; /* clock_monotonic, until when refusals are waited for at the end */
};

/* Each gives false, and a report, where it fails. */

/* Opens them, for messages of at least that many bytes. */
bool senders_open(struct senders *s, const struct destination *destination,
                  const struct senders_config *config, size_t min_len);

/* Writes what waits; where it is slow, what it may by now. */
bool sender_flush(struct sender *s);
bool senders_flush(struct senders *s);

/* Writes what waits, and waits until the other side has all of it: its kernel for TCP, the receiver
 * itself for TLS and Unix sockets. */
bool senders_drain(struct senders *s);

/* Closes and frees. False, too, where messages were dropped. */
bool senders_close(struct senders *s);

/* Gives the buffer of one in which nothing waits to one that has none. */
void sender_pass_buffer(struct sender *s, struct sender *to);

/* Where senders are slow: waits until this one has sent all it was given. */
bool sender_wait_throttled(struct sender *s);

/* The bytes in its buffer, and no counting: for those that count otherwise. */
bool sender_write(struct sender *s);

/* For sender_took. */
bool sender_flush_full(struct sender *s);
bool sender_reconnect(struct sender *s);

/* One more message is in the buffer. Where enough has come together it is written. */
static inline bool sender_commit(struct sender *s)
{
    s->pending++;
    return (s->out.buffer.len < s->flush_size || sender_flush_full(s)) &&
           (--s->until_reconnect || sender_reconnect(s));
}

#endif
