#ifndef SHNEK_VERIFY_HISTOGRAM_H
#define SHNEK_VERIFY_HISTOGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

/*
 * Counts of values by the bucketing of HdrHistogram (hdrhistogram.org): three significant digits,
 * so that a value and the one that it is taken for differ by less than a thousandth, from 1 to
 * HISTOGRAM_MAX. Each bucket is twice as wide as the one before and has as many steps.
 */
enum {
    HISTOGRAM_DIGITS = 3,
    HISTOGRAM_STEPS = 2048, /* the power of two that tells 2 * 10^3 values apart */
    HISTOGRAM_BUCKETS = 22  /* enough for HISTOGRAM_MAX */
};
#define HISTOGRAM_MAX UINT64_C(3600000000) /* an hour in microseconds */

struct histogram {
    uint64_t total;
    uint64_t max;
    uint64_t counts[(HISTOGRAM_BUCKETS + 1) * (HISTOGRAM_STEPS / 2)];
};

/* A value past HISTOGRAM_MAX counts as that. */
void histogram_record(struct histogram *h, uint64_t value);

/* Adds what the other one has recorded. */
void histogram_merge(struct histogram *h, const struct histogram *other);

/* The least and the greatest of the values that are not told apart from this one. */
uint64_t histogram_lowest_equivalent(uint64_t value);
uint64_t histogram_highest_equivalent(uint64_t value);

/* The greatest value (in the sense of highest_equivalent) that so many percent do not exceed. */
uint64_t histogram_percentile(const struct histogram *h, double percent);

uint64_t histogram_max(const struct histogram *h);
double histogram_mean(const struct histogram *h);
double histogram_stddev(const struct histogram *h);

/* HdrHistogram's percentile distribution, as its plotter reads it, in thousands of the values. */
void histogram_print(const struct histogram *h, struct buffer *out);

#endif
