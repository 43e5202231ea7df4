#ifndef SHNEK_LOAD_SCHEDULE_H
#define SHNEK_LOAD_SCHEDULE_H

#include <stdint.h>

/* So many messages in so many nanoseconds; no messages: as many as go. */
struct rate {
    uint64_t messages;
    uint64_t ns;
};

/* When message k is due, in nanoseconds after the first one. Exact: no error adds up. */
static inline uint64_t schedule_due(struct rate r, uint64_t k)
{
    return (uint64_t)((unsigned __int128)k * r.ns / r.messages);
}

/* How many messages are due before `ns` nanoseconds have passed. */
static inline uint64_t schedule_before(struct rate r, uint64_t ns)
{
    unsigned __int128 product = (unsigned __int128)ns * r.messages;
    return (uint64_t)((product + r.ns - 1) / r.ns);
}

#endif
