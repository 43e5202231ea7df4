#include "verify/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/defect.h"
#include "base/exit-status.h"
#include "base/input.h"
#include "base/log.h"
#include "base/output.h"
#include "base/rate-limit.h"
#include "load/crc32c.h"
#include "syslog/field-parse.h"
#include "syslog/frame.h"
#include "syslog/instant.h"
#include "verify/record-decode.h"
#include "verify/verify-report.h"

enum { BLOCK_SIZE = 256 * 1024 };

struct verify {
    const struct verify_config *config;
    const char *only_run; /* NULL: messages of any run count */
    struct sampler sampler;
    struct histogram *latency;       /* what is recorded, microseconds */
    struct histogram *spare_latency; /* takes its place at the end of an interval; or NULL */
    pthread_mutex_t lock;            /* between who reads and who looks */
    struct verify_report report;
    struct record_decoder decoder;
    struct instant_reader timestamp_reader;
    struct stats stats;
    struct signals signals;
    struct rate_limit damage_limit;
    struct output json;
    struct output hgrm;
    char *block;
    uint64_t received_ns; /* clock_real, when the block was read; 0: it tells no latency */
    bool failed;
};

/* A number as spamlog writes it. */
static bool number_parse(struct slice text, uint64_t *number)
{
    enum { DIGITS = 15 };
    uint64_t n = 0;
    if (text.len == 0 || text.len > DIGITS || (*text.data == '0' && text.len > 1))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (!is_digit(text.data[i]))
            return false;
        n = n * 10 + (uint64_t)(text.data[i] - '0');
    }
    *number = n;
    return true;
}

static bool sequence_crc_matches(const struct sequence_values *v)
{
    char sum[SEQUENCE_CRC_DIGITS];
    sequence_write_crc(sum, sequence_compute_crc(sequence_compute_shared_crc(v), v));
    return slice_equal(v->crc, (struct slice){sum, sizeof sum});
}

static bool tracked_message_from_sequence(const struct sequence_values *v,
                                          struct tracked_message *e)
{
    e->run = v->run;
    return sequence_crc_matches(v) && number_parse(v->connection, &e->connection) &&
           number_parse(v->connection_count, &e->connection_count) &&
           number_parse(v->number, &e->number) && e->connection_count > 0;
}

static bool tracked_message_from_msgid(const struct verify *v, struct slice msgid,
                                       struct tracked_message *e)
{
    uint64_t k;
    if (!number_parse(msgid, &k))
        return false;
    e->connection_count = v->config->connection_count;
    e->connection = k % e->connection_count;
    e->number = k / e->connection_count;
    return true;
}

static void verify_record_latency(struct verify *v, struct slice timestamp)
{
    uint64_t due;
    if (!v->received_ns || !timestamp.data || !instant_read(&v->timestamp_reader, timestamp, &due))
        return;
    if (due > v->received_ns)
        v->report.negative_latencies++;
    histogram_record(v->latency, due < v->received_ns ? (v->received_ns - due) / 1000 : 0);
}

/* False where there cannot be such a message, or no room is left for its run. */
static bool verify_track_message(struct verify *v, const struct tracked_message *e,
                                 struct slice timestamp)
{
    struct verify_report *f = &v->report;
    if (v->only_run && !slice_equal(e->run, (struct slice){v->only_run, strlen(v->only_run)}))
        return true;
    switch (sequence_tracker_add(&f->tracker, e)) {
    case TRACKER_REJECTED:
        return false;
    case TRACKER_DUPLICATE:
        f->duplicated++;
        break;
    case TRACKER_REORDERED:
        f->reordered++;
        verify_record_latency(v, timestamp);
        break;
    case TRACKER_NEW:
        verify_record_latency(v, timestamp);
        break;
    }
    f->received++;
    counter_add(&v->stats.out, 1);
    return true;
}

static void verify_count_damaged(struct verify *v, const char *name, const struct frame *frame)
{
    v->report.damaged++;
    counter_add(&v->stats.rejected, 1);
    log_rejected(&v->damage_limit, name, frame->number, &frame->defect);
}

/* What it is, in `e`; a defect where it is damaged. */
static enum decode_result verify_decode_message(struct verify *v, struct frame *frame,
                                                struct sequence_values *values,
                                                struct tracked_message *e)
{
    enum decode_result got = record_decode(&v->decoder, frame->message, values, &frame->defect);
    *e = (struct tracked_message){0};
    if (got == DECODED_CHECKSUMMED) {
        frame->defect = (struct defect){SEQUENCE_SD_ID, "the checksum is another", 0};
        return tracked_message_from_sequence(values, e) ? DECODED_CHECKSUMMED : DECODED_DAMAGED;
    }
    if (got != DECODED_DAMAGED && v->config->require_checksum) {
        frame->defect = (struct defect){SEQUENCE_SD_ID, "there is no checksum", 0};
        return DECODED_DAMAGED;
    }
    e->hostname = values->hostname;
    e->procid = values->procid;
    if (got == DECODED_PLAIN && !tracked_message_from_msgid(v, values->msgid, e))
        return DECODED_FOREIGN;
    return got;
}

static void verify_take_message(struct verify *v, const char *name, struct frame *frame)
{
    struct sequence_values values;
    struct tracked_message e;
    enum decode_result got = verify_decode_message(v, frame, &values, &e);
    if (got == DECODED_DAMAGED)
        verify_count_damaged(v, name, frame);
    else if (got == DECODED_FOREIGN || !verify_track_message(v, &e, values.timestamp))
        v->report.foreign++;
}

/* False where nothing more can be told apart. */
static bool verify_take_frame(struct verify *v, const char *name, enum frame_kind kind,
                              struct frame *frame)
{
    counter_add(&v->stats.in, 1);
    if (kind == FRAME_MESSAGE)
        verify_take_message(v, name, frame);
    else
        verify_count_damaged(v, name, frame);
    return kind != FRAME_BROKEN;
}

static bool verify_is_complete(const struct verify *v)
{
    return v->config->expected && v->report.received - v->report.duplicated >= v->config->expected;
}

bool verify_read_block(struct verify *v, struct input *in, struct framer *f, const char *name)
{
    struct frame frame;
    enum frame_kind kind;
    ssize_t n = input_read(in, v->block, BLOCK_SIZE, framer_mid_message(f));
    if (n < 0 && errno == EAGAIN)
        return true;
    if (n < 0) {
        log_printf("%s: %m", name);
        v->failed = true;
    }
    if (n <= 0)
        return false;
    v->received_ns = in->live ? clock_real() : 0;
    counter_add(&v->stats.bytes, (uint64_t)n);
    rate_limit_poll(&v->damage_limit);
    framer_feed(f, (struct slice){v->block, (size_t)n});
    pthread_mutex_lock(&v->lock);
    bool on = true;
    while (on && (kind = framer_next(f, &frame)) != FRAME_NONE)
        on = verify_take_frame(v, name, kind, &frame);
    pthread_mutex_unlock(&v->lock);
    if (in->live && !in->limited && verify_is_complete(v))
        input_limit(in); /* what has come as well may be a repetition */
    return on;
}

/* False where it was not the end of the input that ended it. */
static bool verify_read_input(struct verify *v, int fd, const char *name)
{
    struct input in;
    struct framer f;
    struct frame frame;
    enum input_state state;
    uint64_t idle = v->config->idle_timeout_ns ? (v->config->idle_timeout_ns - 1) / 1000000 + 1 : 0;
    input_init(&in, fd);
    framer_init(&f, FRAMING_AUTO, VERIFY_LINE_MAX, false);
    while ((state = input_wait(&in, &v->signals, framer_mid_message(&f), idle ? (int)idle : -1)) ==
               INPUT_READY &&
           verify_read_block(v, &in, &f, name))
        ;
    enum frame_kind kind = framer_end(&f, state == INPUT_READY, &frame);
    pthread_mutex_lock(&v->lock);
    if (kind != FRAME_NONE)
        verify_take_frame(v, name, kind, &frame);
    pthread_mutex_unlock(&v->lock);
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
    bool on = verify_read_input(v, fd, path);
    close(fd);
    return on;
}

static void verify_read_all(struct verify *v)
{
    if (v->config->file_count == 0)
        verify_read_file(v, "-");
    for (int i = 0; i < v->config->file_count && !signals_stopping(&v->signals); i++)
        if (!verify_read_file(v, v->config->files[i]))
            break;
}

/* The latencies of the interval that is over; they are added to all of them. */
static struct histogram *verify_take_interval(struct verify *v, uint64_t *different)
{
    pthread_mutex_lock(&v->lock);
    struct histogram *taken = v->latency;
    v->latency = v->spare_latency;
    *different = v->report.received - v->report.duplicated;
    pthread_mutex_unlock(&v->lock);
    histogram_merge(&v->report.latency, taken);
    return taken;
}

static void verify_on_sample(void *of, const struct sample *i, struct values *row,
                             struct status_line *live)
{
    struct verify *v = of;
    uint64_t different;
    uint64_t expect = v->config->expected;
    struct histogram *h = verify_take_interval(v, &different);
    verify_report_add_interval(h, row);
    live->verb = "received";
    live->total = expect;
    live->latency_name = "p99";
    live->latency_ns = h->total ? histogram_percentile(h, 99) * 1000 : STATUS_LINE_UNKNOWN;
    if (expect)
        live->fraction_done = (double)different / (double)expect;
    if (expect && different)
        live->remaining_ns =
            different < expect
                ? (uint64_t)((double)(expect - different) * (double)i->end_ns / (double)different)
                : 0;
    memset(h, 0, sizeof *h);
    v->spare_latency = h;
}

static bool verify_write_text(const struct values *report)
{
    struct output out;
    output_init(&out, STDOUT_FILENO, "stdout");
    values_print_text(report, &out.buffer);
    return output_close(&out);
}

static void verify_write_total_row(struct verify *v)
{
    struct values row = {0};
    verify_report_build_total_row(&v->report, v->config->expected, sampler_mean_rate(&v->sampler),
                                  &row);
    values_print_csv_row(&row, &v->sampler.csv.buffer);
    values_free(&row);
}

static bool verify_write_report(struct verify *v)
{
    struct values report = {0};
    bool good = true;
    verify_report_build(&v->report, v->config->expected, &report);
    if (v->sampler.csv.fd != STDOUT_FILENO && v->hgrm.fd != STDOUT_FILENO &&
        v->json.fd != STDOUT_FILENO)
        good = verify_write_text(&report);
    if (v->sampler.csv.fd >= 0)
        verify_write_total_row(v);
    if (v->json.fd >= 0) {
        values_print_json(&report, &v->json.buffer);
        good = output_close(&v->json) && good;
    }
    if (v->hgrm.fd >= 0) {
        histogram_print(&v->report.latency, &v->hgrm.buffer);
        good = output_close(&v->hgrm) && good;
    }
    values_free(&report);
    return sampler_close(&v->sampler) && good;
}

static int verify_finish(struct verify *v)
{
    const struct verify_report *f = &v->report;
    sampler_finish(&v->sampler);
    sequence_tracker_finish(&v->report.tracker, v->config->expected);
    rate_limit_flush(&v->damage_limit);
    if (f->tracker.overflowed)
        log_printf("too many runs or connections: the messages of the rest count as foreign");
    if (f->tracker.gaps.overflowed)
        log_printf(
            "too many gaps: not all ranges are told; missing and duplicated are upper bounds");
    bool good = sampler_plot(&v->sampler, f->latency.total ? PLOT_LATENCY : PLOT_RATE_ONLY,
                             "spamlog --verify");
    good = verify_write_report(v) && good && !v->failed;
    signals_close(&v->signals);
    bool clean = !sequence_tracker_count_missing(&f->tracker) && !f->duplicated && !f->damaged &&
                 !f->tracker.overflowed;
    return !good ? STATUS_FAILED : clean ? STATUS_OK : STATUS_REJECTED;
}

struct verify *verify_new(const struct verify_config *config)
{
    struct verify *v = calloc(1, sizeof *v);
    char *block = malloc(BLOCK_SIZE);
    if (!v || !block) {
        log_printf("out of memory");
        free(block);
        free(v);
        return NULL;
    }
    v->config = config;
    v->block = block;
    v->latency = &v->report.latency;
    pthread_mutex_init(&v->lock, NULL);
    v->damage_limit.quiet = config->quiet;
    crc32c_init_tables();
    sequence_tracker_init(&v->report.tracker);
    return v;
}

struct stats *verify_stats(struct verify *v)
{
    return &v->stats;
}

const struct verify_report *verify_start_run(struct verify *v, const char *run)
{
    sequence_tracker_free(&v->report.tracker);
    v->report = (struct verify_report){0};
    sequence_tracker_init(&v->report.tracker);
    v->only_run = run;
    return &v->report;
}

void verify_destroy(struct verify *v)
{
    sampler_close(&v->sampler);
    sequence_tracker_free(&v->report.tracker);
    record_decoder_free(&v->decoder);
    if (v->spare_latency) {
        free(v->latency);
        free(v->spare_latency);
    }
    free(v->block);
    free(v);
}

/* Where nobody looks, all latencies are recorded in one place. */
static bool verify_open_outputs(struct verify *v)
{
    struct sampler_source w = {"received", &v->stats.out, verify_on_sample, v};
    struct values columns = {0};
    verify_report_add_interval(&v->report.latency, &columns);
    bool good = sampler_open(&v->sampler, &v->config->sampler, &w, &columns, true);
    values_free(&columns);
    if (!good || !output_open_truncate(&v->json, "--json", v->config->json_path) ||
        !output_open_truncate(&v->hgrm, "--hgrm", v->config->hgrm_path))
        return false;
    if (!sampler_is_enabled(&v->sampler))
        return true;
    struct histogram *two[] = {calloc(1, sizeof **two), calloc(1, sizeof **two)};
    if (!two[0] || !two[1]) {
        free(two[0]);
        free(two[1]);
        log_printf("out of memory");
        return false;
    }
    v->latency = two[0];
    v->spare_latency = two[1];
    return true;
}

int verify_run(const struct verify_config *config)
{
    struct verify *v = verify_new(config);
    int status = STATUS_FAILED;
    if (!v)
        return status;
    if (verify_open_outputs(v) && signals_open(&v->signals, &v->stats, config->stats_interval_ns) &&
        sampler_start_thread(&v->sampler, v->stats.started_ns)) {
        verify_read_all(v);
        status = verify_finish(v);
    }
    verify_destroy(v);
    return status;
}
