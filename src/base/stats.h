#ifndef SHNEK_BASE_STATS_H
#define SHNEK_BASE_STATS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef _Atomic uint64_t counter;

/* Counters of a program. Each has one writing thread; another may print them. */
struct stats {
    counter in;          /* messages */
    counter out;         /* messages */
    counter rejected;    /* messages */
    counter dropped;     /* messages */
    counter duplicates;  /* messages that the destination had already */
    counter refused;     /* peers, and datagrams from refused addresses */
    counter filtered;    /* messages that --select does not select */
    counter bytes;       /* of input */
    uint64_t started_ns; /* clock_monotonic() */
    uint64_t printed_ns; /* clock_monotonic() of the last STATS_INTERVAL line */
    uint64_t printed_out;
    struct stats *command; /* of the program that reads the output, printed in the same line */
    /* Another program may update a line of the terminal in place: each line is whole. Determined at
     * the start, because stdout may be closed while a line is printed. */
    bool in_pipeline;
    atomic_bool is_part_of_line; /* another program prints these counters */
};

enum stats_kind {
    STATS_INTERVAL, /* rate since the last line of this kind; updated in place on a terminal, unless
                     stdin or stdout is a pipe */
    STATS_TOTAL,    /* rate since the start */
    STATS_ABORT     /* rate since the start, printed with log_try() */
};

/* Increments without a locked instruction, because each counter has one writer. */
static inline void counter_add(counter *c, uint64_t n)
{
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

/* Sets a counter that is computed from others: a difference that is added might wrap around. */
static inline void counter_set(counter *c, uint64_t value)
{
    atomic_store_explicit(c, value, memory_order_relaxed);
}

static inline uint64_t counter_read(counter *c)
{
    return atomic_load_explicit(c, memory_order_relaxed);
}

void stats_init(struct stats *s);

/*
 * Logs "in N out N rejected N dropped N bytes N rate N/s", with the rate of `out`, and
 * " filtered N", " duplicates N" and " refused N" if these counters are not zero. To fit in 80
 * columns, `rejected` and `dropped` are omitted if they are zero and at least 1,000 messages came
 * in, and the bytes if there is no space. With a command the line is "in N [rejected N] [dropped N]
 * [filtered N] | shnek-pub: out N [rejected N] [duplicates N] rate N/s". Prints nothing if
 * is_part_of_line.
 */
void stats_print(struct stats *s, enum stats_kind kind);

#endif
