#include "verify/find-max.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/exit-status.h"
#include "base/log.h"
#include "base/number.h"
#include "base/options.h"
#include "verify/find-max-report.h"
#include "verify/trial.h"

enum {
    ATTEMPTS = 3,       /* one failure may be a disturbance of the machine */
    PRECISION = 20,     /* the result is within 1/20 of the maximum */
    RUN_PREFIX_LEN = 20 /* of --run; the number of the trial is appended */
};

static const uint64_t max_rate = 1000000000;                /* messages per second */
static const uint64_t connect_timeout_ns = 10 * NS_PER_S;   /* the receiver may still be starting */
static const uint64_t probe_timeout_ns = NS_PER_S / 5;      /* until the next probe is sent */
static const uint64_t scheduling_delay_ns = NS_PER_S / 200; /* lag that is not due to the rate */

struct find_max_search {
    const struct find_max_config *config;
    struct load_config load;
    struct trial trial;
    char run[RUN_PREFIX_LEN + 16];
    struct find_max_result result;
    struct find_max_report report;
    bool aborted; /* a trial could not be run, or was interrupted */
};

bool find_max_parse_rate(struct find_max_config *config, const char *text)
{
    char low[32];
    struct rate rate;
    const char *dots = strstr(text, "..");
    config->high_rate = max_rate;
    if (dots && (size_t)(dots - text) < sizeof low) {
        snprintf(low, sizeof low, "%.*s", (int)(dots - text), text);
        return option_count("--rate", low, 1, max_rate, &config->low_rate) &&
               option_count("--rate", dots + 2, config->low_rate, max_rate, &config->high_rate);
    }
    if (!option_rate("--rate", text, &rate.messages, &rate.period_ns))
        return false;
    double per_second = (double)rate.messages * (double)NS_PER_S / (double)rate.period_ns;
    if (per_second >= 1 && per_second <= (double)max_rate) {
        config->low_rate = (uint64_t)per_second;
        return true;
    }
    log_printf("--rate: '%s' is out of range; --find-max requires 1 to 1,000,000,000 per second",
               text);
    return false;
}

/* Returns the rate at which the messages were sent, as a fraction of the intended one. */
static double search_rate_fraction(const struct find_max_search *s, const struct trial_result *t)
{
    double duration = (double)s->load.duration_ns;
    return duration / (duration + (double)t->lag_ns);
}

/* Returns whether the sender failed to keep its schedule. */
static bool search_is_late(const struct find_max_search *s, const struct trial_result *t)
{
    return t->lag_ns > s->load.duration_ns / 1000 && t->lag_ns > scheduling_delay_ns;
}

/* Returns the reason why a trial failed, or NULL if it passed. */
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
    char number[NUMBER_SIZE];
    if (!limit)
        buffer_puts(out, "held, ");
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (faults[i].count)
            buffer_printf(out, "%s %s, ", faults[i].name, number_format(number, faults[i].count));
    buffer_puts(out, "p99 ");
    find_max_report_print_duration(out, t->p99_us);
    if (search_is_late(s, t))
        buffer_printf(out, ", sent at %.3g %% of the rate", 100 * search_rate_fraction(s, t));
    if (limit && (strcmp(limit, "sender") == 0 || strcmp(limit, "reader") == 0))
        buffer_printf(out, ", the local %s is the limit", limit);
}

static bool search_run_trial(struct find_max_search *s, uint64_t rate, struct trial_result *t)
{
    snprintf(s->run, sizeof s->run, "%.*s-%u", RUN_PREFIX_LEN, s->config->load->message.run,
             ++s->result.trials);
    s->load.arrivals.rate = (struct rate){rate, NS_PER_S};
    return trial_run(&s->trial, &s->load, s->config->idle_timeout_ns, t);
}

static bool search_try_rate(struct find_max_search *s, uint64_t rate)
{
    const char *limit = NULL;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        struct trial_result t;
        struct buffer text = {0};
        char number[NUMBER_SIZE];
        if (!search_run_trial(s, rate, &t)) {
            s->aborted = true;
            return false;
        }
        limit = search_find_limit(s, &t);
        search_describe(s, &t, limit, &text);
        if (!s->load.quiet)
            log_info("%s/s: %.*s", number_format(number, rate), (int)text.len, text.data);
        buffer_free(&text);
        find_max_report_add_trial(&s->report, s->result.trials, rate, limit, &t);
        if (!limit) {
            s->result.best_rate = rate;
            s->result.best = t;
            return true;
        }
    }
    s->result.failed_rate = rate;
    s->result.limit = limit;
    return false;
}

/* Rounds to three significant digits. */
static uint64_t search_round_rate(uint64_t rate)
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
    while (!s->aborted &&
           s->result.failed_rate - s->result.best_rate > s->result.best_rate / PRECISION) {
        uint64_t middle = search_round_rate(s->result.best_rate +
                                            (s->result.failed_rate - s->result.best_rate) / 2);
        if (middle <= s->result.best_rate || middle >= s->result.failed_rate)
            return;
        search_try_rate(s, middle);
    }
}

/* A rate that passed once may have passed by chance. */
static void search_confirm(struct find_max_search *s)
{
    uint64_t low = s->config->low_rate;
    uint64_t rate = s->result.best_rate;
    s->result.best_rate = 0;
    while (!search_try_rate(s, rate) && !s->aborted && rate > low) {
        uint64_t lower = search_round_rate(rate - rate / PRECISION);
        lower = lower < rate ? lower : rate - 1;
        rate = lower > low ? lower : low;
    }
}

/* Sends probes until one comes back: the receiver may still be starting. */
static bool search_reach_receiver(struct find_max_search *s)
{
    uint64_t deadline_ns = clock_monotonic() + connect_timeout_ns;
    struct trial_result t;
    s->load.destination.connect_timeout_ns = connect_timeout_ns;
    s->load.count = 1;
    s->load.duration_ns = 0;
    s->load.arrivals = (struct arrivals_config){.rate = {1, NS_PER_S}, .burst = 1};
    snprintf(s->run, sizeof s->run, "%.*s-0", RUN_PREFIX_LEN, s->config->load->message.run);
    do
        if (!trial_run(&s->trial, &s->load, probe_timeout_ns, &t))
            return false;
    while (t.lost && clock_monotonic() < deadline_ns);
    if (t.lost)
        log_printf("%s: no message sent to %s came back within 10 s", s->trial.input_name,
                   s->load.destination.text);
    s->load = *s->config->load;
    s->load.message.run = s->run;
    return !t.lost;
}

int find_max_run(const struct find_max_config *config)
{
    struct find_max_search s = {.config = config, .load = *config->load};
    s.load.message.run = s.run;
    const struct find_max_report_config report = {.csv_path = config->csv_path,
                                                  .json_path = config->json_path,
                                                  .plot_path = config->plot_path,
                                                  .destination = config->load->destination.text,
                                                  .max_latency_ns = config->max_latency_ns};
    if (!find_max_report_open(&s.report, &report) ||
        !trial_open(&s.trial, config->input_path, config->load->stats_interval_ns)) {
        find_max_report_close(&s.report);
        return STATUS_FAILED;
    }
    s.aborted = !search_reach_receiver(&s);
    if (!s.aborted)
        search_double(&s);
    if (s.result.best_rate && s.result.failed_rate)
        search_bisect(&s);
    if (s.result.best_rate && !s.aborted)
        search_confirm(&s);
    trial_close(&s.trial);
    bool ok = !s.aborted && find_max_report_write(&s.report, &s.result);
    if (!find_max_report_close(&s.report) || !ok)
        return STATUS_FAILED;
    return s.result.best_rate ? STATUS_OK : STATUS_REJECTED;
}
