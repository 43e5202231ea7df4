#include "load/arrivals.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/options.h"

static bool read_ramp(struct shape *s, const char *text, const char *dots)
{
    char first[32];
    struct rate last;
    uint64_t from;
    int length = (int)(dots - text);
    if (length >= (int)sizeof first || !strchr(dots, '/')) {
        log_printf("--rate: '%s' is no ramp, as in 1k..100k/60s", text);
        return false;
    }
    snprintf(first, sizeof first, "%.*s", length, text);
    if (!option_count("--rate", first, 0, SHAPE_RAMP_RATE, &from) ||
        !option_rate("--rate", dots + 2, &last.messages, &last.ns))
        return false;
    if (last.messages > SHAPE_RAMP_RATE || last.ns > SHAPE_RAMP_NS) {
        log_printf("--rate: '%s' is too large: up to 1000M a second, and a day", text);
        return false;
    }
    s->rate = (struct rate){from, NS_PER_S};
    s->top = last.messages;
    s->ramp = last.ns;
    return true;
}

bool shape_rate(struct shape *s, const char *text)
{
    const char *dots = strstr(text, "..");
    s->rate = (struct rate){0};
    s->ramp = 0;
    if (dots)
        return read_ramp(s, text, dots);
    return strcmp(text, "max") == 0 || option_rate("--rate", text, &s->rate.messages, &s->rate.ns);
}

bool shape_burst(struct shape *s, const char *text)
{
    uint64_t period;
    if (!option_rate("--burst", text, &s->group, &period))
        return false;
    s->rate = (struct rate){1, period};
    return true;
}

bool shape_arrivals(struct shape *s, const char *text)
{
    static const char *const words[] = {"even", "poisson", NULL};
    int choice;
    if (!option_choice("--arrivals", text, words, &choice))
        return false;
    s->poisson = choice == 1;
    return true;
}

/* Twice the integral of the rate, in messages times NS_PER_S times the ramp; t is in it. */
static __int128 twice_due(const struct shape *s, uint64_t t)
{
    __int128 rise = (__int128)s->top - (__int128)s->rate.messages;
    return 2 * (__int128)s->rate.messages * s->ramp * t + rise * t * t;
}

/* The root that floating point finds is put right by whole numbers. */
static uint64_t ramp_root(const struct shape *s, __int128 wanted)
{
    long double a = (long double)s->rate.messages * (long double)s->ramp;
    long double rise = (long double)s->top - (long double)s->rate.messages;
    long double c = (long double)wanted;
    long double below = a + sqrtl(fmaxl(a * a + rise * c, 0));
    long double root = below > 0 ? fminl(c / below, (long double)s->ramp) : 0;
    uint64_t t = (uint64_t)root;
    while (t > 0 && twice_due(s, t) > wanted)
        t--;
    while (t < s->ramp && twice_due(s, t + 1) <= wanted)
        t++;
    return t;
}

static uint64_t ramp_due(const struct shape *s, uint64_t k)
{
    unsigned __int128 twice = 2 * (unsigned __int128)k * NS_PER_S;
    unsigned __int128 on_ramp = ((unsigned __int128)s->rate.messages + s->top) * s->ramp;
    if (twice < on_ramp)
        return ramp_root(s, (__int128)(twice * s->ramp));
    return s->ramp + (uint64_t)((twice - on_ramp) / (2 * s->top));
}

uint64_t shape_due(const struct shape *s, uint64_t k)
{
    return s->ramp ? ramp_due(s, k) : schedule_due(s->rate, k);
}

/*
 * Exponentially distributed with mean 1, in 2^-32, by comparisons alone (von Neumann, 1951): a
 * falling run of random numbers has an odd length with the probability that is wanted of its first.
 */
static uint64_t exponential(struct random *r)
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

struct arrivals arrivals_start(const struct shape *s, uint64_t seed)
{
    return (struct arrivals){.shape = s, .random = random_start(seed, RANDOM_ARRIVALS)};
}

/* A Poisson process in groups, of which there is one to each that would come evenly. */
static uint64_t arrive_by_chance(struct arrivals *a)
{
    uint64_t step = a->fraction + exponential(&a->random);
    a->next += step >> 32;
    a->fraction = step & UINT32_MAX;
    uint64_t low = shape_due(a->shape, a->next);
    uint64_t high = shape_due(a->shape, a->next + 1);
    return low + (uint64_t)((unsigned __int128)(high - low) * a->fraction >> 32);
}

uint64_t arrivals_group(struct arrivals *a)
{
    a->left = a->shape->group;
    return a->shape->poisson ? arrive_by_chance(a) : shape_due(a->shape, a->next++);
}
