#include "publish/publish.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/defect.h"
#include "base/exit-status.h"
#include "base/input.h"
#include "base/log.h"
#include "base/output.h"
#include "base/rate-limit.h"
#include "publish/undelivered.h"
#include "json/locate-error.h"
#include "json/reject.h"
#include "json/validate.h"

enum { PAYLOAD_MAX = 64 * 1024 * 1024 /* no server can be set to take more */ };

struct publisher {
    struct publish_config *config;
    struct session link;     /* unused in a dry run */
    struct jetstream stream; /* unused without --jetstream */
    bool stream_ready;
    uint64_t stream_retry_at; /* clock_monotonic */
    uint64_t stream_said;
    uint64_t refused_late; /* messages that the stream refused */
    struct window window;
    struct undelivered spill;
    struct stats stats;
    struct signals signals;
    struct input input;
    struct output printed; /* in a dry run */
    struct output rejects;
    struct rate_limit complaints;
    struct json_checker check;
    struct json_validator json;
    size_t max_payload;
    uint64_t asked;  /* the offset up to which a confirmation was asked for */
    uint64_t synced; /* clock_monotonic */
    uint64_t lost;   /* messages, where nothing is sent again */
    bool ended;      /* stdin */
    bool unread;     /* a part of it */
    bool failed;
};

static void refuse(struct publisher *p, uint64_t number, const struct defect *defect,
                   struct slice raw)
{
    counter_add(&p->stats.rejected, 1);
    log_rejected(&p->complaints, "stdin", number, defect);
    if (!p->config->rejects)
        return;
    reject_write(&p->rejects.buffer, "stdin", number, defect, raw);
    if (!output_flush_full(&p->rejects))
        p->failed = true;
}

/* The next line, and whether it was found to be JSON on the way to its end. */
static bool next_line(struct publisher *p, struct window_line *line, bool *json)
{
    struct slice fresh = window_unchecked(&p->window);
    const char *lf = fresh.len && !p->config->no_check ? json_validate(&p->json, fresh) : NULL;
    *json = lf != NULL;
    return window_next_line(&p->window, lf, line);
}

static bool good(struct publisher *p, const struct window_line *line, bool json,
                 struct defect *defect)
{
    if (line->text.len > p->max_payload) {
        *defect = (struct defect){"PAYLOAD", "longer than the server takes (max_payload)",
                                  p->max_payload};
        return false;
    }
    return json || !line->is_new || p->config->no_check ||
           json_is_valid(&p->check, line->text, defect);
}

static void print(struct publisher *p, struct slice payload)
{
    struct buffer *b = &p->printed.buffer;
    buffer_append(b, (struct slice){p->config->subject, strlen(p->config->subject)});
    buffer_append(b, (struct slice){"\t", 1});
    buffer_append(b, payload);
    buffer_append(b, (struct slice){"\n", 1});
    if (!output_flush_full(&p->printed))
        p->failed = true;
}

static void ask(struct publisher *p)
{
    if (p->asked == p->window.next.offset)
        return;
    p->asked = p->window.next.offset;
    if (p->config->dry_run)
        window_confirm(&p->window, &p->window.next);
    else
        session_request_confirmation(&p->link, &p->window.next);
}

static bool deliver(struct publisher *p, const struct window_line *line)
{
    if (!p->config->jetstream)
        return session_publish(&p->link, p->config->subject, line->text);
    bool good = jetstream_publish(&p->stream, line);
    if (!good)
        session_mark_lost(&p->link);
    return good;
}

static bool room(struct publisher *p)
{
    return !p->config->jetstream || p->config->dry_run || jetstream_room(&p->stream);
}

/* The way of one line: window -> check -> NATS. It leaves the window when it is confirmed. */
static void send_lines(struct publisher *p)
{
    struct window_line line;
    struct defect defect;
    bool json;
    while (!p->failed && room(p) && next_line(p, &line, &json)) {
        if (line.is_new)
            counter_add(&p->stats.in, 1);
        if (!good(p, &line, json, &defect)) {
            refuse(p, line.number, &defect, line.text);
            window_reject(&p->window, &line);
        } else if (p->config->dry_run) {
            print(p, line.text);
        } else if (!deliver(p, &line)) {
            return;
        }
        if (p->window.next.offset - p->asked > p->window.ring.capacity / 8)
            ask(p);
    }
}

static void read_some(struct publisher *p)
{
    struct slice too_long;
    size_t room = 0;
    undelivered_lock(&p->spill);
    char *to = window_reserve(&p->window, &room);
    ssize_t n = to ? input_read(&p->input, to, room, window_mid_line(&p->window)) : -1;
    bool over = n > 0 && window_commit(&p->window, (size_t)n, &too_long);
    if (n == 0)
        window_end_line(&p->window);
    undelivered_unlock(&p->spill);
    if (n > 0)
        counter_add(&p->stats.bytes, (uint64_t)n);
    if (over) {
        struct defect defect = {"PAYLOAD", "longer than the server takes (max_payload)",
                                p->window.line_max};
        counter_add(&p->stats.in, 1);
        refuse(p, p->window.next.lines + 1, &defect,
               (struct slice){too_long.data, p->window.line_max});
    }
    if (n < 0 && to && errno != EAGAIN) {
        log_printf("stdin: %m");
        p->unread = true;
        p->ended = true;
    }
    if (n == 0)
        p->ended = true;
}

/* A drain that ended within a line: its rest will not come. */
static void cut_line(struct publisher *p)
{
    p->ended = true;
    if (!p->input.live) {
        log_printf("stdin: stopped before its end");
        p->unread = true;
    }
    if (p->config->spool || !window_mid_line(&p->window))
        return;
    struct defect defect = {"PAYLOAD", "input ends within it", 0};
    struct slice rest = window_take_partial(&p->window);
    defect.offset = rest.len;
    counter_add(&p->stats.in, 1);
    refuse(p, p->window.next.lines + 1, &defect, rest);
}

static bool pending(const struct publisher *p)
{
    return p->printed.buffer.len || p->rejects.buffer.len || p->asked != p->window.next.offset;
}

static void idle(struct publisher *p)
{
    ask(p);
    rate_limit_flush(&p->complaints);
    if (!output_flush(&p->printed) || !output_flush(&p->rejects))
        p->failed = true;
}

static int sooner(int a, int b)
{
    return a < 0 ? b : b < 0 ? a : a < b ? a : b;
}

/* Waits for input, for room in the window, for a confirmation, or for time to try again. */
static void wait_and_read(struct publisher *p)
{
    bool dry = p->config->dry_run;
    int patience = dry ? -1 : session_timeout_ms(&p->link);
    if (p->config->jetstream && !dry)
        patience = sooner(patience, p->stream_ready ? jetstream_patience(&p->stream) : 100);
    if (!p->ended && (pending(p) || p->complaints.suppressed))
        patience = sooner(patience, pending(p) ? 0 : 1000);
    if (p->config->spool_sync_ns)
        patience = sooner(patience, (int)(p->config->spool_sync_ns / 1000000) + 1);
    if (p->ended) {
        idle(p);
        poll(&(struct pollfd){.fd = dry ? -1 : p->link.wake_fd, .events = POLLIN}, 1,
             dry ? 0 : patience);
        return;
    }
    p->input.paused = (!dry && !p->link.connected_before) || window_is_full(&p->window);
    switch (input_wait(&p->input, &p->signals, window_mid_line(&p->window), patience)) {
    case INPUT_READY:
        read_some(p);
        break;
    case INPUT_IDLE:
        idle(p);
        break;
    case INPUT_ENDED:
        cut_line(p);
    }
}

static void sync_spool(struct publisher *p)
{
    uint64_t now = clock_monotonic();
    if (p->config->spool_sync_ns && now - p->synced >= p->config->spool_sync_ns) {
        p->synced = now;
        if (!ring_sync(&p->window.ring))
            p->failed = true;
    }
}

static void begin_again(struct publisher *p)
{
    uint64_t unconfirmed = p->window.next.messages - p->window.confirmed.messages;
    p->max_payload = session_max_payload(&p->link);
    window_set_line_max(&p->window, p->max_payload);
    if (p->config->at_most_once) {
        p->lost += unconfirmed;
        if (unconfirmed)
            log_printf("up to %" PRIu64 " messages are lost", unconfirmed);
        window_confirm(&p->window, &p->window.next);
    } else {
        if (unconfirmed)
            log_printf("%" PRIu64 " messages are sent again", unconfirmed);
        if (!p->config->jetstream) /* which knows one by one what has to be sent again */
            window_rewind(&p->window);
    }
    p->asked = p->window.next.offset;
}

/* False where there is no such stream. */
static bool find_stream(struct publisher *p)
{
    char why[NATS_CONN_TEXT_MAX];
    uint64_t now = clock_monotonic();
    if (now < p->stream_retry_at)
        return true;
    switch (jetstream_connect(&p->stream, p->link.conn, why)) {
    case JETSTREAM_READY:
        p->stream_ready = true;
        return true;
    case JETSTREAM_ABSENT:
        return false;
    default:
        p->stream_retry_at = now + NS_PER_S / 2;
        if (!p->stream_said || now - p->stream_said > 5 * NS_PER_S) {
            log_printf("JetStream: %s; waiting for it", why);
            p->stream_said = now;
        }
        return true;
    }
}

/* What was not acknowledged, and what was refused. */
static void mend_stream(struct publisher *p)
{
    struct refusal refusal;
    bool lost;
    while (jetstream_mend(&p->stream, &refusal, &lost)) {
        struct defect defect = {"STREAM", refusal.why, 0};
        p->refused_late++;
        refuse(p, refusal.number, &defect, refusal.text);
    }
    if (lost)
        session_mark_lost(&p->link);
}

static void take_confirmed(struct publisher *p)
{
    struct window_mark confirmed =
        p->config->jetstream ? jetstream_acknowledged(&p->stream) : session_confirmed(&p->link);
    window_confirm(&p->window, &confirmed);
}

/* False where there will be no server any more. */
static bool tend(struct publisher *p)
{
    enum session_state state = session_poll(&p->link);
    if (state != SESSION_DOWN)
        atomic_store(&p->signals.immediate_reason, NULL);
    take_confirmed(p);
    if (state == SESSION_CONNECTED)
        begin_again(p);
    if (state != SESSION_UP)
        p->stream_ready = false;
    bool up = state == SESSION_UP || state == SESSION_CONNECTED;
    if (up && p->config->jetstream && !p->stream_ready && !find_stream(p))
        return false;
    if (up && p->stream_ready) {
        mend_stream(p);
        take_confirmed(p);
    }
    if (up && (p->stream_ready || !p->config->jetstream))
        send_lines(p);
    return state != SESSION_FAILED;
}

static bool all_confirmed(const struct publisher *p)
{
    return p->ended && p->window.confirmed.offset >= p->window.tail;
}

static void count_confirmed(struct publisher *p)
{
    uint64_t out = p->window.confirmed.messages - p->refused_late;
    if (out > counter_read(&p->stats.out))
        counter_add(&p->stats.out, out - counter_read(&p->stats.out));
}

static void run(struct publisher *p)
{
    while (!p->failed && !all_confirmed(p)) {
        if (p->config->dry_run)
            send_lines(p);
        else if (!tend(p))
            p->failed = true;
        count_confirmed(p);
        sync_spool(p);
        if (!p->failed && !all_confirmed(p))
            wait_and_read(p);
    }
    count_confirmed(p);
}

static bool start(struct publisher *p)
{
    p->max_payload = PAYLOAD_MAX;
    input_init(&p->input, STDIN_FILENO);
    undelivered_lock(&p->spill);
    bool opened = window_open(&p->window, p->config->spool, p->config->window_size);
    undelivered_unlock(&p->spill);
    if (!opened)
        return false;
    p->asked = p->window.next.offset;
    if (p->config->rejects && !output_open_append(&p->rejects, "--rejects", p->config->rejects))
        return false;
    if (p->config->dry_run) {
        output_init(&p->printed, STDOUT_FILENO, "stdout");
        return true;
    }
    if (!session_open(&p->link, &p->config->session))
        return false;
    if (p->config->jetstream && !jetstream_start(&p->stream, &p->config->stream, p->config->subject,
                                                 &p->window, p->link.wake_fd))
        return false;
    p->input.wake_fd = p->link.wake_fd;
    return true;
}

static void end(struct publisher *p)
{
    rate_limit_flush(&p->complaints);
    if (p->config->dry_run)
        p->failed = !output_close(&p->printed) || p->failed;
    else
        session_close(&p->link);
    if (p->config->jetstream)
        jetstream_end(&p->stream);
    if (p->config->rejects)
        p->failed = !output_close(&p->rejects) || p->failed;
    if (!p->config->dry_run && undelivered_write(&p->spill))
        p->failed = true;
    window_close(&p->window);
    json_checker_free(&p->check);
}

int publish_run(struct publish_config *config)
{
    struct publisher p = {.config = config, .complaints = {.quiet = config->quiet}};
    undelivered_init(&p.spill, &p.window, config->spill, config->spool);
    p.signals.on_abort = config->dry_run ? NULL : undelivered_on_abort;
    p.signals.abort_argument = &p.spill;
    /* Nothing is read before, and the attempt to connect may last. */
    atomic_init(&p.signals.immediate_reason,
                config->dry_run ? NULL : "stopped before there was a server");
    if (!signals_open(&p.signals, &p.stats, config->stats_interval_ns))
        return STATUS_FAILED;
    bool started = start(&p);
    if (started) {
        run(&p);
        end(&p);
    }
    signals_close(&p.signals);
    if (!started || p.failed || p.unread || p.lost)
        return STATUS_FAILED;
    return counter_read(&p.stats.rejected) ? STATUS_REJECTED : STATUS_OK;
}
