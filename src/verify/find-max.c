#include "verify/find-max.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exit-status.h"
#include "base/log.h"
#include "base/options.h"
#include "verify/trial.h"

enum {
    ATTEMPTS = 3,    /* a machine has its moments, and one of them is no limit */
    PRECISION = 20,  /* a rate is told to that part of it */
    RUN_PREFIX = 20, /* of --run, so that a name takes its number too */
    TEXT = 512
};

static const uint64_t highest = 1000000000;              /* messages a second */
static const uint64_t patience = 10 * NS_PER_S;          /* for a receiver that starts */
static const uint64_t probe_idle = NS_PER_S / 5;         /* until the next probe */
static const uint64_t scheduling_delay = NS_PER_S / 200; /* is no fault of a rate */

struct search {
    const struct find_max_config *config;
    struct load_config load;
    struct round_trip way;
    char run[RUN_PREFIX + 16];
    unsigned trials;
    uint64_t held;     /* messages a second, the greatest rate that held; 0: none */
    uint64_t failed;   /* the least that did not; 0: none */
    const char *limit; /* what that one met */
    struct trip best;  /* at the one that held */
    bool over;         /* a trial failed, or was interrupted */
};

bool find_max_bounds(struct find_max_config *config, const char *text)
{
    char low[32];
    struct rate rate;
    const char *dots = strstr(text, "..");
    config->high = highest;
    if (dots && (size_t)(dots - text) < sizeof low) {
        snprintf(low, sizeof low, "%.*s", (int)(dots - text), text);
        return option_count("--rate", low, 1, highest, &config->low) &&
               option_count("--rate", dots + 2, config->low, highest, &config->high);
    }
    if (!option_rate("--rate", text, &rate.messages, &rate.period_ns))
        return false;
    config->low = (uint64_t)((double)rate.messages * (double)NS_PER_S / (double)rate.period_ns);
    if (config->low >= 1 && config->low <= highest)
        return true;
    log_printf("--rate: '%s' is not from 1 to 1000M a second", text);
    return false;
}

__attribute__((format(printf, 2, 3))) static void add(char *text, const char *format, ...)
{
    size_t length = strlen(text);
    va_list values;
    va_start(values, format);
    vsnprintf(text + length, TEXT - length, format, values);
    va_end(values);
}

static void add_duration(char *text, uint64_t micros)
{
    if (micros < 1000000)
        add(text, "%.3g ms", (double)micros / 1e3);
    else
        add(text, "%.3g s", (double)micros / 1e6);
}

/* In groups of three digits. */
static void add_rate(char *text, uint64_t rate)
{
    uint64_t group = 1;
    while (rate / group >= 1000)
        group *= 1000;
    add(text, "%" PRIu64, rate / group);
    while (group /= 1000)
        add(text, ",%03" PRIu64, rate / group % 1000);
    add(text, "/s");
}

/* What it was sent at, as a part of the rate. */
static double kept(const struct search *s, const struct trip *t)
{
    double duration = (double)s->load.duration_ns;
    return duration / (duration + (double)t->behind);
}

static bool is_late(const struct search *s, const struct trip *t)
{
    return t->behind > s->load.duration_ns / 1000 && t->behind > scheduling_delay;
}

/* What kept a rate from holding; NULL: it did. */
static const char *limit_of(const struct search *s, const struct trip *t)
{
    bool slow = t->p99 * 1000 > s->config->latency;
    bool late = is_late(s, t);
    return t->lost                            ? "loss"
           : t->duplicated                    ? "duplication"
           : t->damaged                       ? "damage"
           : late && t->sender_busy           ? "sender"
           : (slow || late) && t->reader_busy ? "reader"
           : slow                             ? "latency"
           : late                             ? "backpressure"
                                              : NULL;
}

static void describe(const struct search *s, const struct trip *t, const char *limit, char *text)
{
    const struct {
        const char *name;
        uint64_t count;
    } faults[] = {{"lost", t->lost}, {"duplicated", t->duplicated}, {"damaged", t->damaged}};
    *text = '\0';
    if (!limit)
        add(text, "held, ");
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (faults[i].count)
            add(text, "%s %" PRIu64 ", ", faults[i].name, faults[i].count);
    add(text, "p99 ");
    add_duration(text, t->p99);
    if (is_late(s, t))
        add(text, ", sent at %.3g %% of it", 100 * kept(s, t));
    if (limit && (strcmp(limit, "sender") == 0 || strcmp(limit, "reader") == 0))
        add(text, ", the %s here was the limit", limit);
}

static bool try_once(struct search *s, uint64_t rate, struct trip *t)
{
    snprintf(s->run, sizeof s->run, "%.*s-%u", RUN_PREFIX, s->config->load->message.run,
             ++s->trials);
    s->load.arrivals.rate = (struct rate){rate, NS_PER_S};
    return round_trip_send(&s->way, &s->load, s->config->idle, t);
}

static bool holds(struct search *s, uint64_t rate)
{
    const char *limit = NULL;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        struct trip t;
        char at[TEXT] = "";
        char what[TEXT];
        if (!try_once(s, rate, &t)) {
            s->over = true;
            return false;
        }
        limit = limit_of(s, &t);
        add_rate(at, rate);
        describe(s, &t, limit, what);
        if (!s->load.quiet)
            log_printf("%s: %s", at, what);
        if (!limit) {
            s->held = rate;
            s->best = t;
            return true;
        }
    }
    s->failed = rate;
    s->limit = limit;
    return false;
}

/* To three digits. */
static uint64_t rounded(uint64_t rate)
{
    uint64_t step = 1;
    while (rate / step >= 1000)
        step *= 10;
    return (rate + step / 2) / step * step;
}

static void double_up(struct search *s)
{
    uint64_t high = s->config->high;
    uint64_t rate = s->config->low;
    while (holds(s, rate) && rate < high)
        rate = rate < high / 2 ? 2 * rate : high;
}

static void bisect(struct search *s)
{
    while (!s->over && s->failed - s->held > s->held / PRECISION) {
        uint64_t middle = rounded(s->held + (s->failed - s->held) / 2);
        if (middle <= s->held || middle >= s->failed)
            return;
        holds(s, middle);
    }
}

/* What held once may have been luck. */
static void confirm(struct search *s)
{
    uint64_t low = s->config->low;
    uint64_t rate = s->held;
    s->held = 0;
    while (!holds(s, rate) && !s->over && rate > low) {
        uint64_t less = rounded(rate - rate / PRECISION);
        less = less < rate ? less : rate - 1;
        rate = less > low ? less : low;
    }
}

/* Tries until a message comes back, since a receiver may just be starting. */
static bool reach(struct search *s)
{
    uint64_t until = clock_monotonic() + patience;
    struct trip t;
    s->load.destination.connect_timeout_ns = patience;
    s->load.count = 1;
    s->load.duration_ns = 0;
    s->load.arrivals = (struct arrivals_config){.rate = {1, NS_PER_S}, .burst = 1};
    snprintf(s->run, sizeof s->run, "%.*s-0", RUN_PREFIX, s->config->load->message.run);
    do
        if (!round_trip_send(&s->way, &s->load, probe_idle, &t))
            return false;
    while (t.lost && clock_monotonic() < until);
    if (t.lost)
        log_printf("%s: what goes to %s does not come back there", s->way.name,
                   s->load.destination.text);
    s->load = *s->config->load;
    s->load.message.run = s->run;
    return !t.lost;
}

static void add_value(char *text, const char *name, uint64_t value)
{
    if (value)
        add(text, "%s: %" PRIu64 "\n", name, value);
    else
        add(text, "%s: -\n", name);
}

static void add_latency(char *text, const char *name, const struct search *s, uint64_t micros)
{
    if (s->held)
        add(text, "latency-%s: %.6f\n", name, (double)micros / 1e6);
    else
        add(text, "latency-%s: -\n", name);
}

static bool print_result(const struct search *s)
{
    struct output out;
    char text[TEXT] = "highest rate at which nothing is lost and p99 stays under ";
    add_duration(text, s->config->latency / 1000);
    add(text, ": ");
    if (s->held)
        add_rate(text, s->held);
    add(text, s->held ? "\n" : "none\n");
    add_value(text, "rate", s->held);
    add_value(text, "failed-rate", s->failed);
    add(text, "limit: %s\n", s->limit ? s->limit : "-");
    add_latency(text, "p50", s, s->best.p50);
    add_latency(text, "p99", s, s->best.p99);
    add_latency(text, "max", s, s->best.max);
    add_value(text, "trials", s->trials);
    output_init(&out, STDOUT_FILENO, "stdout");
    buffer_append(&out.buffer, (struct slice){text, strlen(text)});
    return output_close(&out);
}

int find_max_run(const struct find_max_config *config)
{
    struct search s = {.config = config, .load = *config->load};
    s.load.message.run = s.run;
    if (!round_trip_start(&s.way, config->file, config->load->stats_interval_ns))
        return STATUS_FAILED;
    s.over = !reach(&s);
    if (!s.over)
        double_up(&s);
    if (s.held && s.failed)
        bisect(&s);
    if (s.held && !s.over)
        confirm(&s);
    round_trip_end(&s.way);
    if (s.over || !print_result(&s))
        return STATUS_FAILED;
    return s.held ? STATUS_OK : STATUS_REJECTED;
}
