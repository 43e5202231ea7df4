#include "verify/reader.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/crc32c.h"
#include "base/defect.h"
#include "base/log.h"
#include "syslog/field-parse.h"

enum { BLOCK_SIZE = 256 * 1024 };

struct reader *reader_new(const struct reader_config *config)
{
    struct reader *r = calloc(1, sizeof *r);
    char *block = malloc(BLOCK_SIZE);
    if (!r || !block) {
        log_printf("out of memory");
        free(block);
        free(r);
        return NULL;
    }
    r->config = *config;
    r->block = block;
    r->latency = &r->report.latency;
    r->damage_limit.quiet = config->quiet;
    pthread_mutex_init(&r->lock, NULL);
    crc32c_init_tables();
    sequence_tracker_init(&r->report.tracker);
    return r;
}

void reader_destroy(struct reader *r)
{
    sequence_tracker_free(&r->report.tracker);
    record_decoder_free(&r->decoder);
    free(r->intervals);
    free(r->block);
    free(r);
}

void reader_start_run(struct reader *r, const char *run)
{
    sequence_tracker_free(&r->report.tracker);
    r->report = (struct verify_report){0};
    sequence_tracker_init(&r->report.tracker);
    r->only_run = run;
}

/* Accepts a number only as spamlog writes it. */
static bool reader_parse_number(struct slice text, uint64_t *number)
{
    enum { MAX_DIGITS = 15 };
    uint64_t n = 0;
    if (text.len == 0 || text.len > MAX_DIGITS || (*text.data == '0' && text.len > 1))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (!is_digit(text.data[i]))
            return false;
        n = n * 10 + (uint64_t)(text.data[i] - '0');
    }
    *number = n;
    return true;
}

static bool reader_crc_matches(const struct sequence_values *v)
{
    char crc[SEQUENCE_CRC_DIGITS];
    sequence_write_crc(crc, sequence_compute_crc(sequence_compute_shared_crc(v), v));
    return slice_equal(v->crc, (struct slice){crc, sizeof crc});
}

static bool reader_identify_checksummed(const struct sequence_values *v, struct tracked_message *m)
{
    *m = (struct tracked_message){.run = v->run};
    return reader_crc_matches(v) && reader_parse_number(v->connection, &m->connection) &&
           reader_parse_number(v->connection_count, &m->connection_count) &&
           reader_parse_number(v->number, &m->number) && m->connection_count > 0;
}

/* Without a checksum, MSGID counts the messages of a run. */
static bool reader_identify_plain(const struct reader *r, const struct sequence_values *v,
                                  struct tracked_message *m)
{
    uint64_t k;
    if (!reader_parse_number(v->msgid, &k))
        return false;
    *m = (struct tracked_message){.hostname = v->hostname,
                                  .procid = v->procid,
                                  .connection_count = r->config.connection_count,
                                  .connection = k % r->config.connection_count,
                                  .number = k / r->config.connection_count};
    return true;
}

/* Sets `m`, or the defect of the frame if the message is damaged. */
static enum decode_result reader_identify(struct reader *r, struct frame *frame,
                                          struct sequence_values *values, struct tracked_message *m)
{
    enum decode_result result = record_decode(&r->decoder, frame->message, values, &frame->defect);
    if (result == DECODED_CHECKSUMMED && !reader_identify_checksummed(values, m)) {
        frame->defect = (struct defect){SEQUENCE_SD_ID, "checksum does not match", 0};
        return DECODED_DAMAGED;
    }
    if ((result == DECODED_PLAIN || result == DECODED_FOREIGN) && r->config.require_checksum) {
        frame->defect = (struct defect){SEQUENCE_SD_ID, "checksum is missing", 0};
        return DECODED_DAMAGED;
    }
    if (result == DECODED_PLAIN && !reader_identify_plain(r, values, m))
        return DECODED_FOREIGN;
    return result;
}

static void reader_record_latency(struct reader *r, struct slice timestamp)
{
    uint64_t due_ns;
    uint64_t now_ns = r->block_time_ns;
    if (!now_ns || !timestamp.data || !timestamp_read(&r->timestamp_reader, timestamp, &due_ns))
        return;
    if (due_ns > now_ns)
        r->report.negative_latencies++;
    histogram_record(r->latency, due_ns < now_ns ? (now_ns - due_ns) / 1000 : 0);
}

/* Returns false if the tracker rejects the message. */
static bool reader_count_message(struct reader *r, const struct tracked_message *m,
                                 struct slice timestamp)
{
    struct verify_report *report = &r->report;
    if (r->only_run && !slice_equal(m->run, (struct slice){r->only_run, strlen(r->only_run)}))
        return true;
    switch (sequence_tracker_add(&report->tracker, m)) {
    case TRACKER_REJECTED:
        return false;
    case TRACKER_DUPLICATE:
        report->duplicated++;
        break;
    case TRACKER_REORDERED:
        report->reordered++;
        reader_record_latency(r, timestamp);
        break;
    case TRACKER_NEW:
        reader_record_latency(r, timestamp);
        break;
    }
    report->received++;
    counter_add(&r->stats.out, 1);
    return true;
}

static void reader_count_damaged(struct reader *r, const char *name, const struct frame *frame)
{
    r->report.damaged++;
    counter_add(&r->stats.rejected, 1);
    log_rejected(&r->damage_limit, name, frame->number, &frame->defect, "");
}

/* Returns false after a frame that cannot be resynchronized. */
static bool reader_count_frame(struct reader *r, const char *name, enum frame_kind kind,
                               struct frame *frame)
{
    struct sequence_values values;
    struct tracked_message m = {0};
    counter_add(&r->stats.in, 1);
    enum decode_result result =
        kind == FRAME_MESSAGE ? reader_identify(r, frame, &values, &m) : DECODED_DAMAGED;
    if (result == DECODED_DAMAGED)
        reader_count_damaged(r, name, frame);
    else if (result == DECODED_FOREIGN || !reader_count_message(r, &m, values.timestamp))
        r->report.foreign++;
    return kind != FRAME_BROKEN;
}

bool reader_read_block(struct reader *r, struct input *in, struct framer *f, const char *name)
{
    struct frame frame;
    enum frame_kind kind;
    ssize_t n = input_read(in, r->block, BLOCK_SIZE, framer_mid_message(f));
    if (n < 0 && errno == EAGAIN)
        return true;
    if (n < 0) {
        log_printf("%s: %m", name);
        r->failed = true;
    }
    if (n <= 0)
        return false;
    r->block_time_ns = in->live ? clock_real() : 0;
    counter_add(&r->stats.bytes, (uint64_t)n);
    rate_limit_poll(&r->damage_limit);
    framer_feed(f, (struct slice){r->block, (size_t)n});
    pthread_mutex_lock(&r->lock);
    bool more = true;
    while (more && (kind = framer_next(f, &frame)) != FRAME_NONE)
        more = reader_count_frame(r, name, kind, &frame);
    pthread_mutex_unlock(&r->lock);
    return more;
}

void reader_end_input(struct reader *r, struct framer *f, bool complete, const char *name)
{
    struct frame frame;
    enum frame_kind kind = framer_end(f, complete, &frame);
    pthread_mutex_lock(&r->lock);
    if (kind != FRAME_NONE)
        reader_count_frame(r, name, kind, &frame);
    pthread_mutex_unlock(&r->lock);
}

bool reader_enable_intervals(struct reader *r)
{
    r->intervals = calloc(2, sizeof *r->intervals);
    if (!r->intervals) {
        log_printf("out of memory");
        return false;
    }
    r->latency = r->intervals;
    return true;
}

struct reader_interval reader_take_interval(struct reader *r)
{
    struct histogram *ended = r->latency;
    struct reader_interval interval = {.latency = ended};
    struct histogram *next = ended == r->intervals ? r->intervals + 1 : r->intervals;
    memset(next, 0, sizeof *next);
    pthread_mutex_lock(&r->lock);
    r->latency = next;
    interval.received = r->report.received;
    interval.distinct = verify_report_count_distinct(&r->report);
    pthread_mutex_unlock(&r->lock);
    histogram_merge(&r->report.latency, ended);
    return interval;
}

void reader_finish(struct reader *r, uint64_t expected)
{
    sequence_tracker_finish(&r->report.tracker, expected);
    rate_limit_flush(&r->damage_limit);
}
