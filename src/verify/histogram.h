#ifndef SHNEK_VERIFY_HISTOGRAM_H
#define SHNEK_VERIFY_HISTOGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

/*
 * A histogram with the bucket layout of HdrHistogram (hdrhistogram.org) and three significant
 * digits: the values of one step differ by less than 0.1 %, from 1 to HISTOGRAM_MAX. Each bucket
 * has the same number of steps, and steps twice as wide as those of the previous bucket.
 */
enum {
    HISTOGRAM_DIGITS = 3,
    HISTOGRAM_STEPS = 2048, /* least power of two >= 2 * 10^HISTOGRAM_DIGITS */
    HISTOGRAM_BUCKETS = 22  /* enough for HISTOGRAM_MAX */
};
#define HISTOGRAM_MAX UINT64_C(3600000000) /* one hour in microseconds */

/* All zero is an empty histogram. */
struct histogram {
    uint64_t total;
    uint64_t max;
    uint64_t counts[(HISTOGRAM_BUCKETS + 1) * (HISTOGRAM_STEPS / 2)];
};

/* Counts one value; values above HISTOGRAM_MAX are counted as HISTOGRAM_MAX. */
void histogram_record(struct histogram *h, uint64_t value);

/* Adds the counts of `other`. */
void histogram_merge(struct histogram *h, const struct histogram *other);

/* Return the least and the greatest value of the step that contains `value`. */
uint64_t histogram_lowest_equivalent(uint64_t value);
uint64_t histogram_highest_equivalent(uint64_t value);

/*
 * Returns the highest equivalent of the least value that `percent` of the recorded values do not
 * exceed (p50, p99), or 0 if the histogram is empty.
 */
uint64_t histogram_percentile(const struct histogram *h, double percent);

/* Return 0 if the histogram is empty. */
uint64_t histogram_max(const struct histogram *h);
double histogram_mean(const struct histogram *h);

/* Prints HdrHistogram's percentile distribution (.hgrm); microseconds become milliseconds. */
void histogram_print(const struct histogram *h, struct buffer *out);

#endif
