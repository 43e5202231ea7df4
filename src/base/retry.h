#ifndef SHNEK_BASE_RETRY_H
#define SHNEK_BASE_RETRY_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

enum { RETRY_MS = 100, RETRY_LIMIT_S = 10 };

/*
 * A system call that fails for an unknown reason, such as poll(2) without memory: it is retried
 * every RETRY_MS, and a failure that lasts for RETRY_LIMIT_S is permanent. All zero is ready for
 * use.
 */
struct retry {
    uint64_t
        since_ns; /* clock_monotonic of the first failure in a row, 0 if the last call worked */
};

/* Notes a failure. Returns whether it is the first one in a row, which the caller logs. */
static inline bool retry_note(struct retry *r)
{
    bool first = r->since_ns == 0;
    if (first)
        r->since_ns = clock_monotonic();
    return first;
}

/* Whether the call has failed for so long that the failure is permanent. */
static inline bool retry_is_over(const struct retry *r)
{
    return r->since_ns && clock_monotonic() - r->since_ns >= RETRY_LIMIT_S * NS_PER_S;
}

/* Notes that the call has worked. */
static inline void retry_reset(struct retry *r)
{
    r->since_ns = 0;
}

/* Sleeps until the next attempt. Preserves errno. */
static inline void retry_sleep(void)
{
    int saved = errno;
    nanosleep(&(struct timespec){.tv_nsec = RETRY_MS * 1000000L}, NULL);
    errno = saved;
}

#endif
