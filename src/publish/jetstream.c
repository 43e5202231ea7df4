#include "publish/jetstream.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "base/log.h"
#include "json/escape.h"
#include "publish/batch-headers.h"
#include "publish/inflight.h"
#include "publish/msg-id.h"
#include "publish/outage.h"
#include "publish/reply.h"
#include "publish/subject-cache.h"

enum {
    INFLIGHT_MIN = 64,
    INFLIGHT_START = 1024,
    LOOKUPS_MAX = 64,        /* of subjects in one poll() */
    RETRY_INTERVAL_MS = 100, /* between looks for due messages, and for the stream */
    SHOWN_MAX = 64           /* bytes of a reply that are logged */
};

static const uint64_t too_large_for_stream = 10054; /* err_code */
static const char no_stream_responds[] = "no stream responds";
static const uint64_t stream_retry_ns = NS_PER_S / 2;
static const uint64_t rate_interval_ns = NS_PER_S / 10;

/*
 * A stream acknowledges messages in the order of their transmission, however slowly. So a message
 * is resent if the stream refused it, if a later transmission was acknowledged (a gap), or if
 * nothing at all was acknowledged for a while; then the stream is unavailable, and one message
 * (the probe) is resent with increasing delays until the stream acknowledges anything.
 */
struct jetstream {
    struct publish_transport base;
    struct session_config *session_config;
    const struct jetstream_config *config;
    struct envelope *envelope;
    struct window *window;
    struct span_reader reader;
    struct session session;
    struct stream_api stream_api;
    struct msg_id msg_id;
    uint64_t recovered;    /* offset; lines before it may have been sent by an earlier process */
    bool stream_ready;     /* on this connection */
    uint64_t ensure_at_ns; /* clock_monotonic; 0: not tried on this connection */
    uint64_t next_look_ns; /* clock_monotonic */
    struct outage_report outage_report;
    struct subject_cache unbound; /* subjects that no stream has */
    struct subject_cache bound;   /* subjects that a stream has */

    pthread_mutex_t lock; /* guards the members below */
    struct inflight inflight;
    struct outage outage;
    bool needs_look;                 /* something is due */
    bool sender_blocked;             /* jetstream_can_send() returned false */
    bool confirmed;                  /* a message, on this connection */
    char inbox[NATS_CONN_INBOX_MAX]; /* ends in a dot; a new one for each connection */
    uint64_t duplicates;
    struct reply reply;

    size_t too_large;         /* bytes of a batch that was too large for the stream, or 0 */
    uint64_t orders;          /* transmissions so far */
    uint64_t confirmed_order; /* the latest transmission that was acknowledged */
    uint64_t progress_ns; /* clock_monotonic; the last acknowledgement, or the start of waiting */
    unsigned inflight_limit;
    bool limit_reached; /* since rate_from_ns */
    uint64_t rate_from_ns;
    uint64_t rate_count;

    bool odd_reply_logged;
};

static void jetstream_refuse(struct jetstream *j, struct inflight_message *m, const char *field,
                             const char *error_text, uint64_t error_offset)
{
    inflight_refuse(&j->inflight, m, field, error_text, error_offset);
    j->needs_look = true;
}

/* A batch is refused because of one of its records, or because it is too large for the stream. */
static void jetstream_refuse_part(struct jetstream *j, struct inflight_message *m,
                                  const char *field, const char *error_text, uint64_t error_offset)
{
    if (m->part.count == 1) {
        jetstream_refuse(j, m, field, error_text, error_offset);
        return;
    }
    inflight_split(&j->inflight, m, m->part.count / 2);
    j->needs_look = true;
}

static void jetstream_set_available(struct jetstream *j)
{
    outage_end(&j->outage);
    j->needs_look = true;
}

static void jetstream_measure_rate(struct jetstream *j, uint64_t now_ns)
{
    j->rate_count++;
    uint64_t passed_ns = now_ns - j->rate_from_ns;
    if (passed_ns < rate_interval_ns)
        return;
    /* One second of acknowledgements: the backlog at the server stays short. */
    uint64_t per_second = j->rate_count * NS_PER_S / passed_ns;
    if (j->limit_reached)
        j->inflight_limit = per_second > INFLIGHT_MAX   ? INFLIGHT_MAX
                            : per_second < INFLIGHT_MIN ? INFLIGHT_MIN
                                                        : (unsigned)per_second;
    j->limit_reached = false;
    j->rate_count = 0;
    j->rate_from_ns = now_ns;
}

/* Replies, which arrive in a thread of nats.c */

/* The stream works: it answered the transmission `order`. */
static void jetstream_on_progress(struct jetstream *j, uint64_t order)
{
    uint64_t now_ns = clock_monotonic();
    if (order == j->outage.probe)
        j->outage.retry_at_ns = 0;
    if (order > j->confirmed_order)
        j->confirmed_order = order;
    j->progress_ns = now_ns;
    jetstream_measure_rate(j, now_ns);
    if (j->outage.since_ns)
        jetstream_set_available(j);
}

/* No such stream, another stream than expected. */
static bool jetstream_error_is_of_message(uint64_t err_code)
{
    return err_code == too_large_for_stream || err_code == 10059 || err_code == 10060;
}

/* Sealed. */
static bool jetstream_error_is_permanent(uint64_t err_code)
{
    return err_code == 10109;
}

static void jetstream_on_error(struct jetstream *j, struct inflight_message *m, uint64_t order,
                               const struct reply_error *error)
{
    if (jetstream_error_is_of_message(error->err_code)) {
        jetstream_on_progress(j, order);
        if (error->err_code == too_large_for_stream && m->part.count > 1)
            j->too_large = m->part.length;
        jetstream_refuse_part(j, m, "STREAM", error->text, 0);
        return;
    }
    inflight_set_state(&j->inflight, m, INFLIGHT_RETRY);
    outage_begin(&j->outage, error->text, order == j->outage.probe);
    j->outage.failed = j->outage.failed || jetstream_error_is_permanent(error->err_code);
    j->needs_look = true;
}

static void jetstream_on_ack(struct jetstream *j, struct inflight_message *m, uint64_t order)
{
    bool is_duplicate = reply_is_true(&j->reply, "duplicate");
    j->confirmed = true;
    j->duplicates += is_duplicate ? m->part.count : 0;
    jetstream_on_progress(j, order);
    if (is_duplicate && !m->resent)
        jetstream_refuse(j, m, "MSG-ID", "the stream already has this id", 0);
    else
        inflight_complete(&j->inflight, m);
    j->needs_look = j->needs_look || m->state == INFLIGHT_SPLIT;
}

/* Something else replies, too: a subscriber, or another stream. Only the first one is logged. */
static void jetstream_on_odd_reply(struct jetstream *j, struct slice payload)
{
    char shown[JSON_STRING_CAPACITY(SHOWN_MAX) + 1];
    if (j->odd_reply_logged)
        return;
    j->odd_reply_logged = true;
    if (payload.len > SHOWN_MAX)
        payload.len = SHOWN_MAX;
    *json_quote(shown, payload.len ? payload : (struct slice){"", 0}) = '\0';
    log_warning("reply %s is not an acknowledgement of stream %s; ignoring such replies", shown,
                j->config->stream.name ? j->config->stream.name : "(any)");
}

static void jetstream_on_message_reply(struct jetstream *j, struct inflight_message *m,
                                       uint64_t order, struct slice payload)
{
    char stream[NATS_CONN_TEXT_MAX];
    uint64_t seq;
    struct reply_error error;
    const char *expected = j->config->stream.name;
    bool is_object = payload.len && reply_parse(&j->reply, payload);
    if (is_object && !reply_get_error(&j->reply, &error) &&
        reply_get_text(&j->reply, "stream", stream, sizeof stream) && *stream &&
        reply_get_number(&j->reply, "seq", &seq) && (!expected || strcmp(stream, expected) == 0))
        jetstream_on_ack(j, m, order);
    else if (is_object && reply_parse(&j->reply, payload) && reply_get_error(&j->reply, &error))
        jetstream_on_error(j, m, order, &error);
    else
        jetstream_on_odd_reply(j, payload);
}

/* Returns the message in flight to which a subject "INBOX.SEQUENCE-ORDER" belongs, or NULL. */
static struct inflight_message *jetstream_find_message(struct jetstream *j, const char *subject,
                                                       uint64_t *order)
{
    size_t inbox_len = strlen(j->inbox);
    const char *text = subject + inbox_len;
    char *end;
    if (inbox_len == 0 || strncmp(subject, j->inbox, inbox_len) != 0 || *text < '0' || *text > '9')
        return NULL;
    uint64_t sequence = strtoull(text, &end, 10);
    if (*end != '-' || end[1] < '0' || end[1] > '9' || sequence < j->inflight.first ||
        sequence >= j->inflight.next)
        return NULL;
    *order = strtoull(end + 1, &end, 10);
    struct inflight_message *m = inflight_at(&j->inflight, sequence);
    bool is_part = m->state != INFLIGHT_SPLIT && *order >= m->part_order && *order <= m->order;
    return *end == '\0' && is_part && inflight_is_open(m) ? m : NULL;
}

static void jetstream_on_reply(void *argument, const char *subject, struct slice payload,
                               bool no_responders)
{
    struct jetstream *j = argument;
    uint64_t order;
    pthread_mutex_lock(&j->lock);
    struct inflight_message *m = jetstream_find_message(j, subject, &order);
    if (m && no_responders) {
        inflight_set_state(&j->inflight, m, INFLIGHT_UNBOUND);
        if (j->outage.since_ns)
            outage_begin(&j->outage, no_stream_responds, order == j->outage.probe);
        j->needs_look = true;
    } else if (m) {
        jetstream_on_message_reply(j, m, order, payload);
    }
    bool wake =
        m && (inflight_is_empty(&j->inflight) || j->needs_look ||
              (j->sender_blocked && j->inflight.next - j->inflight.first <= j->inflight_limit / 2));
    j->sender_blocked = j->sender_blocked && !wake;
    pthread_mutex_unlock(&j->lock);
    if (wake)
        eventfd_write(j->session.wake_fd, 1);
}

/* Sending */

static const char *jetstream_format_id(struct jetstream *j, const struct span *part,
                                       struct slice text, char *id)
{
    if (!j->config->msg_id)
        return NULL;
    if (part->count == 1)
        msg_id_format(&j->msg_id, part->start.offset, text, id);
    else
        msg_id_format_batch(&j->msg_id, part->start.offset, part->count, text, id);
    return id;
}

/* The headers of a message. */
struct jetstream_headers {
    struct nats_conn_header list[ENVELOPE_HEADERS_MAX + BATCH_HEADERS + 2];
    struct batch_headers batch;
};

/* Those of the envelope and others. `id` may be NULL. `records` is 0 if the message is not a batch.
 */
static void jetstream_set_headers(const struct jetstream *j, struct nats_conn_message *m,
                                  struct jetstream_headers *h, const char *id, uint32_t records)
{
    size_t n = j->envelope->header_count;
    memcpy(h->list, j->envelope->headers, n * sizeof *h->list);
    if (records) {
        batch_headers_set(&h->batch, records);
        memcpy(h->list + n, h->batch.list, sizeof h->batch.list);
        n += BATCH_HEADERS;
    }
    if (id)
        h->list[n++] = (struct nats_conn_header){"Nats-Msg-Id", id};
    if (j->config->stream.name)
        h->list[n++] = (struct nats_conn_header){"Nats-Expected-Stream", j->config->stream.name};
    m->headers = h->list;
    m->header_count = n;
}

/* Sends a message in flight, without the lock. On TRANSPORT_TOO_LONG, line_max is the limit. */
static enum transport_result jetstream_transmit(struct jetstream *j, uint64_t sequence,
                                                const struct inflight_message *message,
                                                struct slice text)
{
    char reply[NATS_CONN_INBOX_MAX + 64];
    char id[MSG_ID_SIZE];
    struct jetstream_headers headers;
    struct nats_conn_message m = {.subject = j->envelope->subject, .reply = reply, .payload = text};
    envelope_fill(j->envelope, message->part.count > 1 ? span_first_of(text) : text);
    jetstream_set_headers(j, &m, &headers, jetstream_format_id(j, &message->part, text, id),
                          message->is_batch ? message->part.count : 0);
    snprintf(reply, sizeof reply, "%s%" PRIu64 "-%" PRIu64, j->inbox, sequence, message->order);
    switch (nats_conn_publish(j->session.conn, &m)) {
    case NATS_CONN_SENT:
        return TRANSPORT_SENT;
    case NATS_CONN_REFUSED:
        j->base.line_max = nats_conn_payload_limit(j->session.conn, &m);
        return TRANSPORT_TOO_LONG;
    case NATS_CONN_CLOSED:
        break;
    }
    session_mark_lost(&j->session);
    return TRANSPORT_DISCONNECTED;
}

/* The lock is held. */
static void jetstream_mark_sent(struct jetstream *j, struct inflight_message *m)
{
    m->sent_ns = clock_monotonic();
    m->order = ++j->orders;
    if (j->inflight.counts[INFLIGHT_SENT] == 0)
        j->progress_ns = m->sent_ns;
    inflight_set_state(&j->inflight, m, INFLIGHT_SENT);
}

static bool jetstream_can_send(struct publish_transport *t)
{
    struct jetstream *j = (struct jetstream *)t;
    if (!j->stream_ready)
        return false;
    pthread_mutex_lock(&j->lock);
    bool has_space = j->inflight.next - j->inflight.first < j->inflight_limit;
    bool can_send = has_space && !inflight_has_waiting(&j->inflight) && !j->outage.since_ns;
    j->limit_reached = j->limit_reached || !has_space;
    j->sender_blocked = !can_send;
    pthread_mutex_unlock(&j->lock);
    return can_send;
}

/* A later process must find the same batches, so that a stream that has them already knows them. */
static bool jetstream_save_batch(struct jetstream *j, const struct span *part)
{
    return part->count == 1 || !j->config->msg_id ||
           window_mark_batch(j->window, part->start.offset, part->count);
}

/* The lock is held. */
static struct inflight_message *
jetstream_add(struct jetstream *j, const struct transport_message *message, const struct span *span)
{
    struct inflight_message *m = inflight_at(&j->inflight, j->inflight.next++);
    *m = (struct inflight_message){.settled = *message->settled,
                                   .part = *span,
                                   .part_order = j->orders + 1,
                                   .is_batch = message->is_batch,
                                   .resent = span->start.offset < j->recovered,
                                   .state = INFLIGHT_DONE};
    return m;
}

/* The lock is held. The records are sent by jetstream_look(). */
static void jetstream_split(struct jetstream *j, struct inflight_message *m, uint32_t part_max)
{
    inflight_split(&j->inflight, m, part_max);
    j->needs_look = true;
    eventfd_write(j->session.wake_fd, 1);
}

static enum transport_result jetstream_send(struct publish_transport *t,
                                            const struct transport_message *message)
{
    struct jetstream *j = (struct jetstream *)t;
    struct span span = message->span ? *message->span : span_of_line(j->window, message->line);
    bool is_saved = jetstream_save_batch(j, &span);
    pthread_mutex_lock(&j->lock);
    uint64_t sequence = j->inflight.next;
    struct inflight_message *m = jetstream_add(j, message, &span);
    if (is_saved)
        jetstream_mark_sent(j, m);
    else
        jetstream_split(j, m, 1);
    struct inflight_message copy = *m;
    pthread_mutex_unlock(&j->lock);
    if (!is_saved)
        return TRANSPORT_SENT;
    enum transport_result result = jetstream_transmit(j, sequence, &copy, message->text);
    if (result != TRANSPORT_TOO_LONG)
        return result;
    pthread_mutex_lock(&j->lock);
    if (copy.part.count > 1) {
        jetstream_split(j, m, copy.part.count / 2);
        result = TRANSPORT_SENT;
    } else {
        /* The caller rejects the line; nothing was sent after it. */
        inflight_set_state(&j->inflight, m, INFLIGHT_DONE);
        j->inflight.next--;
    }
    pthread_mutex_unlock(&j->lock);
    return result;
}

/* Resending; the lock is held, but not while sending */

static void jetstream_next_part(struct jetstream *j, struct inflight_message *m)
{
    struct span rest = m->rest;
    m->part = span_take(&j->reader, &m->rest, m->part_max);
    if (!jetstream_save_batch(j, &m->part)) {
        m->part_max = 1;
        m->rest = rest;
        m->part = span_take(&j->reader, &m->rest, 1);
    }
    m->part_order = j->orders + 1;
    m->resent = m->part.start.offset < j->recovered;
}

static void jetstream_resend(struct jetstream *j, uint64_t sequence, bool is_probe,
                             enum transport_result *result)
{
    struct inflight_message *m = inflight_at(&j->inflight, sequence);
    if (m->state == INFLIGHT_SPLIT)
        jetstream_next_part(j, m);
    else
        m->resent = true;
    j->base.resent++;
    jetstream_mark_sent(j, m);
    struct inflight_message copy = *m;
    if (is_probe) {
        j->outage.probe = copy.order;
        j->outage.retry_at_ns = m->sent_ns + j->config->ack_timeout_ns;
    }
    pthread_mutex_unlock(&j->lock);
    *result = jetstream_transmit(j, sequence, &copy, span_read(&j->reader, &copy.part));
    pthread_mutex_lock(&j->lock);
    if (*result == TRANSPORT_TOO_LONG && inflight_is_open(m)) {
        jetstream_refuse_part(j, m, "PAYLOAD", "longer than the server's max_payload",
                              j->base.line_max);
        if (is_probe)
            j->outage.retry_at_ns = 0;
    }
}

/* The size of a message with its variable headers. */
static size_t jetstream_message_size(struct jetstream *j, const struct inflight_message *m)
{
    char id[MSG_ID_SIZE];
    struct slice text = span_read(&j->reader, &m->part);
    const char *msg_id = jetstream_format_id(j, &m->part, text, id);
    size_t size = text.len + (msg_id ? strlen(msg_id) : 0);
    envelope_fill(j->envelope, m->part.count > 1 ? span_first_of(text) : text);
    for (size_t i = 0; i < j->envelope->header_count; i++)
        size += strlen(j->envelope->headers[i].value);
    return size;
}

/* If the server closed the connection because of a message that is too long, the longest one is. */
static void jetstream_refuse_longest(struct jetstream *j)
{
    struct inflight_message *longest = NULL;
    size_t longest_size = 0;
    pthread_mutex_lock(&j->lock);
    for (uint64_t i = j->inflight.first; i < j->inflight.next; i++) {
        struct inflight_message *m = inflight_at(&j->inflight, i);
        size_t size = m->state == INFLIGHT_SENT ? jetstream_message_size(j, m) : 0;
        if (size > longest_size) {
            longest_size = size;
            longest = m;
        }
    }
    if (longest)
        jetstream_refuse_part(j, longest, "PAYLOAD", TRANSPORT_PAYLOAD_VIOLATED, 0);
    pthread_mutex_unlock(&j->lock);
}

/* Resends the first message, or all that wait for it if the stream is available. */
static void jetstream_resend_waiting(struct jetstream *j)
{
    enum transport_result result = TRANSPORT_SENT;
    for (uint64_t i = j->inflight.first; i < j->inflight.next && result != TRANSPORT_DISCONNECTED;
         i++) {
        const struct inflight_message *m = inflight_at(&j->inflight, i);
        bool is_probe = j->outage.since_ns != 0;
        if (!inflight_is_open(m) ||
            (!is_probe && m->state != INFLIGHT_RETRY && m->state != INFLIGHT_SPLIT))
            continue;
        jetstream_resend(j, i, is_probe, &result);
        if (is_probe && result != TRANSPORT_TOO_LONG)
            return;
    }
    if (j->outage.since_ns)
        jetstream_set_available(j); /* no message is left to probe it with */
}

/* Sets the subject of the envelope to that of the message. */
static const char *jetstream_find_subject(struct jetstream *j, const struct inflight_message *m)
{
    envelope_fill(j->envelope, span_first_record(j->window, &m->part));
    return j->envelope->subject;
}

/* Looks up the subject of a message, without the lock: its state may change. */
static enum stream_api_state jetstream_look_up(struct jetstream *j,
                                               const struct inflight_message *m, char *error_text)
{
    const char *subject = jetstream_find_subject(j, m);
    pthread_mutex_unlock(&j->lock);
    enum stream_api_state state =
        stream_api_diagnose(j->session.conn, &j->config->stream, subject, error_text);
    if (state == STREAM_API_UNBOUND)
        subject_cache_add(&j->unbound, subject, clock_monotonic());
    if (state == STREAM_API_READY)
        subject_cache_add(&j->bound, subject, clock_monotonic());
    pthread_mutex_lock(&j->lock);
    return state;
}

static void jetstream_refuse_unbound(struct jetstream *j, struct inflight_message *m)
{
    jetstream_refuse(j, m, "STREAM", "no stream has this subject", 0);
}

/* A stream that does not respond now has the subject of a message, and perhaps those of others. */
static void jetstream_retry_unbound(struct jetstream *j)
{
    for (uint64_t i = j->inflight.first; i < j->inflight.next && inflight_has_unknown(&j->inflight);
         i++) {
        struct inflight_message *m = inflight_at(&j->inflight, i);
        if (inflight_is_unknown(m))
            inflight_set_state(&j->inflight, m, INFLIGHT_RETRY);
    }
}

/* Acts on the outcome of a lookup. Returns false if the stream is unavailable. */
static bool jetstream_apply_lookup(struct jetstream *j, struct inflight_message *m,
                                   enum stream_api_state state, const char *error_text)
{
    bool is_gap = m->state == INFLIGHT_GAP;
    if (!inflight_is_unknown(m))
        return true;
    if (state == STREAM_API_UNBOUND) {
        jetstream_refuse_unbound(j, m);
        return true;
    }
    if (state == STREAM_API_READY && is_gap) {
        inflight_set_state(&j->inflight, m, INFLIGHT_RETRY);
        return true;
    }
    j->outage.failed = j->outage.failed || state == STREAM_API_FAILED;
    jetstream_retry_unbound(j);
    outage_begin(&j->outage, error_text, false);
    return false;
}

/*
 * Looks up the subjects of messages that no stream has received or acknowledged. Those of other
 * messages may have a stream, so the stream is unavailable only if it has such a subject.
 */
static void jetstream_check_unknown(struct jetstream *j)
{
    char error_text[NATS_CONN_TEXT_MAX];
    unsigned lookups = 0;
    snprintf(error_text, sizeof error_text, "%s", no_stream_responds);
    for (uint64_t i = j->inflight.first; i < j->inflight.next && inflight_has_unknown(&j->inflight);
         i++) {
        struct inflight_message *m = inflight_at(&j->inflight, i);
        uint64_t now_ns = clock_monotonic();
        enum stream_api_state state;
        if (!inflight_is_unknown(m))
            continue;
        const char *subject = jetstream_find_subject(j, m);
        if (subject_cache_has(&j->unbound, subject, now_ns)) {
            state = STREAM_API_UNBOUND;
        } else if (m->state == INFLIGHT_GAP && subject_cache_has(&j->bound, subject, now_ns)) {
            state = STREAM_API_READY;
        } else if (lookups++ == LOOKUPS_MAX) {
            j->needs_look = true;
            eventfd_write(j->session.wake_fd, 1);
            return;
        } else {
            state = jetstream_look_up(j, m, error_text);
        }
        if (!jetstream_apply_lookup(j, m, state, error_text))
            return;
    }
}

/*
 * Messages without a reply are refused, too. A fixed subject that had a stream before may have it
 * again.
 */
static void jetstream_refuse_unanswered(struct jetstream *j)
{
    uint64_t now_ns = clock_monotonic();
    bool had_stream =
        !envelope_has_subjects(j->envelope) && (j->confirmed || j->session.confirmed_before);
    for (uint64_t i = j->inflight.first; i < j->inflight.next; i++) {
        struct inflight_message *m = inflight_at(&j->inflight, i);
        bool is_candidate = had_stream ? m->state == INFLIGHT_UNBOUND
                                       : inflight_is_open(m) && m->state != INFLIGHT_SPLIT;
        if (is_candidate && subject_cache_has(&j->unbound, jetstream_find_subject(j, m), now_ns))
            jetstream_refuse_unbound(j, m);
    }
}

/* Asks the server once for all messages why they are not acknowledged. */
static void jetstream_diagnose(struct jetstream *j)
{
    char error_text[NATS_CONN_TEXT_MAX];
    snprintf(error_text, sizeof error_text, "%s", j->outage.text);
    uint64_t i = j->inflight.first;
    while (i < j->inflight.next && !inflight_is_open(inflight_at(&j->inflight, i)))
        i++;
    if (i == j->inflight.next)
        return;
    enum stream_api_state state = jetstream_look_up(j, inflight_at(&j->inflight, i), error_text);
    if (!j->outage.since_ns)
        return;
    snprintf(j->outage.text, sizeof j->outage.text, "%s", error_text);
    if (state == STREAM_API_FAILED)
        j->outage.failed = true;
    else if (state == STREAM_API_UNBOUND)
        jetstream_refuse_unanswered(j);
    else
        jetstream_retry_unbound(j);
}

/* One subject may be without a stream while the stream acknowledges others. */
static void jetstream_mark_gaps(struct jetstream *j, uint64_t now_ns)
{
    enum inflight_state gap = envelope_has_subjects(j->envelope) ? INFLIGHT_GAP : INFLIGHT_RETRY;
    for (uint64_t i = j->inflight.first; i < j->inflight.next && !j->outage.since_ns; i++) {
        struct inflight_message *m = inflight_at(&j->inflight, i);
        if (m->state == INFLIGHT_SENT && m->order < j->confirmed_order &&
            now_ns - m->sent_ns >= j->config->ack_timeout_ns)
            inflight_set_state(&j->inflight, m, gap);
    }
}

static void jetstream_check_timeout(struct jetstream *j, uint64_t now_ns)
{
    char reason[NATS_CONN_TEXT_MAX];
    uint64_t timeout_ns = j->config->ack_timeout_ns;
    bool stalled = !j->outage.since_ns && j->inflight.counts[INFLIGHT_SENT] &&
                   now_ns - j->progress_ns >= timeout_ns;
    bool probe_lost = j->outage.since_ns && j->outage.probe && now_ns >= j->outage.retry_at_ns;
    if (!stalled && !probe_lost)
        return;
    snprintf(reason, sizeof reason, "no acknowledgement for %.3g s", (double)timeout_ns / NS_PER_S);
    outage_begin(&j->outage, probe_lost ? NULL : reason, probe_lost);
    if (stalled)
        j->outage.retry_at_ns = now_ns;
}

static void jetstream_look(struct jetstream *j)
{
    uint64_t now_ns = clock_monotonic();
    pthread_mutex_lock(&j->lock);
    if (j->needs_look || now_ns >= j->next_look_ns) {
        j->needs_look = false;
        j->next_look_ns = now_ns + RETRY_INTERVAL_MS * (NS_PER_S / 1000);
        jetstream_check_timeout(j, now_ns);
        jetstream_mark_gaps(j, now_ns);
        if (j->too_large && j->too_large / 2 < j->base.batch_max)
            j->base.batch_max = j->too_large / 2;
        j->too_large = 0;
        if (!j->outage.since_ns)
            jetstream_check_unknown(j);
        if (j->outage.since_ns && now_ns >= j->outage.retry_at_ns && !j->outage.probe)
            jetstream_diagnose(j);
        if (!j->outage.failed && now_ns >= j->outage.retry_at_ns &&
            (inflight_has_waiting(&j->inflight) || j->inflight.counts[INFLIGHT_SPLIT] ||
             j->outage.since_ns) &&
            !j->outage.probe)
            jetstream_resend_waiting(j);
    }
    pthread_mutex_unlock(&j->lock);
}

/* Connection and stream */

/* Acknowledgements of an earlier connection are lost, so all messages in flight are resent. */
static bool jetstream_resume(struct jetstream *j, char *error_text)
{
    char inbox[NATS_CONN_INBOX_MAX];
    if (!nats_conn_new_inbox(j->session.conn, inbox, error_text))
        return false;
    pthread_mutex_lock(&j->lock);
    memcpy(j->inbox, inbox, sizeof inbox);
    for (uint64_t i = j->inflight.first; i < j->inflight.next; i++) {
        struct inflight_message *m = inflight_at(&j->inflight, i);
        if (inflight_is_open(m) && m->state != INFLIGHT_SPLIT)
            inflight_set_state(&j->inflight, m, INFLIGHT_RETRY);
    }
    if (inflight_is_empty(&j->inflight) && j->outage.since_ns)
        jetstream_set_available(j);
    j->confirmed = false;
    j->needs_look = true;
    j->outage.retry_at_ns = j->confirmed_order = j->outage.probe = 0;
    j->rate_from_ns = clock_monotonic();
    j->rate_count = 0;
    pthread_mutex_unlock(&j->lock);
    return nats_conn_subscribe_replies(j->session.conn, j->inbox, jetstream_on_reply, j,
                                       error_text);
}

static void jetstream_find_stream(struct jetstream *j)
{
    char error_text[NATS_CONN_TEXT_MAX] = "";
    uint64_t now_ns = clock_monotonic();
    bool needs_headers = j->base.needs_headers || j->config->msg_id || j->config->stream.name ||
                         j->envelope->header_count;
    if (now_ns < j->ensure_at_ns)
        return;
    enum stream_api_state state = STREAM_API_FAILED;
    if (needs_headers && !nats_conn_accepts_headers(j->session.conn))
        snprintf(error_text, sizeof error_text,
                 "the server accepts no headers, which --stream, --msg-id, --header and --batch "
                 "require");
    else
        state = stream_api_ensure(&j->stream_api, j->session.conn, &j->config->stream, error_text);
    j->stream_ready = state == STREAM_API_READY && jetstream_resume(j, error_text);
    if (j->stream_ready)
        return;
    j->ensure_at_ns = now_ns + stream_retry_ns;
    pthread_mutex_lock(&j->lock);
    outage_begin(&j->outage, error_text, false);
    j->outage.failed = state == STREAM_API_FAILED;
    pthread_mutex_unlock(&j->lock);
}

static const char *jetstream_stream_name(const struct jetstream *j)
{
    return j->config->stream.name ? j->config->stream.name : j->envelope->subject_source;
}

/* Returns TRANSPORT_FAILED after the reason was logged, else TRANSPORT_UP. */
static enum transport_event jetstream_check_stream(struct jetstream *j)
{
    pthread_mutex_lock(&j->lock);
    struct outage outage = j->outage;
    j->outage.ended_ns = 0;
    pthread_mutex_unlock(&j->lock);
    j->base.unavailable = outage.since_ns != 0;
    if (outage.failed) {
        log_printf("stream %s: %s", jetstream_stream_name(j), outage.text);
        return TRANSPORT_FAILED;
    }
    outage_report(&j->outage_report, &outage, jetstream_stream_name(j));
    if (outage.since_ns && session_is_overdue(&j->session)) {
        log_printf("stream %s unavailable: %s; --connect-timeout has expired",
                   jetstream_stream_name(j), outage.text);
        return TRANSPORT_FAILED;
    }
    return TRANSPORT_UP;
}

/* A lost connection may have confirmed messages after the last call. */
static void jetstream_update_session(struct jetstream *j)
{
    pthread_mutex_lock(&j->lock);
    bool confirmed = j->confirmed;
    pthread_mutex_unlock(&j->lock);
    if (j->stream_ready && confirmed)
        session_mark_confirmed(&j->session);
}

static size_t jetstream_batch_max(const struct jetstream *j)
{
    char id[MSG_ID_BATCH_MAX + 1];
    struct jetstream_headers headers;
    struct nats_conn_message m = {.subject = j->envelope->subject};
    memset(id, 'x', MSG_ID_BATCH_MAX);
    id[MSG_ID_BATCH_MAX] = '\0';
    jetstream_set_headers(j, &m, &headers, j->config->msg_id ? id : NULL, UINT32_MAX);
    return nats_conn_payload_limit(j->session.conn, &m);
}

static enum transport_event jetstream_poll(struct publish_transport *t)
{
    struct jetstream *j = (struct jetstream *)t;
    jetstream_update_session(j);
    enum transport_event event = session_poll(&j->session);
    if (event == TRANSPORT_CONNECTED) {
        t->max_payload = nats_conn_max_payload(j->session.conn);
        t->batch_max = jetstream_batch_max(j);
    }
    if (event == TRANSPORT_LOST && session_payload_violated(&j->session))
        jetstream_refuse_longest(j);
    if (event != TRANSPORT_UP) {
        j->stream_ready = false;
        j->ensure_at_ns = 0;
        return event;
    }
    if (!j->stream_ready)
        jetstream_find_stream(j);
    if (j->stream_ready)
        jetstream_look(j);
    return jetstream_check_stream(j);
}

static int jetstream_timeout_ms(struct publish_transport *t)
{
    struct jetstream *j = (struct jetstream *)t;
    if (!j->session.conn)
        return session_timeout_ms(&j->session);
    if (!j->stream_ready)
        return j->ensure_at_ns ? RETRY_INTERVAL_MS : 0;
    pthread_mutex_lock(&j->lock);
    bool idle = inflight_is_empty(&j->inflight);
    pthread_mutex_unlock(&j->lock);
    return idle ? -1 : RETRY_INTERVAL_MS;
}

/* Results */

/* A PONG does not confirm a stored message, but a missing one reveals a dead connection. */
static void jetstream_request_confirmation(struct publish_transport *t,
                                           const struct window_mark *sent)
{
    struct jetstream *j = (struct jetstream *)t;
    session_request_confirmation(&j->session, sent);
}

static struct window_mark jetstream_confirmed(struct publish_transport *t,
                                              const struct window_mark *sent)
{
    struct jetstream *j = (struct jetstream *)t;
    pthread_mutex_lock(&j->lock);
    struct window_mark confirmed =
        inflight_is_empty(&j->inflight) ? *sent : j->inflight.acknowledged;
    t->duplicates = j->duplicates;
    pthread_mutex_unlock(&j->lock);
    return confirmed;
}

/* A batch may be refused with all of its records, which are then returned one by one. */
static bool jetstream_take_refusal(struct publish_transport *t, struct transport_refusal *refusal)
{
    struct jetstream *j = (struct jetstream *)t;
    pthread_mutex_lock(&j->lock);
    struct inflight_message *m = inflight_find_refused(&j->inflight);
    if (m) {
        struct span record = span_take(&j->reader, &m->part, 1);
        refusal->number = record.start.lines + 1;
        refusal->offset = record.start.offset;
        refusal->text = span_read(&j->reader, &record);
        refusal->field = m->error_field;
        refusal->error_offset = m->error_offset;
        snprintf(refusal->error_text, sizeof refusal->error_text, "%s",
                 m->error_text ? m->error_text : "refused");
        if (m->part.count == 0)
            inflight_complete(&j->inflight, m);
        j->needs_look = j->needs_look || m->state == INFLIGHT_SPLIT;
    }
    pthread_mutex_unlock(&j->lock);
    return m != NULL;
}

/* Lifetime */

static bool jetstream_open(struct publish_transport *t)
{
    struct jetstream *j = (struct jetstream *)t;
    if (!session_open(&j->session, j->session_config))
        return false;
    t->wake_fd = j->session.wake_fd;
    j->recovered = j->window->read;
    if (!j->config->msg_id)
        return true;
    char error_text[LINE_TEMPLATE_TEXT_MAX];
    bool is_valid = msg_id_init(&j->msg_id, j->config->msg_id, error_text);
    j->msg_id.input_id = j->window->ring.id;
    j->msg_id.checks_lines = j->envelope->checks_lines;
    return is_valid;
}

static bool jetstream_destroy(struct publish_transport *t)
{
    struct jetstream *j = (struct jetstream *)t;
    session_close(&j->session);
    inflight_free(&j->inflight);
    span_reader_free(&j->reader);
    msg_id_free(&j->msg_id);
    reply_free(&j->reply);
    pthread_mutex_destroy(&j->lock);
    free(j);
    return true;
}

static const struct transport_ops jetstream_ops = {.needs_server = true,
                                                   .resends = true,
                                                   .open = jetstream_open,
                                                   .poll = jetstream_poll,
                                                   .can_send = jetstream_can_send,
                                                   .send = jetstream_send,
                                                   .request_confirmation =
                                                       jetstream_request_confirmation,
                                                   .confirmed = jetstream_confirmed,
                                                   .take_refusal = jetstream_take_refusal,
                                                   .timeout_ms = jetstream_timeout_ms,
                                                   .destroy = jetstream_destroy};

struct publish_transport *jetstream_new(struct session_config *session,
                                        const struct jetstream_config *config,
                                        struct envelope *envelope, struct window *window)
{
    struct jetstream *j = calloc(1, sizeof *j);
    if (!j || !inflight_init(&j->inflight)) {
        log_printf("out of memory");
        free(j);
        return NULL;
    }
    j->base = (struct publish_transport){.ops = &jetstream_ops,
                                         .wake_fd = -1,
                                         .peer = j->session.peer,
                                         .error_text = j->session.lost_text};
    j->session_config = session;
    j->config = config;
    j->envelope = envelope;
    j->window = window;
    j->reader = (struct span_reader){.window = window,
                                     .key = envelope_has_fields(envelope) ? envelope_key : NULL,
                                     .argument = envelope};
    j->inflight_limit = INFLIGHT_START;
    pthread_mutex_init(&j->lock, NULL);
    return &j->base;
}
