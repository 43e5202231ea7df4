/* The due times of messages: even, on a ramp, in bursts and Poisson; and the random numbers. */

#include "base/clock.h"
#include "load/arrivals.h"
#include "unit.h"

static struct arrivals_config parse_rate(const char *rate)
{
    struct arrivals_config config = {.burst = 1};
    unit(arrivals_parse_rate(&config, rate), "--rate=%s", rate);
    return config;
}

/* Message k is due at t, in ns after the start. */
static void expect_due(const char *rate, uint64_t k, uint64_t t)
{
    struct arrivals_config config = parse_rate(rate);
    uint64_t due = arrivals_burst_due(&config, k);
    unit(due == t, "%s: message %" PRIu64 " is due at %" PRIu64 ", expected %" PRIu64, rate, k, due,
         t);
}

static void even(void)
{
    struct arrivals_config third = {.rate = {3, NS_PER_S}, .burst = 1};
    unit(arrivals_burst_due(&third, 0) == 0 && arrivals_burst_due(&third, 3) == NS_PER_S,
         "a rate of 3");
    unit(arrivals_burst_due(&third, 3000000000000) == 1000000000000 * NS_PER_S,
         "no accumulated error");
    expect_due("500k", 5000000, 10 * NS_PER_S);
}

/* a t + (b - a) t^2 / 2T messages are due by t. */
static void ramps(void)
{
    expect_due("0..1000/10s", 0, 0);
    expect_due("0..1000/10s", 1250, 5 * NS_PER_S);
    expect_due("0..1000/10s", 5000, 10 * NS_PER_S);
    expect_due("0..1000/10s", 6000, 11 * NS_PER_S);
    expect_due("1000..100000/60s", 1000 * 30 + 99000 * 900 / 120, 30 * NS_PER_S);
    expect_due("1000..100000/60s", 50500 * 60, 60 * NS_PER_S);
    expect_due("100k..1k/60s", 100000 * 30 - 99000 * 900 / 120, 30 * NS_PER_S);
    expect_due("100k..1k/60s", 50500 * 60 + 1000, 61 * NS_PER_S);
    expect_due("5..5/10s", 7, 1400000000);
    expect_due("1000M..1000M/24h", UINT64_C(86399000000000), 86399 * NS_PER_S);
    expect_due("0..1000M/24h", UINT64_C(43200000000000), 86400 * NS_PER_S);
    expect_due("0..1000M/24h", UINT64_C(43200000000000) / 4, 43200 * NS_PER_S);
}

static __int128 twice(const struct arrivals_config *config, uint64_t t)
{
    __int128 rise = (__int128)config->ramp_top - (__int128)config->rate.messages;
    return 2 * (__int128)config->rate.messages * config->ramp_ns * t + rise * t * t;
}

static void whole_ramp(const char *rate)
{
    struct arrivals_config config = parse_rate(rate);
    uint64_t all = (config.rate.messages + config.ramp_top) * (config.ramp_ns / NS_PER_S) / 2;
    uint64_t wrong = 0;
    uint64_t last = 0;
    for (uint64_t k = 0; k < all; k++) {
        uint64_t t = arrivals_burst_due(&config, k);
        __int128 target = 2 * (__int128)k * NS_PER_S * config.ramp_ns;
        wrong += t < last || twice(&config, t) > target || twice(&config, t + 1) <= target;
        last = t;
    }
    unit(!wrong, "%s: %" PRIu64 " messages with a wrong due time", rate, wrong);
}

static void bursts(void)
{
    struct arrivals_config config = {0};
    unit(arrivals_parse_burst(&config, "10/500ms"), "--burst");
    struct arrivals a = arrivals_init(&config, 1);
    uint64_t wrong = 0;
    for (uint64_t k = 0; k < 1000; k++)
        wrong += arrivals_next(&a) != k / 10 * (NS_PER_S / 2);
    unit(!wrong, "%" PRIu64 " messages of bursts with a wrong due time", wrong);
}

static void even_sequence(void)
{
    struct arrivals_config config = parse_rate("1k..7k/1s");
    struct arrivals a = arrivals_init(&config, 1);
    uint64_t wrong = 0;
    for (uint64_t k = 0; k < 10000; k++)
        wrong += arrivals_next(&a) != arrivals_burst_due(&config, k);
    unit(!wrong, "%" PRIu64 " due times differ from arrivals_burst_due()", wrong);
}

/* Chi-square test: the number of arrivals per interval is Poisson-distributed with mean 1. */
static void poisson(const char *rate, uint64_t seed)
{
    enum { INTERVALS = 100000, MOST = 6 };
    static const double probability[MOST + 1] = {0.367879441, 0.367879441, 0.183939721, 0.061313240,
                                                 0.015328310, 0.003065662, 0.000594185};
    struct arrivals_config config = parse_rate(rate);
    config.poisson = true;
    struct arrivals a = arrivals_init(&config, seed);
    double seen[MOST + 1] = {0};
    double chi = 0;
    uint64_t due = arrivals_next(&a);
    uint64_t all = 0;
    for (uint64_t i = 0; i < INTERVALS; i++) {
        int n = 0;
        for (; due < arrivals_burst_due(&config, i + 1); due = arrivals_next(&a))
            n++;
        all += (uint64_t)n;
        seen[n < MOST ? n : MOST]++;
    }
    for (int n = 0; n <= MOST; n++) {
        double expected = probability[n] * INTERVALS;
        chi += (seen[n] - expected) * (seen[n] - expected) / expected;
    }
    /* 6 degrees of freedom: 0.1 % are above 22.46, and 0.1 % below 0.38. */
    unit(chi > 0.38 && chi < 22.46, "%s, seed %" PRIu64 ": chi-square %g", rate, seed, chi);
    unit(all > INTERVALS - 1000 && all < INTERVALS + 1000, "%s: %" PRIu64 " arrivals", rate, all);
}

/* Chi-square test: gaps are exponentially distributed, so each decile has the same number. */
static void gaps(uint64_t seed)
{
    enum { GAPS = 100000, PARTS = 10 };
    static const double deciles[PARTS - 1] = {0.105360516, 0.223143551, 0.356674944,
                                              0.510825624, 0.693147181, 0.916290732,
                                              1.203972804, 1.609437912, 2.302585093};
    struct arrivals_config config = parse_rate("1");
    config.poisson = true;
    struct arrivals a = arrivals_init(&config, seed);
    double seen[PARTS] = {0};
    double chi = 0;
    const double expected = (double)GAPS / PARTS;
    uint64_t last = 0;
    for (int i = 0; i < GAPS; i++) {
        uint64_t due = arrivals_next(&a);
        double gap = (double)(due - last) / (double)NS_PER_S;
        int part = 0;
        while (part < PARTS - 1 && gap >= deciles[part])
            part++;
        seen[part]++;
        last = due;
    }
    for (int i = 0; i < PARTS; i++)
        chi += (seen[i] - expected) * (seen[i] - expected) / expected;
    /* 9 degrees of freedom. */
    unit(chi > 1.15 && chi < 27.88, "gaps, seed %" PRIu64 ": chi-square %g", seed, chi);
}

static void random_numbers(void)
{
    struct random r = {0};
    unit(random_next(&r) == UINT64_C(0xE220A8397B1DCDAF), "first number of SplitMix64");
    unit(random_next(&r) == UINT64_C(0x6E789E6AA1B965F4), "second number of SplitMix64");
    uint64_t seen[7] = {0};
    for (int i = 0; i < 70000; i++)
        seen[random_below(&r, 7)]++;
    for (int i = 0; i < 7; i++)
        unit(seen[i] > 9500 && seen[i] < 10500, "%d was drawn %" PRIu64 " times", i, seen[i]);
    struct random one = random_init(5, RANDOM_SIZES);
    struct random other = random_init(5, RANDOM_ARRIVALS);
    unit(random_next(&one) != random_next(&other), "streams differ");
}

int main(void)
{
    even();
    ramps();
    whole_ramp("10..100k/2s");
    whole_ramp("0..50k/4s");
    whole_ramp("90k..3/3s");
    bursts();
    even_sequence();
    poisson("1", 1);
    poisson("500k", 2);
    poisson("1..1/24h", 3);
    gaps(1);
    gaps(2);
    random_numbers();
    return unit_end("arrivals");
}
