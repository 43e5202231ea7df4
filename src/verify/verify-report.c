#include "verify/verify-report.h"

#include <inttypes.h>
#include <string.h>

enum { RANGES = 20 };

static const struct {
    const char *name;
    double percent;
} percentiles[] = {{"latency-p50", 50},
                   {"latency-p90", 90},
                   {"latency-p99", 99},
                   {"latency-p99.9", 99.9},
                   {"latency-p99.99", 99.99}};
enum { PERCENTILES = sizeof percentiles / sizeof *percentiles };

static void ranges_print_one(struct buffer *out, const struct tracked_run *r,
                             const struct gap *range)
{
    if (out->len > 0)
        buffer_puts(out, " ");
    if (r) {
        buffer_append(out, (struct slice){r->label.data, r->label.len});
        buffer_puts(out, ":");
    }
    buffer_printf(out, "%" PRIu64, range->first);
    if (range->last > range->first)
        buffer_printf(out, "-%" PRIu64, range->last);
}

/* Prints the ranges of one run, at most `left`; returns how many more may be printed. */
static int ranges_print_run(const struct sequence_tracker *l, const struct tracked_run *r, int left,
                            struct buffer *out)
{
    struct gap range;
    uint64_t k = 0;
    while (sequence_tracker_find_range(l, r, k, &range)) {
        if (left-- == 0) {
            buffer_puts(out, " ...");
            return -1;
        }
        ranges_print_one(out, l->run_count > 1 ? r : NULL, &range);
        k = range.last + 1;
    }
    return left;
}

static void ranges_print(const struct verify_report *f, uint64_t expected, struct buffer *out)
{
    const struct sequence_tracker *l = &f->tracker;
    int left = RANGES;
    for (const struct tracked_run *r = l->last_run; r && left >= 0; r = r->previous)
        left = ranges_print_run(l, r, left, out);
    if (l->run_count == 0 && expected)
        ranges_print_one(out, NULL, &(struct gap){0, expected - 1});
    else if (l->unattributed || l->gaps.overflowed)
        buffer_puts(out, out->len > 0 ? " ?" : "?");
}

static void verify_report_add_ranges(const struct verify_report *f, uint64_t expected,
                                     struct values *v)
{
    static const char name[] = "missing-ranges";
    struct buffer ranges = {0};
    ranges_print(f, expected, &ranges);
    if (ranges.len > 0)
        values_add_text(v, name, (struct slice){ranges.data, ranges.len});
    else
        values_add_absent(v, name, VALUE_TEXT);
    buffer_free(&ranges);
}

static void verify_report_add_messages(const struct verify_report *f, uint64_t expected,
                                       struct values *v)
{
    values_add_count(v, "runs", f->tracker.run_count);
    values_add_count(v, "connections", f->tracker.seen_connections);
    values_add_count(v, "missing", sequence_tracker_count_missing(&f->tracker));
    verify_report_add_ranges(f, expected, v);
    values_add_count(v, "duplicated", f->duplicated);
    values_add_count(v, "reordered", f->reordered);
    values_add_count(v, "damaged", f->damaged);
    values_add_count(v, "foreign", f->foreign);
}

static void verify_report_add_latency(const struct histogram *h, const char *name, uint64_t micros,
                                      struct values *v)
{
    if (h->total)
        values_add_duration(v, name, micros * 1000);
    else
        values_add_absent(v, name, VALUE_DURATION);
}

static void verify_report_add_latency_summary(const struct verify_report *f, struct values *v)
{
    uint64_t mean = (uint64_t)(histogram_mean(&f->latency) + 0.5);
    values_add_count(v, "latency-count", f->latency.total);
    values_add_count(v, "latency-negative", f->negative_latencies);
    verify_report_add_latency(&f->latency, "latency-mean", mean, v);
}

static void verify_report_add_percentiles(const struct histogram *h, struct values *v)
{
    for (size_t i = 0; i < PERCENTILES; i++)
        verify_report_add_latency(h, percentiles[i].name,
                                  histogram_percentile(h, percentiles[i].percent), v);
    verify_report_add_latency(h, "latency-max", histogram_max(h), v);
}

void verify_report_build(const struct verify_report *f, uint64_t expected, struct values *v)
{
    values_add_count(v, "received", f->received);
    verify_report_add_messages(f, expected, v);
    verify_report_add_latency_summary(f, v);
    verify_report_add_percentiles(&f->latency, v);
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

void verify_report_build_total_row(const struct verify_report *f, uint64_t expected, double rate,
                                   struct values *row)
{
    values_add_text(row, "seconds", (struct slice){"total", strlen("total")});
    values_add_count(row, "received", f->received);
    values_add_rate(row, "rate", rate, 1);
    verify_report_add_percentiles(&f->latency, row);
    verify_report_add_messages(f, expected, row);
    verify_report_add_latency_summary(f, row);
}
