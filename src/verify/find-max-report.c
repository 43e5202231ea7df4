#include "verify/find-max-report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/number.h"
#include "report/values.h"

void find_max_report_print_duration(struct buffer *out, uint64_t us)
{
    double seconds = (double)us / 1e6;
    char number[NUMBER_SIZE];
    if (us < 1000000)
        buffer_printf(out, "%.3g ms", (double)us / 1e3);
    else if (seconds < 999.5)
        buffer_printf(out, "%.3g s", seconds);
    else
        buffer_printf(out, "%s s", number_format_real(number, seconds));
}

static void find_max_report_build_row(unsigned number, uint64_t rate, const char *limit,
                                      const struct trial_result *t, struct values *row)
{
    const char *result = limit ? limit : "held";
    values_add_count(row, "trial", number);
    values_add_rate(row, "rate", (double)rate, 0);
    values_add_text(row, "result", (struct slice){result, strlen(result)});
    values_add_count(row, "sent", t->sent);
    values_add_count(row, "lost", t->lost);
    values_add_count(row, "duplicated", t->duplicated);
    values_add_count(row, "damaged", t->damaged);
    values_add_duration(row, "lag", t->lag_ns);
    values_add_duration(row, "latency-p50", t->p50_us * 1000);
    values_add_duration(row, "latency-p99", t->p99_us * 1000);
    values_add_duration(row, "latency-max", t->max_us * 1000);
}

static bool find_max_report_write_header(struct find_max_report *r)
{
    static const struct trial_result no_result;
    struct values columns = {0};
    find_max_report_build_row(0, 0, NULL, &no_result, &columns);
    values_print_csv_header(&columns, &r->csv.buffer);
    values_free(&columns);
    return output_flush(&r->csv);
}

bool find_max_report_open(struct find_max_report *r, const struct find_max_report_config *config)
{
    *r = (struct find_max_report){.config = config,
                                  .csv = {.fd = -1},
                                  .json = {.fd = -1},
                                  .plot = {.rows = {.fd = -1}, .svg = {.fd = -1}}};
    return plot_open(&r->plot, config->plot_path) &&
           output_open_truncate(&r->csv, "--csv", config->csv_path) &&
           output_open_truncate(&r->json, "--json", config->json_path) &&
           (r->csv.fd < 0 || find_max_report_write_header(r));
}

void find_max_report_add_trial(struct find_max_report *r, unsigned number, uint64_t rate,
                               const char *limit, const struct trial_result *t)
{
    struct values row = {0};
    find_max_report_build_row(number, rate, limit, t, &row);
    plot_add_row(&r->plot, &row, number);
    if (r->csv.fd >= 0) {
        values_print_csv_row(&row, &r->csv.buffer);
        output_flush(&r->csv);
    }
    values_free(&row);
}

static void find_max_report_add_rate(struct values *v, const char *name, uint64_t per_second)
{
    if (per_second)
        values_add_rate(v, name, (double)per_second, 0);
    else
        values_add_absent(v, name, VALUE_RATE);
}

static void find_max_report_add_latency(struct values *v, const char *name,
                                        const struct find_max_result *result, uint64_t us)
{
    if (result->best_rate)
        values_add_duration(v, name, us * 1000);
    else
        values_add_absent(v, name, VALUE_DURATION);
}

static void find_max_report_build(const struct find_max_result *result, struct values *v)
{
    find_max_report_add_rate(v, "rate", result->best_rate);
    find_max_report_add_rate(v, "failed-rate", result->failed_rate);
    if (result->limit)
        values_add_text(v, "limit", (struct slice){result->limit, strlen(result->limit)});
    else
        values_add_absent(v, "limit", VALUE_TEXT);
    find_max_report_add_latency(v, "latency-p50", result, result->best.p50_us);
    find_max_report_add_latency(v, "latency-p99", result, result->best.p99_us);
    find_max_report_add_latency(v, "latency-max", result, result->best.max_us);
    values_add_count(v, "trials", result->trials);
}

static bool find_max_report_print(const struct find_max_report *r,
                                  const struct find_max_result *result, const struct values *v)
{
    struct output out;
    char number[NUMBER_SIZE];
    output_init(&out, STDOUT_FILENO, "stdout");
    buffer_puts(&out.buffer, "highest rate at which nothing is lost and p99 stays under ");
    find_max_report_print_duration(&out.buffer, r->config->max_latency_ns / 1000);
    buffer_puts(&out.buffer, ": ");
    if (result->best_rate)
        buffer_printf(&out.buffer, "%s/s\n", number_format(number, result->best_rate));
    else
        buffer_puts(&out.buffer, "none\n");
    values_print_text(v, &out.buffer);
    return output_close(&out);
}

bool find_max_report_write(struct find_max_report *r, const struct find_max_result *result)
{
    char title[512];
    struct values v = {0};
    bool ok = true;
    find_max_report_build(result, &v);
    if (r->csv.fd != STDOUT_FILENO && r->json.fd != STDOUT_FILENO)
        ok = find_max_report_print(r, result, &v);
    if (r->json.fd >= 0)
        values_print_json(&v, &r->json.buffer);
    values_free(&v);
    snprintf(title, sizeof title, "spamlog --find-max: latency by rate to %s",
             r->config->destination);
    return plot_draw_trials(&r->plot, title, r->config->max_latency_ns, result->best_rate) && ok;
}

bool find_max_report_close(struct find_max_report *r)
{
    bool ok = r->csv.fd < 0 || output_close(&r->csv);
    ok = (r->json.fd < 0 || output_close(&r->json)) && ok;
    r->csv.fd = r->json.fd = -1;
    return plot_close(&r->plot) && ok;
}
