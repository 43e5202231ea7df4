#include "verify/histogram.h"

#include <inttypes.h>
#include <math.h>

enum {
    HALF_STEPS = HISTOGRAM_STEPS / 2,
    STEPS_BITS = 11, /* log2(HISTOGRAM_STEPS) */
    TICKS = 5        /* HdrHistogram's percentileTicksPerHalfDistance */
};
static const double us_per_ms = 1000.0;

/* Returns log2 of the width of the steps in the bucket of `value`. */
static unsigned histogram_shift(uint64_t value)
{
    unsigned bits = 64 - (unsigned)__builtin_clzll(value | (HISTOGRAM_STEPS - 1));
    return bits - STEPS_BITS;
}

static size_t histogram_index(uint64_t value)
{
    unsigned shift = histogram_shift(value);
    return (size_t)shift * HALF_STEPS + (size_t)(value >> shift);
}

static uint64_t histogram_index_value(size_t index)
{
    if (index < HISTOGRAM_STEPS)
        return index;
    size_t bucket = index / HALF_STEPS - 1;
    return (uint64_t)(index - bucket * HALF_STEPS) << bucket;
}

void histogram_record(struct histogram *h, uint64_t value)
{
    if (value > HISTOGRAM_MAX)
        value = HISTOGRAM_MAX;
    if (value > h->max)
        h->max = value;
    h->counts[histogram_index(value)]++;
    h->total++;
}

void histogram_merge(struct histogram *h, const struct histogram *other)
{
    for (size_t i = 0; i < sizeof h->counts / sizeof *h->counts; i++)
        h->counts[i] += other->counts[i];
    h->total += other->total;
    if (other->max > h->max)
        h->max = other->max;
}

uint64_t histogram_lowest_equivalent(uint64_t value)
{
    unsigned shift = histogram_shift(value);
    return value >> shift << shift;
}

uint64_t histogram_highest_equivalent(uint64_t value)
{
    return histogram_lowest_equivalent(value) + (UINT64_C(1) << histogram_shift(value)) - 1;
}

static double histogram_median_equivalent(uint64_t value)
{
    uint64_t half = UINT64_C(1) << histogram_shift(value) >> 1;
    return (double)(histogram_lowest_equivalent(value) + half);
}

uint64_t histogram_percentile(const struct histogram *h, double percent)
{
    /* nextafter(): rounding up must not require one more value, as in HdrHistogram. */
    double required = ceil(nextafter(percent, 0) * (double)h->total / 100.0);
    uint64_t count = 0;
    for (size_t i = 0; i < sizeof h->counts / sizeof *h->counts; i++) {
        count += h->counts[i];
        if (count && (double)count >= required)
            return histogram_highest_equivalent(histogram_index_value(i));
    }
    return 0;
}

uint64_t histogram_max(const struct histogram *h)
{
    return h->total ? histogram_highest_equivalent(h->max) : 0;
}

double histogram_mean(const struct histogram *h)
{
    double sum = 0;
    for (size_t i = 0; i < sizeof h->counts / sizeof *h->counts; i++)
        if (h->counts[i])
            sum += (double)h->counts[i] * histogram_median_equivalent(histogram_index_value(i));
    return h->total ? sum / (double)h->total : 0;
}

static double histogram_stddev(const struct histogram *h)
{
    double mean = histogram_mean(h);
    double sum = 0;
    for (size_t i = 0; i < sizeof h->counts / sizeof *h->counts; i++) {
        double distance = histogram_median_equivalent(histogram_index_value(i)) - mean;
        if (h->counts[i])
            sum += (double)h->counts[i] * distance * distance;
    }
    return h->total ? sqrt(sum / (double)h->total) : 0;
}

/* Returns the percentage of the next row: TICKS rows for each halving of the distance to 100 %. */
static double histogram_next_percent(double percent)
{
    double halvings = floor(log2(100.0 / (100.0 - percent))) + 1;
    return percent + 100.0 / (TICKS * exp2(halvings));
}

static void histogram_print_row(struct buffer *out, uint64_t value, double percent, uint64_t count)
{
    buffer_printf(out, "%12.3f %2.12f %10" PRIu64 " %14.2f\n", (double)value / us_per_ms,
                  percent / 100.0, count, 1 / (1 - percent / 100.0));
}

void histogram_print(const struct histogram *h, struct buffer *out)
{
    double percent = 0;
    uint64_t count = 0;
    buffer_printf(out, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount",
                  "1/(1-Percentile)");
    for (size_t i = 0; count < h->total; i++) {
        uint64_t value = histogram_highest_equivalent(histogram_index_value(i));
        count += h->counts[i];
        if (!h->counts[i])
            continue;
        double reached_percent = 100.0 * (double)count / (double)h->total;
        while (reached_percent >= percent) {
            histogram_print_row(out, value, percent, count);
            percent = histogram_next_percent(percent);
            if (count == h->total)
                break; /* all further rows would repeat this value */
        }
    }
    if (h->total)
        buffer_printf(out, "%12.3f %2.12f %10" PRIu64 "\n", (double)histogram_max(h) / us_per_ms,
                      1.0, count);
    buffer_printf(out, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n",
                  histogram_mean(h) / us_per_ms, histogram_stddev(h) / us_per_ms);
    buffer_printf(out, "#[Max     = %12.3f, Total count    = %12" PRIu64 "]\n",
                  (double)histogram_max(h) / us_per_ms, h->total);
    buffer_printf(out, "#[Buckets = %12d, SubBuckets     = %12d]\n", HISTOGRAM_BUCKETS,
                  HISTOGRAM_STEPS);
}
