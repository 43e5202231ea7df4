#ifndef SHNEK_RELAY_STREAM_SET_H
#define SHNEK_RELAY_STREAM_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/access.h"
#include "relay/config.h"
#include "relay/source-stream.h"
#include "relay/timers.h"

/* All open connections: their timeouts, and the memory of their unfinished messages. */
struct stream_set {
    struct stream_context context;
    struct source_stream **by_fd; /* indexed by descriptor */
    size_t fd_capacity;
    uint64_t count;
    uint64_t closed; /* streams, in total */
    uint64_t unread; /* limited streams of which not all that had arrived was read */
    struct timer_queue handshakes;
    struct timer_queue first; /* of connections that have not completed a message */
    struct timer_queue idle;
    struct timer_queue unfinished; /* messages of connections, that of the longest idle one first */
    struct timer_queue releases;   /* of messages that --multiline keeps back */
    size_t memory;                 /* bytes of all unfinished messages */
};

/* Initializes a set that is all zero. The arguments are borrowed. */
void stream_set_init(struct stream_set *set, const struct relay_config *config,
                     struct pipeline *pipeline, struct access *access);

/* Closes all streams; the last message of each may be incomplete. */
void stream_set_free(struct stream_set *set);

/* Adds a stream, which the set owns from now on. */
void stream_set_add(struct stream_set *set, struct source_stream *stream);

/* Reads a stream once, so that no peer waits until another one pauses. Closes it if it has ended.
 */
void stream_set_read(struct stream_set *set, struct source_stream *stream);

/* Limits each stream to what has arrived, and closes those that have nothing to read. */
void stream_set_limit(struct stream_set *set);

/* Closes the streams that have timed out or exceed --max-memory, and releases held messages. */
void stream_set_run_timers(struct stream_set *set);

/* Returns the time until stream_set_run_timers() is due in ns, or UINT64_MAX. */
uint64_t stream_set_remaining_ns(const struct stream_set *set);

#endif
