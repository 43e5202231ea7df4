#ifndef SHNEK_BASE_CLOCK_H
#define SHNEK_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_S UINT64_C(1000000000)

static inline uint64_t clock_read(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* Nanoseconds since an arbitrary point; never decreases. */
static inline uint64_t clock_monotonic(void)
{
    return clock_read(CLOCK_MONOTONIC);
}

/* Nanoseconds since 1970-01-01T00:00:00Z. */
static inline uint64_t clock_real(void)
{
    return clock_read(CLOCK_REALTIME);
}

#endif
