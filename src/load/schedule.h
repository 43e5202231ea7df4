#ifndef SHNEK_LOAD_SCHEDULE_H
#define SHNEK_LOAD_SCHEDULE_H

#include <stdint.h>

/* So many messages in so many nanoseconds; no messages: as many as go. */
struct rate {
    uint64_t messages;
    uint64_t period_ns;
};

/* When message k is due, in nanoseconds after the first one. Exact: no error adds up. */
static inline uint64_t schedule_due(struct rate r, uint64_t k)
{
    return (uint64_t)((unsigned __int128)k * r.period_ns / r.messages);
}

#endif
