#include "load/arrivals.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/options.h"

static bool arrivals_parse_ramp(struct arrivals_config *config, const char *text,
                                const char *separator)
{
    char first[32];
    struct rate last;
    uint64_t from;
    int len = (int)(separator - text);
    if (len >= (int)sizeof first || !strchr(separator, '/')) {
        log_printf("--rate: '%s' is not a ramp; expected FROM..TO/DURATION, as in 1k..100k/60s",
                   text);
        return false;
    }
    snprintf(first, sizeof first, "%.*s", len, text);
    if (!option_count("--rate", first, 0, ARRIVALS_RAMP_RATE_MAX, &from) ||
        !option_rate("--rate", separator + 2, &last.messages, &last.period_ns))
        return false;
    if (last.messages > ARRIVALS_RAMP_RATE_MAX || last.period_ns > ARRIVALS_RAMP_NS_MAX) {
        log_printf("--rate: '%s' is too large; a ramp is limited to 1000M messages/s and 24h",
                   text);
        return false;
    }
    config->rate = (struct rate){from, NS_PER_S};
    config->ramp_top = last.messages;
    config->ramp_ns = last.period_ns;
    return true;
}

bool arrivals_parse_rate(struct arrivals_config *config, const char *text)
{
    const char *separator = strstr(text, "..");
    config->rate = (struct rate){0};
    config->ramp_ns = 0;
    if (separator)
        return arrivals_parse_ramp(config, text, separator);
    return strcmp(text, "max") == 0 ||
           option_rate("--rate", text, &config->rate.messages, &config->rate.period_ns);
}

bool arrivals_parse_burst(struct arrivals_config *config, const char *text)
{
    uint64_t period;
    if (!option_rate("--burst", text, &config->burst, &period))
        return false;
    config->rate = (struct rate){1, period};
    return true;
}

bool arrivals_parse_process(struct arrivals_config *config, const char *text)
{
    static const char *const names[] = {"even", "poisson", NULL};
    int choice;
    if (!option_choice("--arrivals", text, names, &choice))
        return false;
    config->poisson = choice == 1;
    return true;
}

/* Twice the number of messages due by t, in units of 1 / (NS_PER_S * ramp_ns); t <= ramp_ns. */
static __int128 arrivals_twice_due(const struct arrivals_config *config, uint64_t t)
{
    __int128 rise = (__int128)config->ramp_top - (__int128)config->rate.messages;
    return 2 * (__int128)config->rate.messages * config->ramp_ns * t + rise * t * t;
}

/* Solves the quadratic equation in floating point, and corrects the root with integers. */
static uint64_t arrivals_ramp_root(const struct arrivals_config *config, __int128 target)
{
    long double a = (long double)config->rate.messages * (long double)config->ramp_ns;
    long double rise = (long double)config->ramp_top - (long double)config->rate.messages;
    long double c = (long double)target;
    long double below = a + sqrtl(fmaxl(a * a + rise * c, 0));
    long double root = below > 0 ? fminl(c / below, (long double)config->ramp_ns) : 0;
    uint64_t t = (uint64_t)root;
    while (t > 0 && arrivals_twice_due(config, t) > target)
        t--;
    while (t < config->ramp_ns && arrivals_twice_due(config, t + 1) <= target)
        t++;
    return t;
}

static uint64_t arrivals_ramp_due(const struct arrivals_config *config, uint64_t k)
{
    unsigned __int128 twice = 2 * (unsigned __int128)k * NS_PER_S;
    unsigned __int128 on_ramp =
        ((unsigned __int128)config->rate.messages + config->ramp_top) * config->ramp_ns;
    if (twice < on_ramp)
        return arrivals_ramp_root(config, (__int128)(twice * config->ramp_ns));
    return config->ramp_ns + (uint64_t)((twice - on_ramp) / (2 * config->ramp_top));
}

uint64_t arrivals_burst_due(const struct arrivals_config *config, uint64_t k)
{
    return config->ramp_ns ? arrivals_ramp_due(config, k) : schedule_due(config->rate, k);
}

/*
 * Returns an exponentially distributed number with mean 1, in units of 2^-32. Uses comparisons only
 * (von Neumann, 1951), so that the result does not depend on the math library: a falling run of
 * uniform numbers starting with x has an odd length with probability e^-x.
 */
static uint64_t arrivals_draw_exponential(struct random *r)
{
    for (uint64_t whole = 0;; whole++) {
        uint32_t first = (uint32_t)(random_next(r) >> 32);
        uint32_t last = first;
        for (bool odd = true;; odd = !odd) {
            uint32_t next = (uint32_t)(random_next(r) >> 32);
            if (next >= last && odd)
                return whole << 32 | first;
            if (next >= last)
                break;
            last = next;
        }
    }
}

struct arrivals arrivals_init(const struct arrivals_config *config, uint64_t seed)
{
    return (struct arrivals){.config = config, .random = random_init(seed, RANDOM_ARRIVALS)};
}

/* Maps a Poisson process of rate 1 to the schedule: time n becomes the due time of burst n. */
static uint64_t arrivals_next_poisson(struct arrivals *a)
{
    uint64_t step = a->fraction + arrivals_draw_exponential(&a->random);
    a->next_burst += step >> 32;
    a->fraction = step & UINT32_MAX;
    uint64_t low = arrivals_burst_due(a->config, a->next_burst);
    uint64_t high = arrivals_burst_due(a->config, a->next_burst + 1);
    return low + (uint64_t)((unsigned __int128)(high - low) * a->fraction >> 32);
}

uint64_t arrivals_next_burst(struct arrivals *a)
{
    a->remaining = a->config->burst;
    return a->config->poisson ? arrivals_next_poisson(a)
                              : arrivals_burst_due(a->config, a->next_burst++);
}
