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
#include "syslog/timestamp.h"
#include "verify/record-decode.h"
#include "verify/verify-report.h"

enum { BLOCK_SIZE = 256 * 1024 };

struct verify {
    const struct verify_config *config;
    const char *run; /* NULL: messages of any run count */
    struct series series;
    struct histogram *latency; /* what is recorded, microseconds */
    struct histogram *spare;   /* takes its place at the end of an interval; or NULL */
    pthread_mutex_t lock;      /* between who reads and who looks */
    struct findings found;
    struct reader reader;
    struct timestamp_reader clock;
    struct stats stats;
    struct signals signals;
    struct rate_limit complaints;
    struct output json;
    struct output hgrm;
    char *block;
    uint64_t now; /* clock_real, when the block was read; 0: it tells no latency */
    bool failed;
};

/* A number as spamlog writes it. */
static bool read_number(struct slice text, uint64_t *number)
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

static bool whole(const struct mark_values *v)
{
    char sum[MARK_SUM_DIGITS];
    mark_write_sum(sum, mark_sum(mark_sum_of_run(v), v));
    return slice_equal(v->sum, (struct slice){sum, sizeof sum});
}

static bool read_mark(const struct mark_values *v, struct entry *e)
{
    e->run = v->run;
    return whole(v) && read_number(v->connection, &e->connection) && read_number(v->of, &e->of) &&
           read_number(v->number, &e->number) && e->of > 0;
}

static bool read_msgid(const struct verify *v, struct slice msgid, struct entry *e)
{
    uint64_t k;
    if (!read_number(msgid, &k))
        return false;
    e->of = v->config->connections;
    e->connection = k % e->of;
    e->number = k / e->of;
    return true;
}

static void take_latency(struct verify *v, struct slice timestamp)
{
    uint64_t due;
    if (!v->now || !timestamp.data || !timestamp_read(&v->clock, timestamp, &due))
        return;
    if (due > v->now)
        v->found.negative++;
    histogram_record(v->latency, due < v->now ? (v->now - due) / 1000 : 0);
}

/* False where there cannot be such a message, or no room is left for its run. */
static bool take_entry(struct verify *v, const struct entry *e, struct slice timestamp)
{
    struct findings *f = &v->found;
    if (v->run && !slice_equal(e->run, (struct slice){v->run, strlen(v->run)}))
        return true;
    switch (ledger_take(&f->ledger, e)) {
    case LEDGER_REFUSED:
        return false;
    case LEDGER_REPEATED:
        f->duplicated++;
        break;
    case LEDGER_LATE:
        f->reordered++;
        take_latency(v, timestamp);
        break;
    case LEDGER_NEW:
        take_latency(v, timestamp);
        break;
    }
    f->received++;
    counter_add(&v->stats.out, 1);
    return true;
}

static void damaged(struct verify *v, const char *name, const struct frame *frame)
{
    v->found.damaged++;
    counter_add(&v->stats.rejected, 1);
    log_rejected(&v->complaints, name, frame->number, &frame->defect);
}

/* What it is, in `e`; a defect where it is damaged. */
static enum reading identify(struct verify *v, struct frame *frame, struct mark_values *values,
                             struct entry *e)
{
    enum reading got = reading(&v->reader, frame->message, values, &frame->defect);
    *e = (struct entry){0};
    if (got == READING_MARKED) {
        frame->defect = (struct defect){MARK_ID, "the checksum is another", 0};
        return read_mark(values, e) ? READING_MARKED : READING_DAMAGED;
    }
    if (got != READING_DAMAGED && v->config->marked) {
        frame->defect = (struct defect){MARK_ID, "there is no checksum", 0};
        return READING_DAMAGED;
    }
    e->hostname = values->hostname;
    e->procid = values->procid;
    if (got == READING_PLAIN && !read_msgid(v, values->msgid, e))
        return READING_FOREIGN;
    return got;
}

static void take_message(struct verify *v, const char *name, struct frame *frame)
{
    struct mark_values values;
    struct entry e;
    enum reading got = identify(v, frame, &values, &e);
    if (got == READING_DAMAGED)
        damaged(v, name, frame);
    else if (got == READING_FOREIGN || !take_entry(v, &e, values.timestamp))
        v->found.foreign++;
}

/* False where nothing more can be told apart. */
static bool take_frame(struct verify *v, const char *name, enum frame_kind kind,
                       struct frame *frame)
{
    counter_add(&v->stats.in, 1);
    if (kind == FRAME_MESSAGE)
        take_message(v, name, frame);
    else
        damaged(v, name, frame);
    return kind != FRAME_BROKEN;
}

static bool all_came(const struct verify *v)
{
    return v->config->expect && v->found.received - v->found.duplicated >= v->config->expect;
}

bool verify_block(struct verify *v, struct input *in, struct framer *f, const char *name)
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
    v->now = in->live ? clock_real() : 0;
    counter_add(&v->stats.bytes, (uint64_t)n);
    rate_limit_poll(&v->complaints);
    framer_feed(f, (struct slice){v->block, (size_t)n});
    pthread_mutex_lock(&v->lock);
    bool on = true;
    while (on && (kind = framer_next(f, &frame)) != FRAME_NONE)
        on = take_frame(v, name, kind, &frame);
    pthread_mutex_unlock(&v->lock);
    if (in->live && !in->limited && all_came(v))
        input_limit(in); /* what has come as well may be a repetition */
    return on;
}

/* False where it was not the end of the input that ended it. */
static bool read_input(struct verify *v, int fd, const char *name)
{
    struct input in;
    struct framer f;
    struct frame frame;
    enum input_state state;
    uint64_t idle = v->config->idle ? (v->config->idle - 1) / 1000000 + 1 : 0;
    input_init(&in, fd);
    framer_init(&f, FRAMING_AUTO, VERIFY_LINE_MAX, false);
    while ((state = input_wait(&in, &v->signals, framer_mid_message(&f), idle ? (int)idle : -1)) ==
               INPUT_READY &&
           verify_block(v, &in, &f, name))
        ;
    enum frame_kind kind = framer_end(&f, state == INPUT_READY, &frame);
    pthread_mutex_lock(&v->lock);
    if (kind != FRAME_NONE)
        take_frame(v, name, kind, &frame);
    pthread_mutex_unlock(&v->lock);
    framer_free(&f);
    return state == INPUT_READY && !all_came(v);
}

static bool read_file(struct verify *v, const char *path)
{
    if (strcmp(path, "-") == 0)
        return read_input(v, STDIN_FILENO, "stdin");
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        log_printf("%s: %m", path);
        v->failed = true;
        return true;
    }
    bool on = read_input(v, fd, path);
    close(fd);
    return on;
}

static void read_all(struct verify *v)
{
    if (v->config->file_count == 0)
        read_file(v, "-");
    for (int i = 0; i < v->config->file_count && !signals_stopping(&v->signals); i++)
        if (!read_file(v, v->config->files[i]))
            break;
}

/* The latencies of the interval that is over; they are added to all of them. */
static struct histogram *take_interval(struct verify *v, uint64_t *different)
{
    pthread_mutex_lock(&v->lock);
    struct histogram *taken = v->latency;
    v->latency = v->spare;
    *different = v->found.received - v->found.duplicated;
    pthread_mutex_unlock(&v->lock);
    histogram_add(&v->found.latency, taken);
    return taken;
}

static void look(void *of, const struct interval *i, struct buffer *row, struct live *live)
{
    struct verify *v = of;
    uint64_t different;
    uint64_t expect = v->config->expect;
    struct histogram *h = take_interval(v, &different);
    findings_interval(h, row);
    live->done = "received";
    live->all = expect;
    live->late = "p99";
    live->lateness = h->total ? histogram_percentile(h, 99) * 1000 : LIVE_UNKNOWN;
    if (expect)
        live->share = (double)different / (double)expect;
    if (expect && different)
        live->left =
            different < expect
                ? (uint64_t)((double)(expect - different) * (double)i->end / (double)different)
                : 0;
    memset(h, 0, sizeof *h);
    v->spare = h;
}

static bool write_text(struct slice report_text)
{
    struct output out;
    output_init(&out, STDOUT_FILENO, "stdout");
    buffer_append(&out.buffer, report_text);
    return output_close(&out);
}

static bool write_report(struct verify *v)
{
    struct buffer text = {0};
    bool good = true;
    findings_print(&v->found, v->config->expect, &text);
    struct slice report_text = {text.data, text.len};
    if (v->series.csv.fd != STDOUT_FILENO && v->hgrm.fd != STDOUT_FILENO &&
        v->json.fd != STDOUT_FILENO)
        good = write_text(report_text);
    if (v->series.csv.fd >= 0)
        findings_total(report_text, series_rate(&v->series), &v->series.csv.buffer);
    if (v->json.fd >= 0) {
        findings_json(report_text, &v->json.buffer);
        good = output_close(&v->json) && good;
    }
    if (v->hgrm.fd >= 0) {
        histogram_print(&v->found.latency, &v->hgrm.buffer);
        good = output_close(&v->hgrm) && good;
    }
    buffer_free(&text);
    return series_close(&v->series) && good;
}

static int conclude(struct verify *v)
{
    const struct findings *f = &v->found;
    series_end(&v->series);
    ledger_close(&v->found.ledger, v->config->expect);
    rate_limit_flush(&v->complaints);
    if (f->ledger.full)
        log_printf("too many runs or connections: the messages of the rest count as foreign");
    if (f->ledger.gaps.forgot)
        log_printf(
            "too many gaps: not all ranges are told; missing and duplicated are upper bounds");
    bool good =
        series_draw(&v->series, f->latency.total ? PLOT_LATENCY : PLOT_NOTHING, "spamlog --verify");
    good = write_report(v) && good && !v->failed;
    signals_close(&v->signals);
    bool clean = !ledger_missing(&f->ledger) && !f->duplicated && !f->damaged && !f->ledger.full;
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
    v->latency = &v->found.latency;
    pthread_mutex_init(&v->lock, NULL);
    v->complaints.quiet = config->quiet;
    crc32c_prepare();
    ledger_start(&v->found.ledger);
    return v;
}

struct stats *verify_stats(struct verify *v)
{
    return &v->stats;
}

const struct findings *verify_only(struct verify *v, const char *run)
{
    ledger_free(&v->found.ledger);
    v->found = (struct findings){0};
    ledger_start(&v->found.ledger);
    v->run = run;
    return &v->found;
}

void verify_free(struct verify *v)
{
    series_close(&v->series);
    ledger_free(&v->found.ledger);
    reader_free(&v->reader);
    if (v->spare) {
        free(v->latency);
        free(v->spare);
    }
    free(v->block);
    free(v);
}

/* Where nobody looks, all latencies are recorded in one place. */
static bool prepare(struct verify *v)
{
    struct watched w = {findings_columns, &v->stats.out, look, v};
    if (!series_open(&v->series, &v->config->series, &w, true) ||
        !output_open_truncate(&v->json, "--json", v->config->json) ||
        !output_open_truncate(&v->hgrm, "--hgrm", v->config->hgrm))
        return false;
    if (!series_wanted(&v->series))
        return true;
    struct histogram *two[] = {calloc(1, sizeof **two), calloc(1, sizeof **two)};
    if (!two[0] || !two[1]) {
        free(two[0]);
        free(two[1]);
        log_printf("out of memory");
        return false;
    }
    v->latency = two[0];
    v->spare = two[1];
    return true;
}

int verify_run(const struct verify_config *config)
{
    struct verify *v = verify_new(config);
    int status = STATUS_FAILED;
    if (!v)
        return status;
    if (prepare(v) && signals_open(&v->signals, &v->stats, config->stats_interval) &&
        series_start(&v->series, v->stats.started_ns)) {
        read_all(v);
        status = conclude(v);
    }
    verify_free(v);
    return status;
}
