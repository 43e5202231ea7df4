/*
 * The loop: read -> check -> window -> transport. A line leaves the window when the transport has
 * confirmed it.
 */
#include "publish/publish.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/defect.h"
#include "base/exit-status.h"
#include "base/input.h"
#include "base/log.h"
#include "base/output.h"
#include "base/rate-limit.h"
#include "base/reject-file.h"
#include "base/retry.h"
#include "base/service.h"
#include "base/stats-share.h"
#include "json/locate-error.h"
#include "json/reject.h"
#include "json/validate.h"
#include "publish/core.h"
#include "publish/dry-run.h"
#include "publish/message-count.h"
#include "publish/msg-id.h"
#include "publish/pending.h"
#include "publish/publish-metrics.h"
#include "publish/undelivered.h"

enum {
    SUPPRESSED_TIMEOUT_MS = 1000, /* until the number of suppressed log lines is logged */
    FIRST_REQUEST = 16 * 1024,    /* bytes that are sent before the first confirmation */
    LARGE_BATCH = 16 * 1024       /* bytes; worth a system call */
};

static const uint64_t request_interval_ns = NS_PER_S / 10;

/* The service manager is asked for more time to start this often, and for so much. */
static const uint64_t starting_interval_ns = 5 * NS_PER_S;
static const uint64_t starting_timeout_ns = 120 * NS_PER_S;

struct publisher {
    struct publish_config *config;
    struct publish_transport *transport;
    struct window window;
    struct batcher batcher;
    struct envelope *envelope;
    struct buffer key; /* of the last line */
    struct undelivered undelivered;
    struct pending pending;
    struct stats *stats;
    struct publish_metrics metrics;
    struct signals signals;
    struct input input;
    struct reject_file rejects;
    struct buffer reject_line;
    pthread_mutex_t rejects_lock; /* guards rejects */
    struct rate_limit log_limit;
    struct json_checker checker;
    struct json_validator validator;
    struct rate_limit connection_limit; /* of messages about losses */
    uint64_t requested;                 /* offset up to which a confirmation was requested */
    uint64_t request_at;                /* offset at which the next one is due */
    uint64_t requested_ns;              /* clock_monotonic; of that request */
    uint64_t connected;    /* offset that was confirmed when the connection was established */
    uint64_t batch_limit;  /* bytes; 0 without --batch */
    uint64_t refused_late; /* messages that were refused after they were sent */
    uint64_t lost;         /* messages that --at-most-once may have lost */
    uint64_t last_synced;  /* clock_monotonic, ns */
    uint64_t starting_ns;  /* clock_monotonic; of the last service_notify_starting() */
    bool connected_before;
    bool proven;       /* something was confirmed since */
    bool batches_wait; /* a batch is due, and cannot be sent for the moment */
    bool logs_loss;    /* connection_limit allowed it */
    bool input_ended;
    bool input_incomplete; /* some of it was not read */
    bool failed;
};

static void publisher_reject(struct publisher *p, uint64_t number, const struct defect *defect,
                             struct slice raw)
{
    counter_add(&p->stats->rejected, 1);
    counter_add(labelled_find(&p->metrics.rejected, defect->field), 1);
    log_rejected(&p->log_limit, "stdin", number, defect, "");
    if (!p->config->rejects)
        return;
    pthread_mutex_lock(&p->rejects_lock);
    reject_write(&p->reject_line, "stdin", number, defect, raw, (struct slice){0});
    reject_file_append(&p->rejects, &p->reject_line);
    /* The spool must not forget the line before it is written. */
    if (p->config->spool || p->rejects.output.buffer.len >= OUTPUT_BLOCK)
        reject_file_write(&p->rejects);
    pthread_mutex_unlock(&p->rejects_lock);
}

static void publisher_write_rejects(struct publisher *p)
{
    pthread_mutex_lock(&p->rejects_lock);
    reject_file_write(&p->rejects);
    pthread_mutex_unlock(&p->rejects_lock);
}

static struct defect publisher_too_long(size_t limit)
{
    return (struct defect){"PAYLOAD", "longer than the server's max_payload", limit};
}

/* Lines */

/* Sets *is_json if the search for the end of the line has validated it, too. */
static bool publisher_next_line(struct publisher *p, struct window_line *line, bool *is_json)
{
    struct slice unchecked = window_unchecked(&p->window);
    const char *lf =
        unchecked.len && !p->config->no_check ? json_validate(&p->validator, unchecked) : NULL;
    *is_json = lf != NULL;
    return window_next_line(&p->window, lf, line);
}

static bool publisher_check_line(struct publisher *p, const struct window_line *line, bool is_json,
                                 struct defect *defect)
{
    if (line->text.len > p->transport->max_payload) {
        *defect = publisher_too_long(p->transport->max_payload);
        return false;
    }
    return is_json || !line->is_new || p->config->no_check ||
           json_is_valid(&p->checker, line->text, defect);
}

static void publisher_update_confirmed(struct publisher *p)
{
    struct window_mark confirmed =
        p->transport->ops->confirmed(p->transport, batcher_sent(&p->batcher));
    window_confirm(&p->window, &confirmed);
    p->proven = p->window.confirmed.offset > p->connected;
}

/*
 * The first confirmation of a connection shows that it works. It is requested early, and nothing
 * more is sent before, so that a connection that breaks immediately does not delay the next one.
 */
static bool publisher_may_send(const struct publisher *p)
{
    const struct transport_ops *ops = p->transport->ops;
    return (p->proven || batcher_sent(&p->batcher)->offset - p->connected <= FIRST_REQUEST) &&
           (!ops->can_send || ops->can_send(p->transport));
}

static uint64_t publisher_request_interval(const struct publisher *p)
{
    return p->proven ? p->window.ring.capacity / 8 : FIRST_REQUEST;
}

static void publisher_set_requested(struct publisher *p, uint64_t offset)
{
    p->requested = offset;
    p->request_at = offset + publisher_request_interval(p);
}

static void publisher_request_confirmation(struct publisher *p)
{
    const struct window_mark *sent = batcher_sent(&p->batcher);
    if (p->requested == sent->offset)
        return;
    publisher_set_requested(p, sent->offset);
    p->requested_ns = clock_monotonic();
    p->transport->ops->request_confirmation(p->transport, sent);
    publisher_update_confirmed(p);
}

static bool publisher_sent_lately(const struct publisher *p)
{
    return p->requested == batcher_sent(&p->batcher)->offset ||
           clock_monotonic() - p->requested_ns < request_interval_ns;
}

static enum transport_result publisher_transmit(struct publisher *p, const struct window_line *line)
{
    if (p->batcher.active)
        return batcher_add(&p->batcher, envelope_key(p->envelope, line->text, &p->key), line);
    struct transport_message m = {.text = line->text, .line = line, .settled = &p->window.next};
    return p->transport->ops->send(p->transport, &m);
}

/* Rejects the line if it is invalid, or too long for the server. */
static enum transport_result publisher_send_line(struct publisher *p,
                                                 const struct window_line *line, bool is_json)
{
    struct defect defect;
    if (publisher_check_line(p, line, is_json, &defect)) {
        enum transport_result result = publisher_transmit(p, line);
        if (result != TRANSPORT_TOO_LONG)
            return result;
        defect = publisher_too_long(p->transport->line_max);
    }
    publisher_reject(p, line->number, &defect, line->text);
    window_reject(&p->window, line);
    return TRANSPORT_TOO_LONG;
}

/* A batch that is not full waits for more lines, unless there is no space for them. */
static void publisher_send_batches(struct publisher *p)
{
    bool is_last = p->input_ended || window_is_full(&p->window);
    uint64_t now_ns = p->batcher.oldest ? clock_monotonic() : 0;
    bool connected = true;
    while (connected && batcher_is_due(&p->batcher, now_ns, is_last) && publisher_may_send(p))
        connected = batcher_send_oldest(&p->batcher) == TRANSPORT_SENT;
    p->batches_wait = batcher_is_due(&p->batcher, now_ns, is_last);
}

static void publisher_send_lines(struct publisher *p)
{
    struct window_line line;
    bool is_json;
    publish_metrics_begin_send(&p->metrics);
    while (!p->failed && publisher_may_send(p) && publisher_next_line(p, &line, &is_json)) {
        counter_add(line.is_new ? &p->stats->in : &p->metrics.rewound, 1);
        enum transport_result result = publisher_send_line(p, &line, is_json);
        p->failed = p->failed || result == TRANSPORT_CLOSED;
        if (result == TRANSPORT_CLOSED || result == TRANSPORT_DISCONNECTED)
            return;
        if (batcher_sent(&p->batcher)->offset > p->request_at)
            publisher_request_confirmation(p);
    }
    publisher_send_batches(p);
    if (!publisher_sent_lately(p))
        publisher_request_confirmation(p);
}

/* Transport */

static uint64_t publisher_unconfirmed(struct publisher *p)
{
    publisher_update_confirmed(p);
    return p->window.next.messages - p->window.confirmed.messages;
}

static void publisher_on_lost(struct publisher *p)
{
    char count[MESSAGE_COUNT_MAX];
    p->logs_loss = rate_limit_allow(&p->connection_limit);
    if (!p->logs_loss)
        return;
    log_warning("disconnected from %s (%s); %s unconfirmed, reconnecting", p->transport->peer,
                p->transport->error_text, message_count_format(count, publisher_unconfirmed(p)));
}

/*
 * The server closed the connection because of a message, although its INFO allowed it. If any of
 * the messages in flight is too long, the longest one is, so rejecting that one loses no other.
 * A batch may be too long although no record is: batches become shorter first.
 */
static void publisher_reject_longest(struct publisher *p)
{
    struct window_line line;
    struct window_line longest = {0};
    struct window copy = p->window;
    window_rewind(&copy);
    while (copy.next.offset < p->window.next.offset && window_next_line(&copy, NULL, &line))
        if (line.text.len > longest.text.len)
            longest = line;
    if (longest.text.len == 0)
        return;
    if (p->batch_limit > longest.text.len) {
        p->batch_limit /= 2;
        return;
    }
    struct defect defect = {"PAYLOAD", TRANSPORT_PAYLOAD_VIOLATED, 0};
    publisher_reject(p, longest.number, &defect, longest.text);
    window_reject(&p->window, &longest);
}

static void publisher_on_connected(struct publisher *p, bool again)
{
    char count[MESSAGE_COUNT_MAX];
    struct window_mark sent = *batcher_sent(&p->batcher);
    uint64_t unconfirmed = publisher_unconfirmed(p);
    if (p->config->at_most_once)
        unconfirmed -= p->window.next.messages - sent.messages;
    message_count_format(count, unconfirmed);
    window_set_line_max(&p->window, p->transport->max_payload);
    if (again && p->logs_loss)
        log_info("reconnected to %s", p->transport->peer);
    if (p->config->at_most_once) {
        p->lost += unconfirmed;
        if (unconfirmed)
            log_printf("up to %s lost; --at-most-once resends nothing", count);
        window_confirm(&p->window, &sent);
    } else {
        if (unconfirmed && p->logs_loss)
            log_info("resending %s", count);
        if (!p->transport->ops->resends) {
            batcher_clear(&p->batcher);
            window_rewind(&p->window);
        }
    }
    p->connected = p->window.confirmed.offset;
    p->proven = false;
    publisher_set_requested(p, batcher_sent(&p->batcher)->offset);
}

/* Rejects a record of a batch. */
static void publisher_reject_late(void *argument, const struct span *record, struct slice text,
                                  size_t limit)
{
    struct publisher *p = argument;
    struct defect defect = publisher_too_long(limit);
    p->refused_late++;
    publisher_reject(p, record->start.lines + 1, &defect, text);
    window_mark_rejected(&p->window, record->start.offset);
}

static void publisher_take_refusals(struct publisher *p)
{
    struct publish_transport *t = p->transport;
    struct transport_refusal refusal;
    while (t->ops->take_refusal && t->ops->take_refusal(t, &refusal)) {
        struct defect defect = {refusal.field, refusal.error_text, refusal.error_offset};
        p->refused_late++;
        publisher_reject(p, refusal.number, &defect, refusal.text);
        window_mark_rejected(&p->window, refusal.offset);
    }
}

/*
 * Until the first confirmation it is not known whether there ever will be one. So one signal ends
 * the program while lines cannot be confirmed, and also if it came before that was known.
 */
static void publisher_update_signals(struct publisher *p, enum transport_event event)
{
    bool down = event == TRANSPORT_DOWN || event == TRANSPORT_LOST;
    bool unavailable = down || p->transport->unavailable;
    const char *reason = NULL;
    if (!p->connected_before)
        reason = "stopped before connecting to a server";
    else if (unavailable && counter_read(&p->stats->out) == 0 &&
             p->window.tail > p->window.confirmed.offset)
        reason = "stopped before the first confirmation";
    if (p->transport->ops->needs_server)
        atomic_store(&p->signals.immediate_reason, reason);
    if (reason && signals_stopping(&p->signals)) {
        log_printf("%s", reason);
        p->failed = true;
    }
}

static void publisher_notify_service(struct publisher *p, enum transport_event event)
{
    char status[TRANSPORT_TEXT_MAX + 32];
    uint64_t now_ns = event == TRANSPORT_DOWN && !p->connected_before ? clock_monotonic() : 0;
    if (now_ns && (!p->starting_ns || now_ns - p->starting_ns >= starting_interval_ns)) {
        service_notify_starting("waiting for a server", starting_timeout_ns);
        p->starting_ns = now_ns;
    }
    if (event != TRANSPORT_CONNECTED && event != TRANSPORT_LOST)
        return;
    bool connected = event == TRANSPORT_CONNECTED;
    snprintf(status, sizeof status, "%s %s", connected ? "connected to" : "disconnected from",
             p->transport->peer ? p->transport->peer : "standard output");
    (connected ? service_notify_ready : service_notify_status)(status);
}

static void publisher_poll_transport(struct publisher *p)
{
    enum transport_event event = p->transport->ops->poll(p->transport);
    bool again = p->connected_before;
    publish_metrics_on_event(&p->metrics, event);
    p->connected_before = p->connected_before || event != TRANSPORT_DOWN;
    if (event == TRANSPORT_LOST)
        publisher_on_lost(p);
    if (p->transport->payload_violated && !p->config->at_most_once)
        publisher_reject_longest(p);
    if (event == TRANSPORT_CONNECTED)
        publisher_on_connected(p, again);
    if (p->transport->batch_max > p->batch_limit)
        p->transport->batch_max = p->batch_limit;
    if (event == TRANSPORT_FAILED)
        p->failed = true;
    publisher_take_refusals(p);
    publisher_update_confirmed(p);
    publisher_update_signals(p, event);
    publisher_notify_service(p, event);
    if (event == TRANSPORT_UP || event == TRANSPORT_CONNECTED)
        publisher_send_lines(p);
}

/* Input */

/* Rejects a line whose end does not come or is skipped, and at most `most` bytes of which are kept.
 */
static void publisher_reject_partial(struct publisher *p, const struct window_line *line,
                                     const struct defect *defect, size_t most)
{
    struct slice text = line->text;
    if (text.len > most)
        text.len = most;
    counter_add(&p->stats->in, 1);
    publisher_reject(p, line->number, defect, text);
    window_mark_rejected(&p->window, line->offset);
}

static void publisher_reject_unfinished(struct publisher *p, const char *text)
{
    struct window_line line;
    undelivered_lock(&p->undelivered);
    bool is_unfinished = window_end_input(&p->window, &line);
    undelivered_unlock(&p->undelivered);
    if (is_unfinished) {
        struct defect defect = {"PAYLOAD", text, line.text.len};
        publisher_reject_partial(p, &line, &defect, SIZE_MAX);
    }
}

static void publisher_read(struct publisher *p)
{
    struct window_line too_long;
    size_t space = 0;
    undelivered_lock(&p->undelivered);
    char *to = window_reserve(&p->window, &space);
    ssize_t n = to ? input_read(&p->input, to, space, window_mid_line(&p->window)) : -1;
    bool is_too_long = n > 0 && window_commit(&p->window, (size_t)n, &too_long);
    if (n == 0)
        window_end_line(&p->window);
    undelivered_unlock(&p->undelivered);
    if (n > 0)
        counter_add(&p->stats->bytes, (uint64_t)n);
    if (is_too_long) {
        struct defect defect = publisher_too_long(p->window.line_max);
        publisher_reject_partial(p, &too_long, &defect, p->window.line_max);
    }
    if (n < 0 && to && errno != EAGAIN) {
        log_printf("stdin: %m");
        p->input_incomplete = true;
        p->input_ended = true;
    }
    if (n == 0)
        p->input_ended = true;
}

/* A drain that has ended within a line: the rest of it will not come. */
static void publisher_on_drained(struct publisher *p)
{
    p->input_ended = true;
    if (!p->input.live) {
        log_printf("stdin: stopped before the end of the file");
        p->input_incomplete = true;
    }
    if (p->config->spool || !window_mid_line(&p->window))
        return;
    publisher_reject_unfinished(p, "truncated: no LF before the end of the input");
}

static bool publisher_has_pending(const struct publisher *p)
{
    return reject_file_is_pending(&p->rejects) || p->requested != batcher_sent(&p->batcher)->offset;
}

static void publisher_on_idle(struct publisher *p)
{
    publisher_request_confirmation(p);
    rate_limit_flush(&p->log_limit);
    rate_limit_poll(&p->connection_limit);
    publisher_write_rejects(p);
}

static bool publisher_is_done(const struct publisher *p)
{
    return p->failed || (p->input_ended && p->window.confirmed.offset >= p->window.tail);
}

static int earlier_timeout(int a_ms, int b_ms)
{
    return a_ms < 0 ? b_ms : b_ms < 0 ? a_ms : a_ms < b_ms ? a_ms : b_ms;
}

static int publisher_timeout_ms(const struct publisher *p)
{
    int timeout_ms = p->transport->ops->timeout_ms(p->transport);
    if (!p->input_ended && publisher_has_pending(p))
        timeout_ms = 0;
    else if (p->rejects.failing || (!p->input_ended && p->log_limit.suppressed))
        timeout_ms = earlier_timeout(timeout_ms, SUPPRESSED_TIMEOUT_MS);
    if (!p->batches_wait)
        timeout_ms = earlier_timeout(timeout_ms, batcher_timeout_ms(&p->batcher));
    if (p->config->spool_sync_ns)
        timeout_ms = earlier_timeout(timeout_ms, (int)(p->config->spool_sync_ns / 1000000) + 1);
    return timeout_ms;
}

/* Waits for input, for space in the window, for the transport, or for a timeout. */
static void publisher_wait_and_read(struct publisher *p)
{
    if (p->input_ended) {
        publisher_on_idle(p);
        if (!publisher_is_done(p) &&
            poll((struct pollfd[]){{.fd = p->transport->wake_fd, .events = POLLIN},
                                   {.fd = p->signals.hangup_fd, .events = POLLIN}},
                 2, publisher_timeout_ms(p)) < 0 &&
            errno != EINTR)
            retry_sleep();
        return;
    }
    p->input.paused = !p->connected_before || window_is_full(&p->window);
    switch (
        input_wait(&p->input, &p->signals, window_mid_line(&p->window), publisher_timeout_ms(p))) {
    case INPUT_READY:
        publisher_read(p);
        break;
    case INPUT_IDLE:
        publisher_on_idle(p);
        break;
    case INPUT_ENDED:
        publisher_on_drained(p);
    }
}

/* The run */

static void publisher_count_confirmed(struct publisher *p)
{
    uint64_t confirmed = p->window.confirmed.messages;
    uint64_t out = confirmed > p->refused_late ? confirmed - p->refused_late : 0;
    if (out > counter_read(&p->stats->out))
        counter_set(&p->stats->out, out);
    counter_set(&p->stats->duplicates, p->transport->duplicates);
}

static void publisher_sync_spool(struct publisher *p)
{
    uint64_t now = clock_monotonic();
    if (p->config->spool_sync_ns && now - p->last_synced >= p->config->spool_sync_ns) {
        p->last_synced = now;
        if (!window_sync(&p->window))
            p->failed = true;
    }
}

/* Each connection reads the files of credentials and certificates; here they are only checked. */
static void publisher_reload(struct publisher *p)
{
    char error_text[NATS_CONN_TEXT_MAX];
    struct nats_conn_config *nats = &p->config->session.nats;
    if (!signals_take_hangup(&p->signals))
        return;
    if (p->connected_before)
        service_notify_reloading();
    pthread_mutex_lock(&p->rejects_lock);
    reject_file_reopen(&p->rejects);
    pthread_mutex_unlock(&p->rejects_lock);
    undelivered_reopen(&p->undelivered);
    if (p->transport->ops->needs_server && nats_conn_has_files(nats)) {
        if (nats_conn_check_files(nats, error_text))
            log_info("certificates and credentials reloaded; the next connection uses them");
        else
            log_printf("reload failed, keeping the connection: %s", error_text);
    }
    if (p->connected_before)
        service_notify_ready("reloaded");
}

static void publisher_loop(struct publisher *p)
{
    while (!publisher_is_done(p)) {
        publisher_reload(p);
        publisher_poll_transport(p);
        publisher_count_confirmed(p);
        publish_metrics_update(&p->metrics, &p->window, p->transport);
        publisher_sync_spool(p);
        pending_update(&p->pending, &p->window);
        if (!publisher_is_done(p))
            publisher_wait_and_read(p);
    }
    publisher_count_confirmed(p);
    publish_metrics_update(&p->metrics, &p->window, p->transport);
}

static struct publish_transport *publisher_new_transport(struct publish_config *config,
                                                         struct window *window)
{
    if (config->dry_run)
        return dry_run_new(&config->envelope);
    if (config->use_jetstream)
        return jetstream_new(&config->session, &config->jetstream, &config->envelope, window);
    return core_new(&config->session, &config->envelope);
}

/* A dry run prints single records. */
static bool publisher_open_batcher(struct publisher *p)
{
    static const struct batch_config none;
    const struct publish_config *config = p->config;
    const char *msg_id = config->use_jetstream ? config->jetstream.msg_id : NULL;
    bool resends_batches =
        config->spool && !config->dry_run && msg_id && msg_id_is_for_batches(msg_id);
    if (!batcher_init(&p->batcher, config->dry_run ? &none : &config->batch, &p->window,
                      p->transport, resends_batches ? p->window.read : 0))
        return false;
    if (envelope_has_fields(p->envelope)) {
        p->batcher.reader.key = envelope_key;
        p->batcher.reader.argument = p->envelope;
    }
    p->batcher.reject = publisher_reject_late;
    p->batcher.reject_argument = p;
    p->transport->needs_headers = config->batch.size != 0;
    return true;
}

static bool publisher_open(struct publisher *p)
{
    const struct publish_config *config = p->config;
    const char *spool = config->spool;
    if (spool && config->dry_run && access(spool, F_OK) != 0 && errno == ENOENT)
        spool = NULL; /* a dry run creates no file */
    input_init(&p->input, STDIN_FILENO);
    undelivered_lock(&p->undelivered);
    bool opened = window_open(&p->window, spool, config->window_size, config->dry_run);
    undelivered_unlock(&p->undelivered);
    if (!opened)
        return false;
    if (!publisher_open_batcher(p))
        return false;
    p->requested = p->window.next.offset;
    p->input_incomplete = p->window.has_loss;
    if (!reject_file_open(&p->rejects, config->rejects))
        return false;
    if (!undelivered_open(&p->undelivered))
        return false;
    if (!p->window.continues)
        publisher_reject_unfinished(p, "truncated: the process that read it was stopped");
    if (!p->transport->ops->open(p->transport))
        return false;
    p->input.wake_fd = p->transport->wake_fd;
    return true;
}

/* Unconfirmed lines are written out last, when no thread can confirm them any more. */
static void publisher_close(struct publisher *p)
{
    bool needs_server = p->transport->ops->needs_server;
    rate_limit_flush(&p->log_limit);
    rate_limit_flush(&p->connection_limit);
    if (!p->transport->ops->destroy(p->transport))
        p->failed = true;
    pthread_mutex_lock(&p->rejects_lock);
    if (!reject_file_close(&p->rejects))
        p->failed = true;
    pthread_mutex_unlock(&p->rejects_lock);
    buffer_free(&p->reject_line);
    undelivered_lock(&p->undelivered);
    if (needs_server && undelivered_write(&p->undelivered))
        p->failed = true;
    if (!window_close(&p->window))
        p->failed = true;
    undelivered_unlock(&p->undelivered);
    batcher_free(&p->batcher);
    buffer_free(&p->key);
    json_checker_free(&p->checker);
}

/* Called by the thread that handles signals. */
static void publisher_on_drain(void *argument)
{
    struct publisher *p = argument;
    char text[80] = "draining";
    if (p->config->shutdown_timeout_ns)
        snprintf(text, sizeof text, "draining for at most %g s (--shutdown-timeout)",
                 (double)p->config->shutdown_timeout_ns / (double)NS_PER_S);
    undelivered_lock(&p->undelivered);
    pending_log(&p->pending, &p->window.ring, text);
    undelivered_unlock(&p->undelivered);
}

/* The same while the loop is blocked, possibly with the lock. */
static void publisher_on_abort(void *argument)
{
    struct publisher *p = argument;
    undelivered_on_abort(&p->undelivered);
    if (pthread_mutex_trylock(&p->rejects_lock) == 0)
        reject_file_close(&p->rejects);
}

static void publisher_set_abort(struct publisher *p)
{
    p->signals.on_drain = publisher_on_drain;
    p->signals.on_abort = publisher_on_abort;
    p->signals.argument = p;
    /* Nothing is read before the first connection, and an attempt to connect may last. */
    atomic_init(&p->signals.immediate_reason, "stopped before connecting to a server");
}

int publish_run(struct publish_config *config)
{
    config->session.nats.sends_large_messages = config->batch.size >= LARGE_BATCH;
    struct stats own_stats = {0};
    struct publisher p = {.config = config,
                          .envelope = &config->envelope,
                          .batch_limit = config->batch.size,
                          .stats = stats_share_attach(&own_stats),
                          .rejects = {.output = {.fd = -1}},
                          .log_limit = {.quiet = config->quiet}};
    p.transport = publisher_new_transport(config, &p.window);
    if (!p.transport)
        return STATUS_FAILED;
    undelivered_init(&p.undelivered, &p.window, config->spill, config->spool);
    pthread_mutex_init(&p.rejects_lock, NULL);
    p.signals.handle_hangup = true;
    p.signals.shutdown_timeout_ns = config->shutdown_timeout_ns;
    atomic_init(&p.signals.immediate_reason, NULL);
    if (p.transport->ops->needs_server)
        publisher_set_abort(&p);
    if (!signals_open(&p.signals, p.stats, config->stats_interval_ns))
        return STATUS_FAILED;
    struct metrics metrics;
    struct metrics_provider provider = {publish_metrics_write, publish_metrics_not_ready,
                                        &p.metrics};
    publish_metrics_init(&p.metrics, p.stats, &p.signals);
    p.metrics.measures = config->metrics.given;
    p.metrics.has_spool = config->spool != NULL;
    bool has_metrics = metrics_open(&metrics, &config->metrics, &provider);
    bool opened = has_metrics && publisher_open(&p);
    if (opened) {
        publisher_loop(&p);
        publisher_close(&p);
    } else {
        p.transport->ops->destroy(p.transport);
        batcher_free(&p.batcher);
    }
    if (has_metrics) {
        atomic_store(&p.metrics.connected, false);
        metrics_close(&metrics);
    }
    signals_close(&p.signals);
    undelivered_free(&p.undelivered);
    pthread_mutex_destroy(&p.rejects_lock);
    if (!opened || p.failed || p.input_incomplete || p.lost)
        return STATUS_FAILED;
    return counter_read(&p.stats->rejected) ? STATUS_REJECTED : STATUS_OK;
}
