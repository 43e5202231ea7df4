#include "verify/find-max.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exit-status.h"
#include "base/log.h"
#include "base/options.h"
#include "report/values.h"
#include "verify/trial.h"

enum {
    ATTEMPTS = 3,    /* a machine has its moments, and one of them is no limit */
    PRECISION = 20,  /* a rate is told to that part of it */
    RUN_PREFIX = 20, /* of --run, so that a name takes its number too */
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

static void add_duration(struct buffer *out, uint64_t micros)
{
    if (micros < 1000000)
        buffer_printf(out, "%.3g ms", (double)micros / 1e3);
    else
        buffer_printf(out, "%.3g s", (double)micros / 1e6);
}

/* In groups of three digits. */
static void add_rate(struct buffer *out, uint64_t rate)
{
    uint64_t group = 1;
    while (rate / group >= 1000)
        group *= 1000;
    buffer_printf(out, "%" PRIu64, rate / group);
    while (group /= 1000)
        buffer_printf(out, ",%03" PRIu64, rate / group % 1000);
    buffer_printf(out, "/s");
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

static void describe(const struct search *s, const struct trip *t, const char *limit,
                     struct buffer *out)
{
    const struct {
        const char *name;
        uint64_t count;
    } faults[] = {{"lost", t->lost}, {"duplicated", t->duplicated}, {"damaged", t->damaged}};
    if (!limit)
        buffer_puts(out, "held, ");
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (faults[i].count)
            buffer_printf(out, "%s %" PRIu64 ", ", faults[i].name, faults[i].count);
    buffer_puts(out, "p99 ");
    add_duration(out, t->p99);
    if (is_late(s, t))
        buffer_printf(out, ", sent at %.3g %% of it", 100 * kept(s, t));
    if (limit && (strcmp(limit, "sender") == 0 || strcmp(limit, "reader") == 0))
        buffer_printf(out, ", the %s here was the limit", limit);
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
        struct buffer text = {0};
        if (!try_once(s, rate, &t)) {
            s->over = true;
            return false;
        }
        limit = limit_of(s, &t);
        add_rate(&text, rate);
        buffer_puts(&text, ": ");
        describe(s, &t, limit, &text);
        if (!s->load.quiet)
            log_printf("%.*s", (int)text.len, text.data);
        buffer_free(&text);
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

static void add_count(struct values *v, const char *name, uint64_t count)
{
    if (count)
        values_add_count(v, name, count);
    else
        values_add_absent(v, name, VALUE_COUNT);
}

static void add_latency(struct values *v, const char *name, const struct search *s, uint64_t micros)
{
    if (s->held)
        values_add_duration(v, name, micros * 1000);
    else
        values_add_absent(v, name, VALUE_DURATION);
}

static void build_report(const struct search *s, struct values *v)
{
    add_count(v, "rate", s->held);
    add_count(v, "failed-rate", s->failed);
    if (s->limit)
        values_add_text(v, "limit", (struct slice){s->limit, strlen(s->limit)});
    else
        values_add_absent(v, "limit", VALUE_TEXT);
    add_latency(v, "latency-p50", s, s->best.p50);
    add_latency(v, "latency-p99", s, s->best.p99);
    add_latency(v, "latency-max", s, s->best.max);
    add_count(v, "trials", s->trials);
}

static bool print_result(const struct search *s)
{
    struct output out;
    struct values report = {0};
    output_init(&out, STDOUT_FILENO, "stdout");
    buffer_puts(&out.buffer, "highest rate at which nothing is lost and p99 stays under ");
    add_duration(&out.buffer, s->config->latency / 1000);
    buffer_puts(&out.buffer, ": ");
    if (s->held)
        add_rate(&out.buffer, s->held);
    buffer_puts(&out.buffer, s->held ? "\n" : "none\n");
    build_report(s, &report);
    values_print_text(&report, &out.buffer);
    values_free(&report);
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
