#ifndef SHNEK_LOAD_THROTTLE_H
#define SHNEK_LOAD_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

/* Releases a message at a limited number of bytes per second. All zero is an idle throttle. */
struct throttle {
    struct buffer pending;
    size_t released;   /* bytes of pending */
    uint64_t since_ns; /* clock_monotonic() at throttle_load() */
};

/* Parses --slow=SIZE[/s]. Returns false and logs the reason if the value is invalid. */
bool throttle_parse(uint64_t *bytes_per_s, const char *text);

/* Moves the content of `from` to an idle throttle. */
void throttle_load(struct throttle *t, struct buffer *from, uint64_t now_ns);

/* Appends the bytes that are allowed by now_ns to `to`. Returns true when none are left. */
bool throttle_release(struct throttle *t, uint64_t bytes_per_s, uint64_t now_ns, struct buffer *to);

static inline bool throttle_is_pending(const struct throttle *t)
{
    return t->pending.len > 0;
}

/* Returns a pause in ns, 1 to 100 ms, after which about one more byte is allowed. */
uint64_t throttle_pause_ns(uint64_t bytes_per_s);

#endif
