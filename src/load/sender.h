#ifndef SHNEK_LOAD_SENDER_H
#define SHNEK_LOAD_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/output.h"
#include "base/signals.h"
#include "load/destination.h"
#include "load/throttle.h"

enum { SENDER_DATAGRAMS_MAX = 64 }; /* in one system call */

struct senders;

struct senders_config {
    uint64_t count;           /* of senders that send */
    uint64_t idle;            /* additional connections on which nothing is sent */
    uint64_t reconnect_after; /* messages; 0: never */
    uint64_t bytes_per_s;     /* limit of each connection; 0: none */
    bool reconnects;          /* if a connection breaks */
    bool quiet;               /* does not log dropped messages */
};

/* stdout, a connection, or a datagram socket. */
struct sender {
    struct senders *group;
    struct output out; /* its buffer contains the pending messages */
    struct tls_session *tls;
    size_t flush_size;        /* bytes at which the buffer is written; 0: after each message */
    uint64_t until_reconnect; /* messages */
    uint64_t pending;         /* messages that are not completely written */
    uint64_t preamble_len;    /* bytes before the first message of the connection, without TLS */
    uint64_t bytes;           /* of messages written to this connection */
    uint64_t messages;        /* written to this connection */
    uint32_t datagram_ends[SENDER_DATAGRAMS_MAX]; /* offsets in the buffer */
    struct throttle throttle;                     /* used with bytes_per_s */
};

/* All senders to one destination, and their counters. */
struct senders {
    const struct destination *destination;
    const struct senders_config *config;
    struct tls *tls;
    struct sender *items; /* config->count that send, followed by the idle ones */
    size_t count;         /* open, or failed to open */
    size_t min_len;       /* bytes of the shortest message */
    uint64_t sent;        /* messages that were written and not refused */
    uint64_t bytes;       /* written */
    uint64_t dropped;     /* messages that were written and refused (UDP) */
    uint64_t lost;        /* messages that were sent over a connection that broke */
    uint64_t reconnects;
    struct signals *signals;   /* end waiting for a connection; NULL: nothing does */
    uint64_t deadline_ns;      /* clock_monotonic() at which that ends; 0: never */
    bool ending;               /* a broken connection is not replaced any more */
    uint64_t dropped_reported; /* value of `dropped` in the last log line */
    uint64_t reported_at_ns;   /* clock_monotonic() of that line */
    int refused_errno;         /* of the last refusal */
    uint64_t
        refusals_until_ns; /* clock_monotonic() at which waiting for refusals ends; 0: not begun */
};

/* All functions that return bool return false after logging the reason of a failure. */

/* Opens all senders for messages of at least min_len bytes. senders_close() is required in any
 * case. `destination` and `config` must outlive the senders. */
bool senders_open(struct senders *s, const struct destination *destination,
                  const struct senders_config *config, size_t min_len);

/* Write pending messages, as far as --slow permits it. */
bool sender_flush(struct sender *s);
bool senders_flush(struct senders *s);

/* Writes all pending messages, and waits until the peer has received them: its kernel for TCP, the
 * process for TLS and Unix sockets. */
bool senders_drain(struct senders *s);

/* Closes and frees all senders. Returns false also if messages were dropped or lost. */
bool senders_close(struct senders *s);

/* Moves the empty buffer of `s`, with its capacity, to a sender that has none. */
void sender_pass_buffer(struct sender *s, struct sender *to);

/* Waits until a sender with bytes_per_s has written its pending message. */
bool sender_wait_throttled(struct sender *s);

/* Slow paths of sender_commit(). */
bool sender_flush_full(struct sender *s);
bool sender_reconnect(struct sender *s);

/* Counts a message that was appended to the buffer, and flushes or reconnects if it is time to. */
static inline bool sender_commit(struct sender *s)
{
    s->pending++;
    return (s->out.buffer.len < s->flush_size || sender_flush_full(s)) &&
           (--s->until_reconnect || sender_reconnect(s));
}

#endif
