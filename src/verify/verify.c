#include "verify/verify.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/exit-status.h"
#include "base/input.h"
#include "base/log.h"
#include "base/output.h"
#include "base/signals.h"
#include "verify/reader.h"

struct verify {
    const struct verify_config *config;
    struct reader *reader;
    struct sampler sampler;
    struct signals signals;
    struct reader_interval interval; /* the last one; used by the sampler's thread */
    struct output json;
    struct output hgrm;
    bool failed;
};

static bool verify_is_complete(const struct verify *v)
{
    uint64_t expected = v->config->expected;
    return expected && verify_report_count_distinct(&v->reader->report) >= expected;
}

/* Returns false if no further file is to be read: complete, idle, or stopped by a signal. */
static bool verify_read_input(struct verify *v, int fd, const char *name)
{
    struct input in;
    struct framer f;
    enum input_state state;
    uint64_t timeout_ns = v->config->idle_timeout_ns;
    int timeout_ms = timeout_ns ? (int)((timeout_ns - 1) / 1000000 + 1) : -1;
    bool more = true;
    input_init(&in, fd);
    framer_init(&f, FRAMING_AUTO, READER_MAX_MESSAGE, false);
    while (more && (state = input_wait(&in, &v->signals, framer_mid_message(&f), timeout_ms)) ==
                       INPUT_READY) {
        more = reader_read_block(v->reader, &in, &f, name);
        /* Data that has arrived by now is read: it may contain duplicates. */
        if (in.live && !in.limited && verify_is_complete(v))
            input_limit(&in);
    }
    reader_end_input(v->reader, &f, state == INPUT_READY, name);
    framer_free(&f);
    return state == INPUT_READY && !verify_is_complete(v);
}

static bool verify_read_file(struct verify *v, const char *path)
{
    if (strcmp(path, "-") == 0)
        return verify_read_input(v, STDIN_FILENO, "stdin");
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        log_printf("%s: %m", path);
        v->failed = true;
        return true;
    }
    bool more = verify_read_input(v, fd, path);
    close(fd);
    return more;
}

static void verify_read_all(struct verify *v)
{
    const struct verify_config *c = v->config;
    if (c->file_count == 0)
        verify_read_file(v, "-");
    for (int i = 0; i < c->file_count && !signals_stopping(&v->signals); i++)
        if (!verify_read_file(v, c->files[i]))
            break;
}

static uint64_t verify_end_interval(void *context)
{
    struct verify *v = context;
    v->interval = reader_take_interval(v->reader);
    return v->interval.received;
}

static void verify_on_sample(void *context, const struct sample *sample, struct values *row,
                             struct status_line *status)
{
    const struct verify *v = context;
    uint64_t expected = v->config->expected;
    uint64_t distinct = v->interval.distinct;
    const struct histogram *latency = v->interval.latency;
    verify_report_add_interval(latency, row);
    status->verb = "received";
    status->total = expected;
    status->latency_name = "p99";
    if (latency->total)
        status->latency_ns = histogram_percentile(latency, 99) * 1000;
    if (expected)
        status->fraction_done = (double)distinct / (double)expected;
    if (expected && distinct >= expected)
        status->remaining_ns = 0;
    else if (expected && distinct)
        status->remaining_ns =
            (uint64_t)((double)(expected - distinct) * (double)sample->end_ns / (double)distinct);
}

static bool verify_print_report(const struct values *report)
{
    struct output out;
    output_init(&out, STDOUT_FILENO, "stdout");
    values_print_text(report, &out.buffer);
    return output_close(&out);
}

static void verify_write_total_row(struct verify *v)
{
    struct values row = {0};
    verify_report_build_total_row(&v->reader->report, v->config->expected,
                                  sampler_mean_rate(&v->sampler), &row);
    values_print_csv_row(&row, &v->sampler.csv.buffer);
    values_free(&row);
}

/* The report is text, unless another output uses stdout. */
static bool verify_write_reports(struct verify *v)
{
    struct values report = {0};
    bool ok = true;
    verify_report_build(&v->reader->report, v->config->expected, &report);
    if (v->sampler.csv.fd != STDOUT_FILENO && v->hgrm.fd != STDOUT_FILENO &&
        v->json.fd != STDOUT_FILENO)
        ok = verify_print_report(&report);
    if (v->sampler.csv.fd >= 0)
        verify_write_total_row(v);
    if (v->json.fd >= 0) {
        values_print_json(&report, &v->json.buffer);
        ok = output_close(&v->json) && ok;
    }
    if (v->hgrm.fd >= 0) {
        histogram_print(&v->reader->report.latency, &v->hgrm.buffer);
        ok = output_close(&v->hgrm) && ok;
    }
    values_free(&report);
    return sampler_close(&v->sampler) && ok;
}

static int verify_finish(struct verify *v)
{
    const struct verify_report *report = &v->reader->report;
    sampler_finish(&v->sampler);
    reader_finish(v->reader, v->config->expected);
    verify_report_log_limits(report);
    bool ok = sampler_plot(&v->sampler, report->latency.total ? PLOT_LATENCY : PLOT_RATE_ONLY,
                           "spamlog --verify");
    ok = verify_write_reports(v) && ok && !v->failed && !v->reader->failed;
    signals_close(&v->signals);
    return !ok ? STATUS_FAILED : verify_report_is_clean(report) ? STATUS_OK : STATUS_REJECTED;
}

static bool verify_open_outputs(struct verify *v)
{
    const struct verify_config *c = v->config;
    struct sampler_source source = {"received", verify_end_interval, verify_on_sample, v};
    struct values columns = {0};
    verify_report_add_interval(&v->reader->report.latency, &columns);
    bool ok = sampler_open(&v->sampler, &c->sampler, &source, &columns, true);
    values_free(&columns);
    return ok && output_open_truncate(&v->json, "--json", c->json_path) &&
           output_open_truncate(&v->hgrm, "--hgrm", c->hgrm_path) &&
           (!sampler_is_enabled(&v->sampler) || reader_enable_intervals(v->reader));
}

int verify_run(const struct verify_config *config)
{
    struct reader_config reader_config = {.require_checksum = config->require_checksum,
                                          .connection_count = config->connection_count,
                                          .quiet = config->quiet};
    struct verify v = {.config = config, .reader = reader_new(&reader_config)};
    int status = STATUS_FAILED;
    if (!v.reader)
        return status;
    if (verify_open_outputs(&v) &&
        signals_open(&v.signals, &v.reader->stats, config->stats_interval_ns) &&
        sampler_start_thread(&v.sampler, v.reader->stats.started_ns)) {
        verify_read_all(&v);
        status = verify_finish(&v);
    }
    sampler_close(&v.sampler);
    reader_destroy(v.reader);
    return status;
}
