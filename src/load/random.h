#ifndef SHNEK_LOAD_RANDOM_H
#define SHNEK_LOAD_RANDOM_H

#include <stdint.h>

/* What seems to be chance and repeats with its seed, everywhere: SplitMix64. */
struct random {
    uint64_t state;
};

/* For what is drawn, each by itself, so that one does not change with another. */
enum random_stream {
    RANDOM_ARRIVALS,
    RANDOM_SIZES,
    RANDOM_PROFILE,
    RANDOM_TEMPLATES,
    RANDOM_MALFORMED
};

static inline uint64_t random_next(struct random *r)
{
    uint64_t z = r->state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static inline struct random random_init(uint64_t seed, enum random_stream stream)
{
    struct random r = {seed ^ (uint64_t)stream << 60};
    return (struct random){random_next(&r)};
}

/* Below n, each as likely as another but for one in 2^64 / n. */
static inline uint64_t random_below(struct random *r, uint64_t n)
{
    return (uint64_t)((unsigned __int128)random_next(r) * n >> 64);
}

#endif
