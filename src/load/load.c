#include "load/load.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exit-status.h"
#include "base/signals.h"
#include "load/message.h"
#include "load/progress.h"
#include "load/send-report.h"

enum { LOAD_BATCH = 512 };

/* Messages that are due within this time are sent together: each write wakes up every process that
 * the messages pass through. */
static const uint64_t load_coalesce_ns = 200000;

struct load {
    const struct load_config *config;
    struct message_writer writer;
    struct stats stats;
    struct signals *signals;
    struct sampler sampler;
    struct output json;
    struct senders senders;
    struct arrivals arrivals;
    struct malformed malformed;
    struct buffer malformed_message;
    int batch_size;         /* messages between two checks of signals and clock */
    uint64_t generated;     /* messages */
    size_t next_sender;     /* index of the sender of the next message */
    uint64_t limit;         /* messages; UINT64_MAX: none */
    uint64_t start_ns;      /* clock_monotonic() when message 0 is due; 0: not started */
    uint64_t start_real_ns; /* clock_real() at the same time */
    uint64_t max_lag_ns;    /* the largest delay of a message after its due time */
    uint64_t min_lag_ns;    /* in the last quarter of the duration; UINT64_MAX: not measured */
    uint64_t elapsed_ns;
    pthread_mutex_t lock;    /* so that a sample has the messages and the bytes of one moment */
    uint64_t interval_bytes; /* of the last sample */
    counter due_ns;          /* of the next message, after the start; UINT64_MAX: none */
    counter interval_lag_ns; /* max_lag_ns of the current sample */
};

static void load_update_stats(struct load *l)
{
    const struct senders *s = &l->senders;
    pthread_mutex_lock(&l->lock);
    counter_set(&l->stats.in, l->generated);
    counter_set(&l->stats.out, s->sent);
    counter_set(&l->stats.dropped, s->dropped + s->lost);
    counter_set(&l->stats.bytes, s->bytes);
    pthread_mutex_unlock(&l->lock);
}

static void load_record_lag(struct load *l, uint64_t lag_ns)
{
    if (lag_ns > l->max_lag_ns)
        l->max_lag_ns = lag_ns;
    if (lag_ns > counter_read(&l->interval_lag_ns))
        atomic_store_explicit(&l->interval_lag_ns, lag_ns, memory_order_relaxed);
}

static void load_set_due(struct load *l, uint64_t due_ns)
{
    atomic_store_explicit(&l->due_ns, due_ns, memory_order_relaxed);
}

static bool load_flush(struct load *l)
{
    bool good = senders_flush(&l->senders);
    load_update_stats(l);
    return good;
}

static struct sender *load_next_sender(const struct load *l)
{
    return &l->senders.items[l->next_sender];
}

static void load_advance_sender(struct load *l)
{
    if (++l->next_sender == l->config->senders.count)
        l->next_sender = 0;
}

/* With --slow, a sender must have sent its last message before it gets the next one. */
static bool load_wait_throttled(struct load *l)
{
    return !l->config->senders.bytes_per_s || sender_wait_throttled(load_next_sender(l));
}

/* A receiver may close the connection at a wrong MSG-LEN, and discard what precedes it unread. So
 * valid messages are flushed first. */
static bool load_send_malformed(struct load *l, struct sender *s, enum malformed_kind kind,
                                struct slice framed)
{
    bool ends = malformed_ends_connection(kind);
    malformed_append(&l->malformed, kind, framed, l->config->message.framing,
                     &l->malformed_message);
    if (ends && !sender_flush(s))
        return false;
    buffer_append(&s->out.buffer,
                  (struct slice){l->malformed_message.data, l->malformed_message.len});
    l->malformed_message.len = 0;
    return sender_commit(s) && (!ends || sender_reconnect(s));
}

/* Not inlined, so that runs without --bad do not pay for it. */
static __attribute__((noinline)) bool load_send_drawn(struct load *l, struct sender *s,
                                                      struct slice framed)
{
    enum malformed_kind kind;
    if (malformed_draw(&l->malformed, &kind))
        return load_send_malformed(l, s, kind, framed);
    buffer_commit(&s->out.buffer, framed.data + framed.len);
    return sender_commit(s);
}

static inline bool load_send_one(struct load *l, struct sender *s, uint64_t k, uint64_t ns)
{
    struct buffer *b = &s->out.buffer;
    char *start = buffer_reserve(b, l->writer.space);
    char *end = message_write(&l->writer, k, ns, start);
    l->generated++;
    if (l->config->malformed.threshold)
        return load_send_drawn(l, s, slice_between(start, end));
    buffer_commit(b, end);
    return sender_commit(s);
}

/*
 * Sends a batch through one sender, with the current time in each message. All senders share one
 * buffer, so that it stays in the cache. `first` is the first message of sender 0 in this round;
 * now_ns is set to the time of the last message.
 */
static bool load_send_batch(struct load *l, uint64_t first, uint64_t *now_ns)
{
    struct sender *s = load_next_sender(l);
    uint64_t step = l->config->senders.count;
    uint64_t k = first + l->next_sender;
    for (int i = 0; i < l->batch_size && k < l->limit; i++, k += step) {
        *now_ns = clock_real();
        if (!load_send_one(l, s, k, *now_ns))
            return false;
    }
    load_advance_sender(l);
    if (step == 1 || l->config->senders.bytes_per_s)
        return true;
    if (!sender_flush(s))
        return false;
    sender_pass_buffer(s, load_next_sender(l));
    return true;
}

static bool load_send_unlimited(struct load *l)
{
    uint64_t end_ns =
        l->config->duration_ns ? l->start_real_ns + l->config->duration_ns : UINT64_MAX;
    uint64_t now_ns = l->start_real_ns;
    uint64_t first = 0;
    while (l->generated < l->limit && now_ns < end_ns && !signals_stopping(l->signals)) {
        if (!load_wait_throttled(l) || !load_send_batch(l, first, &now_ns))
            return false;
        if (l->next_sender == 0)
            first += (uint64_t)l->batch_size * l->config->senders.count;
        load_update_stats(l);
    }
    return load_flush(l);
}

/* Waits until clock_monotonic() is deadline_ns, a signal arrives, or a throttled sender may write.
 */
static void load_wait_until(struct load *l, uint64_t deadline_ns)
{
    uint64_t now_ns = clock_monotonic();
    if (now_ns >= deadline_ns)
        return;
    uint64_t wait_ns = deadline_ns - now_ns;
    if (l->config->senders.bytes_per_s && l->senders.sent < l->generated) {
        uint64_t pause_ns = throttle_pause_ns(l->config->senders.bytes_per_s);
        wait_ns = wait_ns < pause_ns ? wait_ns : pause_ns;
    }
    struct timespec timeout = {(time_t)(wait_ns / NS_PER_S), (long)(wait_ns % NS_PER_S)};
    ppoll(&(struct pollfd){.fd = l->signals->stop_fd, .events = POLLIN}, 1, &timeout, NULL);
}

/*
 * Open loop, which avoids coordinated omission: each message is sent when it is due, or, if the
 * receiver is slow, as soon as possible after that. Its TIMESTAMP is the due time in any case. All
 * times are relative to start_ns.
 */
static bool load_send_scheduled(struct load *l)
{
    uint64_t end_ns = l->config->duration_ns ? l->config->duration_ns : UINT64_MAX;
    uint64_t due_ns = arrivals_next(&l->arrivals);
    uint64_t last_due_ns = 0;
    while (l->generated < l->limit && due_ns < end_ns && !signals_stopping(l->signals)) {
        load_set_due(l, due_ns);
        if (!load_wait_throttled(l))
            return false;
        uint64_t elapsed_ns = clock_monotonic() - l->start_ns;
        if (due_ns > elapsed_ns) {
            uint64_t coalesced_ns = elapsed_ns + load_coalesce_ns;
            if (!load_flush(l))
                return false;
            load_wait_until(l, l->start_ns + (due_ns > coalesced_ns ? due_ns : coalesced_ns));
            continue;
        }
        load_record_lag(l, elapsed_ns - due_ns);
        for (int i = 0; i < l->batch_size && l->generated < l->limit && due_ns <= elapsed_ns &&
                        due_ns < end_ns;
             i++) {
            if (!load_send_one(l, load_next_sender(l), l->generated, l->start_real_ns + due_ns))
                return false;
            load_advance_sender(l);
            last_due_ns = due_ns;
            due_ns = arrivals_next(&l->arrivals);
        }
        if (last_due_ns >= end_ns - end_ns / 4 && elapsed_ns - last_due_ns < l->min_lag_ns)
            l->min_lag_ns = elapsed_ns - last_due_ns;
        load_update_stats(l);
    }
    if (!load_flush(l))
        return false;
    load_set_due(l, UINT64_MAX);
    /* Ending right after the last message would report a rate that is too high. */
    while (due_ns >= end_ns && l->generated < l->limit &&
           clock_monotonic() < l->start_ns + end_ns && !signals_stopping(l->signals))
        load_wait_until(l, l->start_ns + end_ns);
    return true;
}

static uint64_t load_end_interval(void *context)
{
    struct load *l = context;
    pthread_mutex_lock(&l->lock);
    uint64_t messages = counter_read(&l->stats.out);
    l->interval_bytes = counter_read(&l->stats.bytes);
    pthread_mutex_unlock(&l->lock);
    return messages;
}

static void load_sample(void *context, const struct sample *sample, struct values *row,
                        struct status_line *status)
{
    struct load *l = context;
    uint64_t due_ns = counter_read(&l->due_ns);
    uint64_t lag_ns = atomic_exchange(&l->interval_lag_ns, 0);
    if (sample->end_ns > due_ns && sample->end_ns - due_ns > lag_ns)
        lag_ns = sample->end_ns - due_ns; /* the next message is blocked */
    values_add_bytes(row, "bytes", l->interval_bytes);
    values_add_duration(row, "lag", lag_ns);
    status->verb = "sent";
    status->total = l->config->count;
    status->latency_name = "lag";
    status->latency_ns = arrivals_unlimited(&l->config->arrivals) ? STATUS_LINE_UNKNOWN : lag_ns;
    status->fraction_done = progress_fraction(l->config, sample->end_ns, sample->messages);
    status->remaining_ns =
        progress_remaining_ns(l->config, sample->end_ns, due_ns, sample->messages);
}

/* If stdout is a pipe, the status line belongs to the program that reads it. */
static bool load_owns_terminal(const struct load_config *c)
{
    struct stat s;
    return c->destination.text ||
           (!isatty(STDOUT_FILENO) && fstat(STDOUT_FILENO, &s) == 0 && !S_ISFIFO(s.st_mode));
}

static bool load_open_json(struct output *out, const char *path)
{
    if (!path || *path)
        return output_open_truncate(out, "--json", path);
    output_init(out, fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0), "stderr");
    return true;
}

/* A JSON report replaces the log line, unless it is written to a file. */
static void load_write_report(struct load *l)
{
    const struct load_config *c = l->config;
    struct send_report report = {.config = c,
                                 .senders = &l->senders,
                                 .malformed = &l->malformed,
                                 .elapsed_ns = l->elapsed_ns,
                                 .max_lag_ns = l->max_lag_ns,
                                 .uses_seed = c->arrivals.poisson || c->message.size_max ||
                                              l->writer.random_order || c->malformed.threshold};
    bool replaces_log = c->json_path && (!*c->json_path || strcmp(c->json_path, "-") == 0);
    if (!c->quiet && !replaces_log)
        send_report_log(&report);
    if (l->json.fd >= 0)
        send_report_append_json(&report, &l->json.buffer);
}

static bool load_draw_plot(struct load *l)
{
    char asked[SEND_REPORT_RATE_SIZE];
    char title[512];
    const char *to = l->config->destination.text;
    send_report_format_rate(&l->config->arrivals, false, asked);
    snprintf(title, sizeof title, "spamlog: %s to %s", asked, to ? to : "stdout");
    return sampler_plot(&l->sampler, PLOT_LAG, title);
}

static bool load_send_all(struct load *l)
{
    const struct load_config *c = l->config;
    bool good = senders_open(&l->senders, &c->destination, &c->senders, l->writer.min_len);
    if (good) {
        l->start_ns = clock_monotonic();
        l->start_real_ns = clock_real();
        l->senders.signals = l->signals;
        l->senders.deadline_ns = c->duration_ns ? l->start_ns + c->duration_ns : 0;
        good = sampler_start_thread(&l->sampler, l->start_ns);
    }
    if (good)
        good = arrivals_unlimited(&c->arrivals) ? load_send_unlimited(l) : load_send_scheduled(l);
    good = senders_drain(&l->senders) && good;
    l->elapsed_ns = clock_monotonic() - l->start_ns;
    good = senders_close(&l->senders) && good;
    load_update_stats(l);
    return good;
}

static bool load_init(struct load *l, const struct load_config *config, struct signals *signals)
{
    *l = (struct load){.config = config,
                       .signals = signals,
                       .due_ns = UINT64_MAX,
                       .limit = config->count ? config->count : UINT64_MAX,
                       .batch_size = config->senders.bytes_per_s ? 1 : LOAD_BATCH,
                       .min_lag_ns = UINT64_MAX,
                       .arrivals = arrivals_init(&config->arrivals, config->message.seed)};
    pthread_mutex_init(&l->lock, NULL);
    malformed_init(&l->malformed, &config->malformed, config->message.seed);
    return message_writer_init(&l->writer, &config->message,
                               arrivals_unlimited(&config->arrivals) ? config->senders.count : 1);
}

static void load_free(struct load *l)
{
    message_writer_free(&l->writer);
    malformed_free(&l->malformed);
    buffer_free(&l->malformed_message);
}

/* Opens all files before the first message is sent, so that a failure leaves no partial run. */
static bool load_open_outputs(struct load *l)
{
    struct sampler_source source = {"sent", load_end_interval, load_sample, l};
    struct values columns = {0};
    values_add_absent(&columns, "bytes", VALUE_BYTES);
    values_add_absent(&columns, "lag", VALUE_DURATION);
    bool good = sampler_open(&l->sampler, &l->config->sampler, &source, &columns,
                             load_owns_terminal(l->config));
    values_free(&columns);
    if (good && load_open_json(&l->json, l->config->json_path) &&
        signals_open(l->signals, &l->stats, l->config->stats_interval_ns))
        return true;
    sampler_close(&l->sampler);
    return false;
}

static bool load_finish_outputs(struct load *l)
{
    bool good = true;
    sampler_finish(&l->sampler);
    if (l->start_ns)
        good = load_draw_plot(l);
    signals_close(l->signals);
    if (l->start_ns)
        load_write_report(l);
    good = sampler_close(&l->sampler) && good;
    return (l->json.fd < 0 || output_close(&l->json)) && good;
}

int load_run(const struct load_config *config)
{
    struct load l;
    struct signals signals = {0};
    bool good = load_init(&l, config, &signals) && load_open_outputs(&l);
    if (good) {
        good = load_send_all(&l);
        good = load_finish_outputs(&l) && good;
    }
    load_free(&l);
    return good ? STATUS_OK : STATUS_FAILED;
}

bool load_send(const struct load_config *config, struct signals *signals, struct load_sent *sent)
{
    struct load l;
    bool good = load_init(&l, config, signals) && load_send_all(&l);
    *sent = (struct load_sent){.generated = l.generated,
                               .min_lag_ns = l.min_lag_ns < UINT64_MAX ? l.min_lag_ns : 0};
    load_free(&l);
    return good || l.senders.dropped;
}
