#include "verify/verify-report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "json/escape.h"

enum { RANGES = 20 };

/* In the order of the row. */
static const struct {
    const char *name;
    double percent;
} percentiles[] = {{"p50", 50}, {"p90", 90}, {"p99", 99}, {"p99.9", 99.9}, {"p99.99", 99.99}};
enum { PERCENTILES = sizeof percentiles / sizeof *percentiles };

#define ONLY_TOTAL                                                                                 \
    "runs,connections,missing,missing-ranges,duplicated,reordered,damaged,foreign,"                \
    "latency-count,latency-negative,latency-mean-seconds"

const char findings_columns[] =
    "seconds,received,rate-per-second,latency-p50-seconds,latency-p90-seconds,latency-p99-seconds,"
    "latency-p99.9-seconds,latency-p99.99-seconds,latency-max-seconds," ONLY_TOTAL "\n";

__attribute__((format(printf, 2, 3))) static void add(struct buffer *out, const char *format, ...)
{
    enum { LINE = 1024 };
    va_list values;
    va_start(values, format);
    char *to = buffer_reserve(out, LINE);
    int length = vsnprintf(to, LINE, format, values);
    buffer_commit(out, to + (length < LINE ? length : LINE - 1));
    va_end(values);
}

static void add_range(struct buffer *out, const char *label, const struct gap *range)
{
    add(out, label ? " %s:%" PRIu64 : "%s %" PRIu64, label ? label : "", range->first);
    if (range->last > range->first)
        add(out, "-%" PRIu64, range->last);
}

/* Of a run; gives how many more may be told. */
static int add_ranges(const struct ledger *l, const struct run *r, int left, struct buffer *out)
{
    struct gap range;
    uint64_t k = 0;
    while (ledger_range(l, r, k, &range)) {
        if (left-- == 0) {
            add(out, " ...");
            return -1;
        }
        add_range(out, l->runs > 1 ? r->label : NULL, &range);
        k = range.last + 1;
    }
    return left;
}

static void ranges(const struct findings *f, uint64_t expected, struct buffer *out)
{
    const struct ledger *l = &f->ledger;
    int left = RANGES;
    add(out, "missing-ranges:");
    size_t start = out->len;
    for (const struct run *r = l->last; r && left >= 0; r = r->before)
        left = add_ranges(l, r, left, out);
    if (l->runs == 0 && expected)
        add_range(out, NULL, &(struct gap){0, expected - 1});
    else if (l->unnamed || l->gaps.forgot)
        add(out, " ?");
    add(out, out->len == start ? " -\n" : "\n");
}

static void latency(const struct histogram *h, const char *name, uint64_t micros,
                    struct buffer *out)
{
    if (h->total)
        add(out, "latency-%s: %.6f\n", name, (double)micros / 1e6);
    else
        add(out, "latency-%s: -\n", name);
}

static void latencies(const struct findings *f, struct buffer *out)
{
    const struct histogram *h = &f->latency;
    add(out, "latency-count: %" PRIu64 "\n", h->total);
    add(out, "latency-negative: %" PRIu64 "\n", f->negative);
    latency(h, "mean", (uint64_t)(histogram_mean(h) + 0.5), out);
    for (size_t i = 0; i < PERCENTILES; i++)
        latency(h, percentiles[i].name, histogram_percentile(h, percentiles[i].percent), out);
    latency(h, "max", histogram_greatest(h), out);
}

void findings_print(const struct findings *f, uint64_t expected, struct buffer *out)
{
    add(out, "received: %" PRIu64 "\n", f->received);
    add(out, "runs: %" PRIu64 "\n", f->ledger.runs);
    add(out, "connections: %" PRIu64 "\n", f->ledger.seen);
    add(out, "missing: %" PRIu64 "\n", ledger_missing(&f->ledger));
    ranges(f, expected, out);
    add(out, "duplicated: %" PRIu64 "\n", f->duplicated);
    add(out, "reordered: %" PRIu64 "\n", f->reordered);
    add(out, "damaged: %" PRIu64 "\n", f->damaged);
    add(out, "foreign: %" PRIu64 "\n", f->foreign);
    latencies(f, out);
}

static void csv_value(struct slice value, struct buffer *out)
{
    if (value.len == 1 && *value.data == '-')
        return;
    bool quote = memchr(value.data, ',', value.len) || memchr(value.data, '"', value.len);
    char *to = buffer_reserve(out, 2 * value.len + 2);
    if (quote)
        *to++ = '"';
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] == '"')
            *to++ = '"';
        *to++ = value.data[i];
    }
    if (quote)
        *to++ = '"';
    buffer_commit(out, to);
}

static void csv_seconds(const struct histogram *h, uint64_t micros, struct buffer *out)
{
    if (h->total)
        add(out, ",%.6f", (double)micros / 1e6);
    else
        add(out, ",");
}

void findings_interval(const struct histogram *latency, struct buffer *out)
{
    for (size_t i = 0; i < PERCENTILES; i++)
        csv_seconds(latency, histogram_percentile(latency, percentiles[i].percent), out);
    csv_seconds(latency, histogram_greatest(latency), out);
    add(out, ",");
    for (const char *p = ONLY_TOTAL; *p; p++)
        if (*p == ',')
            add(out, ",");
}

/* What stands behind "name: "; the name of the column has its unit, too. */
static struct slice value_of(struct slice report, struct slice column)
{
    static const char unit[] = "-seconds";
    size_t length = sizeof unit - 1;
    if (column.len > length && memcmp(column.data + column.len - length, unit, length) == 0)
        column.len -= length;
    const char *end = report.data + report.len;
    for (const char *p = report.data; p < end;) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        const char *colon = memchr(p, ':', (size_t)(lf - p));
        if (slice_equal(slice_between(p, colon), column))
            return slice_between(colon + 2, lf);
        p = lf + 1;
    }
    return (struct slice){0};
}

void findings_total(struct slice report, double rate, struct buffer *out)
{
    static const char total[] = "total";
    const char *p = findings_columns;
    csv_value((struct slice){total, sizeof total - 1}, out);
    while (*(p += strcspn(p, ",\n")) == ',') {
        struct slice column = {p + 1, strcspn(p + 1, ",\n")};
        add(out, ",");
        if (strncmp(column.data, "rate", 4) == 0)
            add(out, "%.1f", rate);
        else
            csv_value(value_of(report, column), out);
        p++;
    }
    add(out, "\n");
}

static void json_value(struct slice name, struct slice value, struct buffer *out)
{
    static const char ranges_name[] = "missing-ranges";
    bool text = slice_equal(name, (struct slice){ranges_name, sizeof ranges_name - 1});
    if (value.len == 1 && *value.data == '-')
        add(out, "null");
    else if (text)
        buffer_commit(out, json_quote(buffer_reserve(out, JSON_STRING_ROOM(value.len)), value));
    else
        buffer_append(out, value);
}

void findings_json(struct slice report, struct buffer *out)
{
    const char *end = report.data + report.len;
    for (const char *p = report.data; p < end;) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        const char *colon = memchr(p, ':', (size_t)(lf - p));
        struct slice name = slice_between(p, colon);
        add(out, "%c\"%.*s\":", p == report.data ? '{' : ',', (int)name.len, name.data);
        json_value(name, slice_between(colon + 2, lf), out);
        p = lf + 1;
    }
    add(out, "}\n");
}
