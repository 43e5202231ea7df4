#ifndef SHNEK_LOAD_ARRIVALS_H
#define SHNEK_LOAD_ARRIVALS_H

#include <stdbool.h>

#include "load/random.h"
#include "load/schedule.h"

/* When messages are due: in bursts of `burst` messages, which are evenly spaced or random. */
struct arrivals_config {
    struct rate rate;  /* of bursts; no messages and no ramp: unlimited */
    uint64_t burst;    /* messages in a burst, which are due at the same time */
    uint64_t ramp_ns;  /* duration of a ramp from rate, which is then per second; 0: no ramp */
    uint64_t ramp_top; /* messages per second at the end of the ramp and after it */
    bool poisson;      /* bursts are a Poisson process */
};

/* Limits within which the due times of a ramp are exact. */
#define ARRIVALS_RAMP_RATE_MAX UINT64_C(1000000000)
#define ARRIVALS_RAMP_NS_MAX   (24 * 3600 * UINT64_C(1000000000))

/*
 * Parse --rate=max, N[/DURATION] or FROM..TO/DURATION, --burst=N/DURATION, and
 * --arrivals=even|poisson. Return false and log the reason if the value is invalid.
 */
bool arrivals_parse_rate(struct arrivals_config *config, const char *text);
bool arrivals_parse_burst(struct arrivals_config *config, const char *text);
bool arrivals_parse_process(struct arrivals_config *config, const char *text);

static inline bool arrivals_unlimited(const struct arrivals_config *config)
{
    return !config->rate.messages && !config->ramp_ns;
}

/*
 * Returns when evenly spaced burst k is due, in ns after the start: exact for every k, rounded
 * down. On a ramp of T seconds from a to b messages per second, a t + (b - a) t^2 / 2T are due by
 * time t.
 */
uint64_t arrivals_burst_due(const struct arrivals_config *config, uint64_t k);

/* Generates the due times of all messages in order. */
struct arrivals {
    const struct arrivals_config *config;
    struct random random;
    uint64_t remaining;  /* messages of the current burst */
    uint64_t due_ns;     /* of the current burst */
    uint64_t next_burst; /* number of the next one */
    uint64_t
        fraction; /* Poisson: time after next_burst, in 2^-32 of the distance to its successor */
};

/* `config` must be limited and outlive the result. */
struct arrivals arrivals_init(const struct arrivals_config *config, uint64_t seed);

/* Starts the next burst and returns its due time. Called by arrivals_next(). */
uint64_t arrivals_next_burst(struct arrivals *a);

/* Returns when the next message is due, in ns after the start. */
static inline uint64_t arrivals_next(struct arrivals *a)
{
    if (!a->remaining)
        a->due_ns = arrivals_next_burst(a);
    a->remaining--;
    return a->due_ns;
}

#endif
