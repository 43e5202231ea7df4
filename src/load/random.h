#ifndef SHNEK_LOAD_RANDOM_H
#define SHNEK_LOAD_RANDOM_H

#include <stdint.h>

/* A pseudo-random generator (SplitMix64): a seed produces the same numbers on every machine. */
struct random {
    uint64_t state;
};

/* Independent sequences of one seed, so that an option that draws more numbers changes no other
 * choice. */
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

/* Returns the generator of one stream of a seed. */
static inline struct random random_init(uint64_t seed, enum random_stream stream)
{
    struct random r = {seed ^ (uint64_t)stream << 60};
    return (struct random){random_next(&r)};
}

/* Returns a number below n, uniformly distributed within n / 2^64. */
static inline uint64_t random_below(struct random *r, uint64_t n)
{
    return (uint64_t)((unsigned __int128)random_next(r) * n >> 64);
}

#endif
