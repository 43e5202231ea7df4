#ifndef SHNEK_LOAD_SCHEDULE_H
#define SHNEK_LOAD_SCHEDULE_H

#include <stdint.h>

/* `messages` in each period_ns nanoseconds; no messages: unlimited. */
struct rate {
    uint64_t messages;
    uint64_t period_ns;
};

/* Returns when message k is due, in ns after message 0. Rounded down, without accumulated error. */
static inline uint64_t schedule_due(struct rate r, uint64_t k)
{
    return (uint64_t)((unsigned __int128)k * r.period_ns / r.messages);
}

#endif
