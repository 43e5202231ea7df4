#include "verify/verify-report.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/printable.h"

enum { MAX_RANGES = 20 };

static const struct {
    const char *name;
    double percent;
} percentiles[] = {{"latency-p50", 50},
                   {"latency-p90", 90},
                   {"latency-p99", 99},
                   {"latency-p99.9", 99.9},
                   {"latency-p99.99", 99.99}};
enum { PERCENTILES = sizeof percentiles / sizeof *percentiles };

uint64_t verify_report_count_distinct(const struct verify_report *r)
{
    return r->received - r->duplicated;
}

bool verify_report_is_clean(const struct verify_report *r)
{
    return r->received && !sequence_tracker_count_missing(&r->tracker) && !r->duplicated &&
           !r->damaged && !r->tracker.overflowed;
}

void verify_report_log_limits(const struct verify_report *r)
{
    if (r->tracker.overflowed)
        log_warning(
            "too many runs or connections to track; messages of further ones are counted as "
            "foreign");
    if (r->tracker.gaps.overflowed)
        log_warning("too many gaps to track; missing-ranges is incomplete, missing and duplicated "
                    "are upper bounds");
}

/* The sender chose the label, so it must not look like ranges: it becomes one printable word. */
static void verify_report_print_label(struct buffer *out, const struct buffer *label)
{
    char *to = buffer_reserve(out, label->len);
    size_t len = printable_copy(to, (struct slice){label->data, label->len});
    for (char *space = to; (space = memchr(space, ' ', (size_t)(to + len - space)));)
        *space = '?';
    buffer_commit(out, to + len);
}

/* `run` is NULL if there is only one. */
static void verify_report_print_range(struct buffer *out, const struct tracked_run *run,
                                      const struct gap *range)
{
    if (out->len > 0)
        buffer_puts(out, " ");
    if (run) {
        verify_report_print_label(out, &run->label);
        buffer_puts(out, ":");
    }
    buffer_printf(out, "%" PRIu64, range->first);
    if (range->last > range->first)
        buffer_printf(out, "-%" PRIu64, range->last);
}

/* Prints the ranges of one run, at most `left`; returns how many more may be printed. */
static int verify_report_print_run(const struct sequence_tracker *t, const struct tracked_run *run,
                                   int left, struct buffer *out)
{
    struct gap range;
    uint64_t k = 0;
    while (sequence_tracker_find_range(t, run, k, &range)) {
        if (left-- == 0) {
            buffer_puts(out, " ...");
            return -1;
        }
        verify_report_print_range(out, t->run_count > 1 ? run : NULL, &range);
        k = range.last + 1;
    }
    return left;
}

static void verify_report_print_ranges(const struct verify_report *r, uint64_t expected,
                                       struct buffer *out)
{
    const struct sequence_tracker *t = &r->tracker;
    int left = MAX_RANGES;
    for (const struct tracked_run *run = t->last_run; run && left >= 0; run = run->previous)
        left = verify_report_print_run(t, run, left, out);
    if (t->run_count == 0 && expected)
        verify_report_print_range(out, NULL, &(struct gap){0, expected - 1});
    else if (t->unattributed || t->gaps.overflowed)
        buffer_puts(out, out->len > 0 ? " ?" : "?");
}

static void verify_report_add_ranges(const struct verify_report *r, uint64_t expected,
                                     struct values *v)
{
    static const char name[] = "missing-ranges";
    struct buffer ranges = {0};
    verify_report_print_ranges(r, expected, &ranges);
    if (ranges.len > 0)
        values_add_text(v, name, (struct slice){ranges.data, ranges.len});
    else
        values_add_absent(v, name, VALUE_TEXT);
    buffer_free(&ranges);
}

static void verify_report_add_messages(const struct verify_report *r, uint64_t expected,
                                       struct values *v)
{
    values_add_count(v, "runs", r->tracker.run_count);
    values_add_count(v, "connections", r->tracker.seen_connections);
    values_add_count(v, "missing", sequence_tracker_count_missing(&r->tracker));
    verify_report_add_ranges(r, expected, v);
    values_add_count(v, "duplicated", r->duplicated);
    values_add_count(v, "reordered", r->reordered);
    values_add_count(v, "damaged", r->damaged);
    values_add_count(v, "foreign", r->foreign);
}

static void verify_report_add_latency(const struct histogram *h, const char *name, uint64_t us,
                                      struct values *v)
{
    if (h->total)
        values_add_duration(v, name, us * 1000);
    else
        values_add_absent(v, name, VALUE_DURATION);
}

static void verify_report_add_latency_summary(const struct verify_report *r, struct values *v)
{
    uint64_t mean = (uint64_t)(histogram_mean(&r->latency) + 0.5);
    values_add_count(v, "latency-count", r->latency.total);
    values_add_count(v, "latency-negative", r->negative_latencies);
    verify_report_add_latency(&r->latency, "latency-mean", mean, v);
}

static void verify_report_add_percentiles(const struct histogram *h, struct values *v)
{
    for (size_t i = 0; i < PERCENTILES; i++)
        verify_report_add_latency(h, percentiles[i].name,
                                  histogram_percentile(h, percentiles[i].percent), v);
    verify_report_add_latency(h, "latency-max", histogram_max(h), v);
}

void verify_report_build(const struct verify_report *r, uint64_t expected, struct values *v)
{
    values_add_count(v, "received", r->received);
    verify_report_add_messages(r, expected, v);
    verify_report_add_latency_summary(r, v);
    verify_report_add_percentiles(&r->latency, v);
}

void verify_report_add_interval(const struct histogram *latency, struct values *row)
{
    static const struct {
        const char *name;
        enum value_kind kind;
    } totals[] = {{"runs", VALUE_COUNT},           {"connections", VALUE_COUNT},
                  {"missing", VALUE_COUNT},        {"missing-ranges", VALUE_TEXT},
                  {"duplicated", VALUE_COUNT},     {"reordered", VALUE_COUNT},
                  {"damaged", VALUE_COUNT},        {"foreign", VALUE_COUNT},
                  {"latency-count", VALUE_COUNT},  {"latency-negative", VALUE_COUNT},
                  {"latency-mean", VALUE_DURATION}};
    verify_report_add_percentiles(latency, row);
    for (size_t i = 0; i < sizeof totals / sizeof *totals; i++)
        values_add_absent(row, totals[i].name, totals[i].kind);
}

void verify_report_build_total_row(const struct verify_report *r, uint64_t expected, double rate,
                                   struct values *row)
{
    values_add_text(row, "seconds", (struct slice){"total", strlen("total")});
    values_add_count(row, "received", r->received);
    values_add_rate(row, "rate", rate, 1);
    verify_report_add_percentiles(&r->latency, row);
    verify_report_add_messages(r, expected, row);
    verify_report_add_latency_summary(r, row);
}
