#ifndef SHNEK_METRICS_DURATION_HISTOGRAM_H
#define SHNEK_METRICS_DURATION_HISTOGRAM_H

#include "base/stats.h"

enum { DURATION_BUCKETS = 15 }; /* with an upper bound; one more has none */

/* A histogram of durations, with one writing thread. All zero is an empty one. */
struct duration_histogram {
    counter counts[DURATION_BUCKETS + 1];
    counter sum_ns;
};

/* The inclusive upper bound of a bucket. */
uint64_t duration_histogram_bound_ns(int bucket);

/* Adds a duration `count` times. */
void duration_histogram_add(struct duration_histogram *h, uint64_t duration_ns, uint64_t count);

#endif
