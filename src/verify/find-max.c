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

struct find_max_search {
    const struct find_max_config *config;
    struct load_config load;
    struct trial trial;
    char run[RUN_PREFIX + 16];
    unsigned trials;
    uint64_t best_rate;              /* messages a second, the greatest rate that held; 0: none */
    uint64_t failed_rate;            /* the least that did not; 0: none */
    const char *limit;               /* what that one met */
    struct trial_result best_result; /* at the one that held */
    bool aborted;                    /* a trial failed, or was interrupted */
};

bool find_max_parse_rate(struct find_max_config *config, const char *text)
{
    char low[32];
    struct rate rate;
    const char *dots = strstr(text, "..");
    config->high_rate = highest;
    if (dots && (size_t)(dots - text) < sizeof low) {
        snprintf(low, sizeof low, "%.*s", (int)(dots - text), text);
        return option_count("--rate", low, 1, highest, &config->low_rate) &&
               option_count("--rate", dots + 2, config->low_rate, highest, &config->high_rate);
    }
    if (!option_rate("--rate", text, &rate.messages, &rate.period_ns))
        return false;
    config->low_rate =
        (uint64_t)((double)rate.messages * (double)NS_PER_S / (double)rate.period_ns);
    if (config->low_rate >= 1 && config->low_rate <= highest)
        return true;
    log_printf("--rate: '%s' is not from 1 to 1000M a second", text);
    return false;
}

static void duration_print(struct buffer *out, uint64_t micros)
{
    if (micros < 1000000)
        buffer_printf(out, "%.3g ms", (double)micros / 1e3);
    else
        buffer_printf(out, "%.3g s", (double)micros / 1e6);
}

/* In groups of three digits. */
static void rate_print(struct buffer *out, uint64_t rate)
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
static double search_rate_fraction(const struct find_max_search *s, const struct trial_result *t)
{
    double duration = (double)s->load.duration_ns;
    return duration / (duration + (double)t->lag_ns);
}

static bool search_is_late(const struct find_max_search *s, const struct trial_result *t)
{
    return t->lag_ns > s->load.duration_ns / 1000 && t->lag_ns > scheduling_delay;
}

/* What kept a rate from holding; NULL: it did. */
static const char *search_find_limit(const struct find_max_search *s, const struct trial_result *t)
{
    bool slow = t->p99_us * 1000 > s->config->max_latency_ns;
    bool late = search_is_late(s, t);
    return t->lost                            ? "loss"
           : t->duplicated                    ? "duplication"
           : t->damaged                       ? "damage"
           : late && t->sender_busy           ? "sender"
           : (slow || late) && t->reader_busy ? "reader"
           : slow                             ? "latency"
           : late                             ? "backpressure"
                                              : NULL;
}

static void search_describe(const struct find_max_search *s, const struct trial_result *t,
                            const char *limit, struct buffer *out)
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
    duration_print(out, t->p99_us);
    if (search_is_late(s, t))
        buffer_printf(out, ", sent at %.3g %% of it", 100 * search_rate_fraction(s, t));
    if (limit && (strcmp(limit, "sender") == 0 || strcmp(limit, "reader") == 0))
        buffer_printf(out, ", the %s here was the limit", limit);
}

static bool search_run_trial(struct find_max_search *s, uint64_t rate, struct trial_result *t)
{
    snprintf(s->run, sizeof s->run, "%.*s-%u", RUN_PREFIX, s->config->load->message.run,
             ++s->trials);
    s->load.arrivals.rate = (struct rate){rate, NS_PER_S};
    return trial_run(&s->trial, &s->load, s->config->idle_timeout_ns, t);
}

static bool search_try_rate(struct find_max_search *s, uint64_t rate)
{
    const char *limit = NULL;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        struct trial_result t;
        struct buffer text = {0};
        if (!search_run_trial(s, rate, &t)) {
            s->aborted = true;
            return false;
        }
        limit = search_find_limit(s, &t);
        rate_print(&text, rate);
        buffer_puts(&text, ": ");
        search_describe(s, &t, limit, &text);
        if (!s->load.quiet)
            log_printf("%.*s", (int)text.len, text.data);
        buffer_free(&text);
        if (!limit) {
            s->best_rate = rate;
            s->best_result = t;
            return true;
        }
    }
    s->failed_rate = rate;
    s->limit = limit;
    return false;
}

/* To three digits. */
static uint64_t rate_round(uint64_t rate)
{
    uint64_t step = 1;
    while (rate / step >= 1000)
        step *= 10;
    return (rate + step / 2) / step * step;
}

static void search_double(struct find_max_search *s)
{
    uint64_t high = s->config->high_rate;
    uint64_t rate = s->config->low_rate;
    while (search_try_rate(s, rate) && rate < high)
        rate = rate < high / 2 ? 2 * rate : high;
}

static void search_bisect(struct find_max_search *s)
{
    while (!s->aborted && s->failed_rate - s->best_rate > s->best_rate / PRECISION) {
        uint64_t middle = rate_round(s->best_rate + (s->failed_rate - s->best_rate) / 2);
        if (middle <= s->best_rate || middle >= s->failed_rate)
            return;
        search_try_rate(s, middle);
    }
}

/* What held once may have been luck. */
static void search_confirm(struct find_max_search *s)
{
    uint64_t low = s->config->low_rate;
    uint64_t rate = s->best_rate;
    s->best_rate = 0;
    while (!search_try_rate(s, rate) && !s->aborted && rate > low) {
        uint64_t less = rate_round(rate - rate / PRECISION);
        less = less < rate ? less : rate - 1;
        rate = less > low ? less : low;
    }
}

/* Tries until a message comes back, since a receiver may just be starting. */
static bool search_reach_receiver(struct find_max_search *s)
{
    uint64_t until = clock_monotonic() + patience;
    struct trial_result t;
    s->load.destination.connect_timeout_ns = patience;
    s->load.count = 1;
    s->load.duration_ns = 0;
    s->load.arrivals = (struct arrivals_config){.rate = {1, NS_PER_S}, .burst = 1};
    snprintf(s->run, sizeof s->run, "%.*s-0", RUN_PREFIX, s->config->load->message.run);
    do
        if (!trial_run(&s->trial, &s->load, probe_idle, &t))
            return false;
    while (t.lost && clock_monotonic() < until);
    if (t.lost)
        log_printf("%s: what goes to %s does not come back there", s->trial.input_name,
                   s->load.destination.text);
    s->load = *s->config->load;
    s->load.message.run = s->run;
    return !t.lost;
}

static void find_max_add_count(struct values *v, const char *name, uint64_t count)
{
    if (count)
        values_add_count(v, name, count);
    else
        values_add_absent(v, name, VALUE_COUNT);
}

static void find_max_add_latency(struct values *v, const char *name,
                                 const struct find_max_search *s, uint64_t micros)
{
    if (s->best_rate)
        values_add_duration(v, name, micros * 1000);
    else
        values_add_absent(v, name, VALUE_DURATION);
}

static void find_max_build_report(const struct find_max_search *s, struct values *v)
{
    find_max_add_count(v, "rate", s->best_rate);
    find_max_add_count(v, "failed-rate", s->failed_rate);
    if (s->limit)
        values_add_text(v, "limit", (struct slice){s->limit, strlen(s->limit)});
    else
        values_add_absent(v, "limit", VALUE_TEXT);
    find_max_add_latency(v, "latency-p50", s, s->best_result.p50_us);
    find_max_add_latency(v, "latency-p99", s, s->best_result.p99_us);
    find_max_add_latency(v, "latency-max", s, s->best_result.max_us);
    find_max_add_count(v, "trials", s->trials);
}

static bool find_max_print_report(const struct find_max_search *s)
{
    struct output out;
    struct values report = {0};
    output_init(&out, STDOUT_FILENO, "stdout");
    buffer_puts(&out.buffer, "highest rate at which nothing is lost and p99 stays under ");
    duration_print(&out.buffer, s->config->max_latency_ns / 1000);
    buffer_puts(&out.buffer, ": ");
    if (s->best_rate)
        rate_print(&out.buffer, s->best_rate);
    buffer_puts(&out.buffer, s->best_rate ? "\n" : "none\n");
    find_max_build_report(s, &report);
    values_print_text(&report, &out.buffer);
    values_free(&report);
    return output_close(&out);
}

int find_max_run(const struct find_max_config *config)
{
    struct find_max_search s = {.config = config, .load = *config->load};
    s.load.message.run = s.run;
    if (!trial_open(&s.trial, config->input_path, config->load->stats_interval_ns))
        return STATUS_FAILED;
    s.aborted = !search_reach_receiver(&s);
    if (!s.aborted)
        search_double(&s);
    if (s.best_rate && s.failed_rate)
        search_bisect(&s);
    if (s.best_rate && !s.aborted)
        search_confirm(&s);
    trial_close(&s.trial);
    if (s.aborted || !find_max_print_report(&s))
        return STATUS_FAILED;
    return s.best_rate ? STATUS_OK : STATUS_REJECTED;
}
