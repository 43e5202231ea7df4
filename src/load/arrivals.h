#ifndef SHNEK_LOAD_ARRIVALS_H
#define SHNEK_LOAD_ARRIVALS_H

#include <stdbool.h>

#include "load/random.h"
#include "load/schedule.h"

/* How messages follow one another. */
struct arrivals_config {
    struct rate rate;  /* of groups; no messages and no ramp: as many as go */
    uint64_t burst;    /* messages that are due at once */
    uint64_t ramp_ns;  /* nanoseconds in which the rate, which is one a second, becomes `top` */
    uint64_t ramp_top; /* messages a second, then and from then on */
    bool poisson;      /* the groups come by chance, not evenly */
};

/* The largest values that are reckoned with exactly. */
#define ARRIVALS_RAMP_RATE_MAX UINT64_C(1000000000)
#define ARRIVALS_RAMP_NS_MAX   (24 * 3600 * UINT64_C(1000000000))

/* --rate=RATE, A..B/DURATION or max, --burst=N/PERIOD and --arrivals=even|poisson. False, and a
 * report, where it is none.
 */
bool arrivals_parse_rate(struct arrivals_config *config, const char *text);
bool arrivals_parse_burst(struct arrivals_config *config, const char *text);
bool arrivals_parse_process(struct arrivals_config *config, const char *text);

static inline bool arrivals_unlimited(const struct arrivals_config *config)
{
    return !config->rate.messages && !config->ramp_ns;
}

/*
 * When group k is due where they come evenly, in nanoseconds after the start: cut off, never
 * rounded up, and exact whatever k is. On a ramp of T from a to b messages a second, a t + (b - a)
 * t^2 / 2T of them are due by t.
 */
uint64_t arrivals_burst_due(const struct arrivals_config *config, uint64_t k);

/* The times of all messages, one after the other. */
struct arrivals {
    const struct arrivals_config *config;
    struct random random;
    uint64_t remaining;  /* of the group that has begun */
    uint64_t due_ns;     /* that is when it is due */
    uint64_t next_burst; /* group */
    uint64_t fraction;   /* by chance: of the way from that group to the one behind it, in 2^-32 */
};

struct arrivals arrivals_init(const struct arrivals_config *config, uint64_t seed);

/* For arrivals_next. */
uint64_t arrivals_next_burst(struct arrivals *a);

/* When the next message is due. */
static inline uint64_t arrivals_next(struct arrivals *a)
{
    if (!a->remaining)
        a->due_ns = arrivals_next_burst(a);
    a->remaining--;
    return a->due_ns;
}

#endif
