#ifndef SHNEK_LOAD_THROTTLE_H
#define SHNEK_LOAD_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

/* A message that goes out no faster than so many bytes a second. All zero is ready for use. */
struct throttle {
    struct buffer pending;
    size_t released;   /* bytes of what is held */
    uint64_t since_ns; /* clock_monotonic, when it began to go */
};

/* --slow=SIZE[/s]. False, and a report, where it is none. */
bool throttle_parse(uint64_t *bytes_per_s, const char *text);

/* Takes over what is in a buffer. Nothing may be held. */
void throttle_load(struct throttle *t, struct buffer *from, uint64_t now_ns);

/* Adds to a buffer what may go by now. True where that was all. */
bool throttle_release(struct throttle *t, uint64_t bytes_per_s, uint64_t now_ns, struct buffer *to);

static inline bool throttle_is_pending(const struct throttle *t)
{
    return t->pending.len > 0;
}

/* How long to wait, in nanoseconds, until there is about one byte more. */
uint64_t throttle_pause_ns(uint64_t bytes_per_s);

#endif
