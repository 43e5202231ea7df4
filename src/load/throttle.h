#ifndef SHNEK_LOAD_THROTTLE_H
#define SHNEK_LOAD_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

/* A message that goes out no faster than so many bytes a second. All zero is ready for use. */
struct trickle {
    struct buffer held;
    size_t gone;    /* bytes of what is held */
    uint64_t since; /* clock_monotonic, when it began to go */
};

/* --slow=SIZE[/s]. False, and a report, where it is none. */
bool trickle_option(uint64_t *slow, const char *text);

/* Takes over what is in a buffer. Nothing may be held. */
void trickle_take(struct trickle *t, struct buffer *from, uint64_t now);

/* Adds to a buffer what may go by now. True where that was all. */
bool trickle_give(struct trickle *t, uint64_t slow, uint64_t now, struct buffer *to);

static inline bool trickle_holds(const struct trickle *t)
{
    return t->held.len > 0;
}

/* How long to wait, in nanoseconds, until there is about one byte more. */
uint64_t trickle_pause(uint64_t slow);

#endif
