#include "metrics/duration-histogram.h"

#include "base/clock.h"

#define DURATION_MS (NS_PER_S / 1000)

static const uint64_t bounds_ns[DURATION_BUCKETS] = {
    1 * DURATION_MS,  5 * DURATION_MS / 2, 5 * DURATION_MS,   10 * DURATION_MS,  25 * DURATION_MS,
    50 * DURATION_MS, 100 * DURATION_MS,   250 * DURATION_MS, 500 * DURATION_MS, NS_PER_S,
    5 * NS_PER_S / 2, 5 * NS_PER_S,        10 * NS_PER_S,     30 * NS_PER_S,     60 * NS_PER_S};

uint64_t duration_histogram_bound_ns(int bucket)
{
    return bounds_ns[bucket];
}

void duration_histogram_add(struct duration_histogram *h, uint64_t duration_ns, uint64_t count)
{
    int bucket = 0;
    while (bucket < DURATION_BUCKETS && duration_ns > bounds_ns[bucket])
        bucket++;
    counter_add(&h->counts[bucket], count);
    counter_add(&h->sum_ns, duration_ns * count);
}
