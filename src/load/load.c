#include "load/load.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exit-status.h"
#include "base/signals.h"
#include "load/progress.h"
#include "load/send-report.h"

enum { BATCH = 512 };

/* What is due within so many nanoseconds goes together: each write wakes up all who pass it on. */
static const uint64_t tick = 200000;

struct load {
    const struct load_config *config;
    struct message_writer writer;
    struct stats stats;
    struct signals *signals;
    struct series series;
    struct output json;
    struct senders senders;
    struct arrivals arrivals;
    struct bad bad;
    struct buffer badly; /* a bad message */
    int batch;           /* messages between two looks at signals and clock */
    uint64_t next;       /* messages that were made */
    size_t turn;         /* of the sender that the next one goes to */
    uint64_t limit;      /* messages */
    uint64_t start;      /* clock_monotonic, when message 0 is due */
    uint64_t start_real;
    uint64_t lag;    /* nanoseconds, the most that a message was behind its time */
    uint64_t behind; /* nanoseconds, the least that one was near the end */
    uint64_t ns;     /* that it took */
    counter due;     /* nanoseconds after the start, of the next message; UINT64_MAX: none is */
    counter lag_of_interval;
};

static void count_sent(struct load *l)
{
    const struct senders *s = &l->senders;
    counter_add(&l->stats.in, l->next - counter_read(&l->stats.in));
    counter_add(&l->stats.out, s->sent - counter_read(&l->stats.out));
    counter_add(&l->stats.dropped, s->dropped - counter_read(&l->stats.dropped));
    counter_add(&l->stats.bytes, s->bytes - counter_read(&l->stats.bytes));
}

/* `late`: of the next message, in nanoseconds. */
static void note_lag(struct load *l, uint64_t late)
{
    if (late > l->lag)
        l->lag = late;
    if (late > counter_read(&l->lag_of_interval))
        atomic_store_explicit(&l->lag_of_interval, late, memory_order_relaxed);
}

static void set_due(struct load *l, uint64_t due)
{
    atomic_store_explicit(&l->due, due, memory_order_relaxed);
}

static bool flush_all(struct load *l)
{
    bool good = senders_flush(&l->senders);
    count_sent(l);
    return good;
}

static struct sender *next_sender(const struct load *l)
{
    return &l->senders.all[l->turn];
}

static void pass_turn(struct load *l)
{
    if (++l->turn == l->config->senders.count)
        l->turn = 0;
}

/* A slow one must have sent the message before. */
static bool await_next(struct load *l)
{
    return !l->config->senders.slow || sender_await(next_sender(l));
}

/* A receiver may close a connection at once on which MSG-LEN is wrong: nothing must be on the way.
 */
static bool send_bad(struct load *l, struct sender *s, enum bad_kind kind, struct slice framed)
{
    bool ends = bad_ends_connection(kind);
    bad_add(&l->bad, kind, framed, l->config->message.frame, &l->badly);
    if (ends && !sender_flush(s))
        return false;
    buffer_append(&s->out.buffer, (struct slice){l->badly.data, l->badly.len});
    l->badly.len = 0;
    return sender_took(s) && (!ends || sender_renew(s));
}

/* By itself, so that messages of a run without bad ones do not pay for it. */
static __attribute__((noinline)) bool send_drawn(struct load *l, struct sender *s,
                                                 struct slice framed)
{
    enum bad_kind kind;
    if (bad_draw(&l->bad, &kind))
        return send_bad(l, s, kind, framed);
    buffer_commit(&s->out.buffer, framed.data + framed.len);
    return sender_took(s);
}

static inline bool send_one(struct load *l, struct sender *s, uint64_t k, uint64_t ns)
{
    struct buffer *b = &s->out.buffer;
    char *at = buffer_reserve(b, l->writer.room);
    char *end = message_write(&l->writer, k, ns, at);
    l->next++;
    if (l->config->bad.one_in)
        return send_drawn(l, s, slice_between(at, end));
    buffer_commit(b, end);
    return sender_took(s);
}

/*
 * Some to one sender, each with the time at which it was made, before the next one has its turn:
 * of many no buffer would be in the cache, so they share one. `first` is the first message that
 * goes to the first of them in this round.
 */
static bool send_batch(struct load *l, uint64_t first, uint64_t *now)
{
    struct sender *s = next_sender(l);
    uint64_t step = l->config->senders.count;
    uint64_t k = first + l->turn;
    for (int i = 0; i < l->batch && k < l->limit; i++, k += step) {
        *now = clock_real();
        if (!send_one(l, s, k, *now))
            return false;
    }
    pass_turn(l);
    if (step == 1 || l->config->senders.slow)
        return true;
    if (!sender_flush(s))
        return false;
    sender_lend(s, next_sender(l));
    return true;
}

/* As many as go. */
static bool send_flat_out(struct load *l)
{
    uint64_t end = l->config->duration ? l->start_real + l->config->duration : UINT64_MAX;
    uint64_t now = l->start_real;
    uint64_t first = 0;
    while (l->next < l->limit && now < end && !signals_stopping(l->signals)) {
        if (!await_next(l) || !send_batch(l, first, &now))
            return false;
        if (l->turn == 0)
            first += (uint64_t)l->batch * l->config->senders.count;
        count_sent(l);
    }
    return flush_all(l);
}

static void wait_until(struct load *l, uint64_t due)
{
    uint64_t now = clock_monotonic();
    if (now >= due)
        return;
    if (l->config->senders.slow && l->senders.sent < l->next) {
        uint64_t pause = trickle_pause(l->config->senders.slow);
        due = due - now < pause ? due : now + pause;
    }
    struct timespec left = {(time_t)((due - now) / NS_PER_S), (long)((due - now) % NS_PER_S)};
    ppoll(&(struct pollfd){.fd = l->signals->stop_fd, .events = POLLIN}, 1, &left, NULL);
}

/* Open-loop: a message is sent when it is due, or as soon after as the receiver lets it. */
static bool send_on_time(struct load *l)
{
    uint64_t end = l->config->duration ? l->config->duration : UINT64_MAX;
    uint64_t due = arrivals_next(&l->arrivals);
    uint64_t last = 0;
    while (l->next < l->limit && due < end && !signals_stopping(l->signals)) {
        set_due(l, due);
        if (!await_next(l))
            return false;
        uint64_t passed = clock_monotonic() - l->start;
        if (due > passed) {
            if (!flush_all(l))
                return false;
            wait_until(l, l->start + (due > passed + tick ? due : passed + tick));
            continue;
        }
        note_lag(l, passed - due);
        for (int i = 0; i < l->batch && l->next < l->limit && due <= passed && due < end; i++) {
            if (!send_one(l, next_sender(l), l->next, l->start_real + due))
                return false;
            pass_turn(l);
            last = due;
            due = arrivals_next(&l->arrivals);
        }
        if (last >= end - end / 4 && passed - last < l->behind)
            l->behind = passed - last;
        count_sent(l);
    }
    if (!flush_all(l))
        return false;
    set_due(l, UINT64_MAX);
    /* The last message has its share of the time too, or the rate would come out too high. */
    while (due >= end && l->next < l->limit && clock_monotonic() < l->start + end &&
           !signals_stopping(l->signals))
        wait_until(l, l->start + end);
    return true;
}

static void look(void *of, const struct interval *i, struct buffer *row, struct live *live)
{
    enum { ROOM = 64 };
    struct load *l = of;
    uint64_t due = counter_read(&l->due);
    uint64_t lag = atomic_exchange(&l->lag_of_interval, 0);
    if (i->end > due && i->end - due > lag)
        lag = i->end - due;
    char *to = buffer_reserve(row, ROOM);
    buffer_commit(row, to + snprintf(to, ROOM, ",%" PRIu64 ",%.6f", counter_read(&l->stats.bytes),
                                     (double)lag / (double)NS_PER_S));
    live->done = "sent";
    live->all = l->config->count;
    live->late = "lag";
    live->lateness = shape_is_max(&l->config->shape) ? LIVE_UNKNOWN : lag;
    live->share = progress_share(l->config, i->end, i->messages);
    live->left = progress_left(l->config, i->end, due, i->messages);
}

/* What follows in a pipe has the terminal. */
static bool terminal_is_free(const struct load_config *c)
{
    struct stat s;
    return c->destination.text ||
           (!isatty(STDOUT_FILENO) && fstat(STDOUT_FILENO, &s) == 0 && !S_ISFIFO(s.st_mode));
}

static bool open_json(struct output *out, const char *to)
{
    if (!to || *to)
        return output_open_truncate(out, "--json", to);
    output_init(out, fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0), "stderr");
    return true;
}

/* What is not written to a file takes the place of the line on stderr. */
static void write_report(struct load *l)
{
    const struct load_config *c = l->config;
    struct sent sent = {.config = c,
                        .senders = &l->senders,
                        .bad = &l->bad,
                        .ns = l->ns,
                        .lag = l->lag,
                        .drawn = c->shape.poisson || c->message.size_high || l->writer.by_chance ||
                                 c->bad.one_in};
    bool instead = c->json && (!*c->json || strcmp(c->json, "-") == 0);
    if (!c->quiet && !instead)
        sent_report(&sent);
    if (l->json.fd >= 0)
        sent_json(&sent, &l->json.buffer);
}

static bool draw(struct load *l)
{
    char asked[64];
    char title[512];
    const char *to = l->config->destination.text;
    sent_asked(&l->config->shape, asked, sizeof asked);
    snprintf(title, sizeof title, "spamlog: %s to %s", asked, to ? to : "stdout");
    return series_draw(&l->series, PLOT_LAG, title);
}

static bool send_all(struct load *l)
{
    const struct load_config *c = l->config;
    bool good = senders_open(&l->senders, &c->destination, &c->senders, l->writer.shortest);
    if (good) {
        l->start = clock_monotonic();
        l->start_real = clock_real();
        good = series_start(&l->series, l->start);
    }
    if (good)
        good = shape_is_max(&c->shape) ? send_flat_out(l) : send_on_time(l);
    good = senders_drain(&l->senders) && good;
    l->ns = clock_monotonic() - l->start;
    good = senders_close(&l->senders) && good;
    count_sent(l);
    return good;
}

static bool start(struct load *l, const struct load_config *config, struct signals *signals)
{
    *l = (struct load){.config = config,
                       .signals = signals,
                       .due = UINT64_MAX,
                       .limit = config->count ? config->count : UINT64_MAX,
                       .batch = config->senders.slow ? 1 : BATCH,
                       .behind = UINT64_MAX,
                       .arrivals = arrivals_start(&config->shape, config->message.seed)};
    bad_start(&l->bad, &config->bad, config->message.seed);
    return message_start(&l->writer, &config->message,
                         shape_is_max(&config->shape) ? config->senders.count : 1);
}

static void free_all(struct load *l)
{
    message_free(&l->writer);
    bad_free(&l->bad);
    buffer_free(&l->badly);
}

/* Files and the like first: nothing is to be sent where they cannot be had. */
static bool prepare(struct load *l)
{
    struct watched w = {"seconds,sent,rate-per-second,bytes,lag-seconds\n", &l->stats.out, look, l};
    bool good = series_open(&l->series, &l->config->series, &w, terminal_is_free(l->config));
    if (good && open_json(&l->json, l->config->json) &&
        signals_open(l->signals, &l->stats, l->config->stats_interval))
        return true;
    series_close(&l->series);
    return false;
}

static bool report_all(struct load *l)
{
    bool good = true;
    series_end(&l->series);
    if (l->start)
        good = draw(l);
    signals_close(l->signals);
    if (l->start)
        write_report(l);
    good = series_close(&l->series) && good;
    return (l->json.fd < 0 || output_close(&l->json)) && good;
}

int load_run(const struct load_config *config)
{
    struct load l;
    struct signals signals = {0};
    bool good = start(&l, config, &signals) && prepare(&l);
    if (good) {
        good = send_all(&l);
        good = report_all(&l) && good;
    }
    free_all(&l);
    return good ? STATUS_OK : STATUS_FAILED;
}

bool load_send(const struct load_config *config, struct signals *signals, struct load_sent *sent)
{
    struct load l;
    bool good = start(&l, config, signals) && send_all(&l);
    *sent = (struct load_sent){.made = l.next, .behind = l.behind < UINT64_MAX ? l.behind : 0};
    free_all(&l);
    return good || l.senders.dropped;
}
