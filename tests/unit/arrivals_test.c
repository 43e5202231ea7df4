/* When messages are due: evenly, on a ramp, in bursts and by chance, and what the chance is. */

#include "base/clock.h"
#include "load/arrivals.h"
#include "unit.h"

static struct arrivals_config shape(const char *rate)
{
    struct arrivals_config s = {.burst = 1};
    unit(arrivals_parse_rate(&s, rate), "--rate=%s", rate);
    return s;
}

/* Of so many messages the last is due at or before t, and the one behind it later. */
static void holds(const char *rate, uint64_t k, uint64_t t)
{
    struct arrivals_config s = shape(rate);
    uint64_t due = arrivals_burst_due(&s, k);
    unit(due == t, "%s: message %" PRIu64 " at %" PRIu64 ", not %" PRIu64, rate, k, due, t);
}

static void even(void)
{
    struct arrivals_config third = {.rate = {3, NS_PER_S}, .burst = 1};
    unit(arrivals_burst_due(&third, 0) == 0 && arrivals_burst_due(&third, 3) == NS_PER_S,
         "a third");
    unit(arrivals_burst_due(&third, 3000000000000) == 1000000000000 * NS_PER_S, "without drift");
    holds("500k", 5000000, 10 * NS_PER_S);
}

/* The number due by t is the integral: a t + (b - a) t^2 / 2T. */
static void ramps(void)
{
    holds("0..1000/10s", 0, 0);
    holds("0..1000/10s", 1250, 5 * NS_PER_S);
    holds("0..1000/10s", 5000, 10 * NS_PER_S);
    holds("0..1000/10s", 6000, 11 * NS_PER_S);
    holds("1000..100000/60s", 1000 * 30 + 99000 * 900 / 120, 30 * NS_PER_S);
    holds("1000..100000/60s", 50500 * 60, 60 * NS_PER_S);
    holds("100k..1k/60s", 100000 * 30 - 99000 * 900 / 120, 30 * NS_PER_S);
    holds("100k..1k/60s", 50500 * 60 + 1000, 61 * NS_PER_S);
    holds("5..5/10s", 7, 1400000000);
    holds("1000M..1000M/24h", UINT64_C(86399000000000), 86399 * NS_PER_S);
    holds("0..1000M/24h", UINT64_C(43200000000000), 86400 * NS_PER_S);
    holds("0..1000M/24h", UINT64_C(43200000000000) / 4, 43200 * NS_PER_S);
}

static __int128 twice(const struct arrivals_config *s, uint64_t t)
{
    __int128 rise = (__int128)s->ramp_top - (__int128)s->rate.messages;
    return 2 * (__int128)s->rate.messages * s->ramp_ns * t + rise * t * t;
}

static void every_message_of_a_ramp(const char *rate)
{
    struct arrivals_config s = shape(rate);
    uint64_t all = (s.rate.messages + s.ramp_top) * (s.ramp_ns / NS_PER_S) / 2;
    uint64_t wrong = 0;
    uint64_t before = 0;
    for (uint64_t k = 0; k < all; k++) {
        uint64_t t = arrivals_burst_due(&s, k);
        __int128 wanted = 2 * (__int128)k * NS_PER_S * s.ramp_ns;
        wrong += t < before || twice(&s, t) > wanted || twice(&s, t + 1) <= wanted;
        before = t;
    }
    unit(!wrong, "%s: %" PRIu64 " messages are not due when the integral says", rate, wrong);
}

static void bursts(void)
{
    struct arrivals_config s = {0};
    unit(arrivals_parse_burst(&s, "10/500ms"), "--burst");
    struct arrivals a = arrivals_init(&s, 1);
    uint64_t wrong = 0;
    for (uint64_t k = 0; k < 1000; k++)
        wrong += arrivals_next(&a) != k / 10 * (NS_PER_S / 2);
    unit(!wrong, "%" PRIu64 " of a burst at another time", wrong);
}

static void evenly(void)
{
    struct arrivals_config s = shape("1k..7k/1s");
    struct arrivals a = arrivals_init(&s, 1);
    uint64_t wrong = 0;
    for (uint64_t k = 0; k < 10000; k++)
        wrong += arrivals_next(&a) != arrivals_burst_due(&s, k);
    unit(!wrong, "%" PRIu64 " at another time than one by one", wrong);
}

/* Chi-square of how many intervals have so many arrivals, for a mean of one in each. */
static void poisson(const char *rate, uint64_t seed)
{
    enum { INTERVALS = 100000, MOST = 6 };
    static const double probability[MOST + 1] = {0.367879441, 0.367879441, 0.183939721, 0.061313240,
                                                 0.015328310, 0.003065662, 0.000594185};
    struct arrivals_config s = shape(rate);
    s.poisson = true;
    struct arrivals a = arrivals_init(&s, seed);
    double seen[MOST + 1] = {0};
    double chi = 0;
    uint64_t due = arrivals_next(&a);
    uint64_t all = 0;
    for (uint64_t i = 0; i < INTERVALS; i++) {
        int n = 0;
        for (; due < arrivals_burst_due(&s, i + 1); due = arrivals_next(&a))
            n++;
        all += (uint64_t)n;
        seen[n < MOST ? n : MOST]++;
    }
    for (int n = 0; n <= MOST; n++) {
        double wanted = probability[n] * INTERVALS;
        chi += (seen[n] - wanted) * (seen[n] - wanted) / wanted;
    }
    /* 6 degrees of freedom: 0.1 % are beyond 22.46, and 0.1 % below 0.38. */
    unit(chi > 0.38 && chi < 22.46, "%s, seed %" PRIu64 ": chi-square %g", rate, seed, chi);
    unit(all > INTERVALS - 1000 && all < INTERVALS + 1000, "%s: %" PRIu64 " in all", rate, all);
}

/* That gaps are exponential: as many in each tenth of the distribution. */
static void gaps(uint64_t seed)
{
    enum { GAPS = 100000, PARTS = 10 };
    static const double deciles[PARTS - 1] = {0.105360516, 0.223143551, 0.356674944,
                                              0.510825624, 0.693147181, 0.916290732,
                                              1.203972804, 1.609437912, 2.302585093};
    struct arrivals_config s = shape("1");
    s.poisson = true;
    struct arrivals a = arrivals_init(&s, seed);
    double seen[PARTS] = {0};
    double chi = 0;
    const double wanted = (double)GAPS / PARTS;
    uint64_t before = 0;
    for (int i = 0; i < GAPS; i++) {
        uint64_t due = arrivals_next(&a);
        double gap = (double)(due - before) / (double)NS_PER_S;
        int part = 0;
        while (part < PARTS - 1 && gap >= deciles[part])
            part++;
        seen[part]++;
        before = due;
    }
    for (int i = 0; i < PARTS; i++)
        chi += (seen[i] - wanted) * (seen[i] - wanted) / wanted;
    /* 9 degrees of freedom. */
    unit(chi > 1.15 && chi < 27.88, "gaps, seed %" PRIu64 ": chi-square %g", seed, chi);
}

static void chance(void)
{
    struct random r = {0};
    unit(random_next(&r) == UINT64_C(0xE220A8397B1DCDAF), "SplitMix64's first");
    unit(random_next(&r) == UINT64_C(0x6E789E6AA1B965F4), "SplitMix64's second");
    uint64_t seen[7] = {0};
    for (int i = 0; i < 70000; i++)
        seen[random_below(&r, 7)]++;
    for (int i = 0; i < 7; i++)
        unit(seen[i] > 9500 && seen[i] < 10500, "%d came %" PRIu64 " times", i, seen[i]);
    struct random one = random_init(5, RANDOM_SIZES);
    struct random other = random_init(5, RANDOM_ARRIVALS);
    unit(random_next(&one) != random_next(&other), "streams differ");
}

int main(void)
{
    even();
    ramps();
    every_message_of_a_ramp("10..100k/2s");
    every_message_of_a_ramp("0..50k/4s");
    every_message_of_a_ramp("90k..3/3s");
    bursts();
    evenly();
    poisson("1", 1);
    poisson("500k", 2);
    poisson("1..1/24h", 3);
    gaps(1);
    gaps(2);
    chance();
    return unit_end("shape");
}
