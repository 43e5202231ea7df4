#ifndef SHNEK_BASE_STATS_H
#define SHNEK_BASE_STATS_H

#include <stdatomic.h>
#include <stdint.h>

typedef _Atomic uint64_t counter;

/* What went through. One thread counts, another may print. */
struct stats {
    counter in;          /* messages */
    counter out;         /* messages */
    counter rejected;    /* messages */
    counter dropped;     /* messages */
    counter refused;     /* peers, and datagrams of such */
    counter bytes;       /* of input */
    uint64_t started_ns; /* clock_monotonic */
    uint64_t printed_ns; /* clock_monotonic, of the last interval's line */
    uint64_t printed_out;
};

enum stats_kind {
    STATS_INTERVAL, /* the rate since the last such line; a live line on a terminal */
    STATS_TOTAL,    /* the rate since the start */
    STATS_ABORT     /* the same, by log_try */
};

/* An increment without a locked instruction: each counter has one writer. */
static inline void counter_add(counter *c, uint64_t n)
{
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

static inline uint64_t counter_read(counter *c)
{
    return atomic_load_explicit(c, memory_order_relaxed);
}

void stats_init(struct stats *s);

/*
 * "program: in N out N rejected N dropped N bytes N rate N/s" to stderr; the rate is that of out.
 * " refused N" follows where somebody was.
 */
void stats_print(struct stats *s, enum stats_kind kind);

#endif
