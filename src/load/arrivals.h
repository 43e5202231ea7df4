#ifndef SHNEK_LOAD_ARRIVALS_H
#define SHNEK_LOAD_ARRIVALS_H

#include <stdbool.h>

#include "load/random.h"
#include "load/schedule.h"

/* How messages follow one another. */
struct shape {
    struct rate rate; /* of groups; no messages and no ramp: as many as go */
    uint64_t group;   /* messages that are due at once */
    uint64_t ramp;    /* nanoseconds in which the rate, which is one a second, becomes `top` */
    uint64_t top;     /* messages a second, then and from then on */
    bool poisson;     /* the groups come by chance, not evenly */
};

/* The largest values that are reckoned with exactly. */
#define SHAPE_RAMP_RATE UINT64_C(1000000000)
#define SHAPE_RAMP_NS   (24 * 3600 * UINT64_C(1000000000))

/* --rate=RATE, A..B/DURATION or max, --burst=N/PERIOD and --arrivals=even|poisson. False, and a
 * report, where it is none.
 */
bool shape_rate(struct shape *s, const char *text);
bool shape_burst(struct shape *s, const char *text);
bool shape_arrivals(struct shape *s, const char *text);

static inline bool shape_is_max(const struct shape *s)
{
    return !s->rate.messages && !s->ramp;
}

/*
 * When group k is due where they come evenly, in nanoseconds after the start: cut off, never
 * rounded up, and exact whatever k is. On a ramp of T from a to b messages a second, a t + (b - a)
 * t^2 / 2T of them are due by t.
 */
uint64_t shape_due(const struct shape *s, uint64_t k);

/* The times of all messages, one after the other. */
struct arrivals {
    const struct shape *shape;
    struct random random;
    uint64_t left;     /* of the group that has begun */
    uint64_t due;      /* that is when it is due */
    uint64_t next;     /* group */
    uint64_t fraction; /* by chance: of the way from that group to the one behind it, in 2^-32 */
};

struct arrivals arrivals_start(const struct shape *s, uint64_t seed);

/* For arrivals_next. */
uint64_t arrivals_group(struct arrivals *a);

/* When the next message is due. */
static inline uint64_t arrivals_next(struct arrivals *a)
{
    if (!a->left)
        a->due = arrivals_group(a);
    a->left--;
    return a->due;
}

#endif
