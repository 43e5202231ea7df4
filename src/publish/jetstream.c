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
#include "publish/message-count.h"
#include "publish/msg-id.h"
#include "publish/reply.h"
#include "publish/subject-cache.h"

enum {
    INFLIGHT_MAX = 16 * 1024,
    INFLIGHT_MIN = 64,
    INFLIGHT_START = 1024,
    LOOKUPS_MAX = 64,        /* of subjects in one poll() */
    RETRY_INTERVAL_MS = 100, /* between looks for due messages, and for the stream */
    SHOWN_MAX = 64           /* bytes of a reply that are logged */
};

static const char no_stream_responds[] = "no stream responds";
static const uint64_t backoff_min_ns = NS_PER_S / 4;
static const uint64_t backoff_max_ns = 4 * NS_PER_S;
static const uint64_t stream_retry_ns = NS_PER_S / 2;
static const uint64_t rate_interval_ns = NS_PER_S / 10;
static const uint64_t report_after_ns = 5 * NS_PER_S;
static const uint64_t report_interval_ns = 60 * NS_PER_S;

enum jetstream_message_state {
    JETSTREAM_SENT,
    JETSTREAM_RETRY,   /* to be resent */
    JETSTREAM_UNBOUND, /* no stream received it; it is refused, or resent */
    JETSTREAM_GAP,     /* later ones were acknowledged; the same */
    JETSTREAM_REFUSED, /* permanently, because of error_text */
    JETSTREAM_DONE     /* acknowledged, or reported as refused */
};

struct jetstream_message {
    struct window_mark end; /* of its line */
    uint64_t offset;        /* of its line */
    uint64_t sent_ns;       /* clock_monotonic; of its last transmission */
    uint64_t order;         /* of its last transmission */
    const char *error_field;
    char *error_text;
    uint64_t error_offset;
    enum jetstream_message_state state;
    bool resent; /* the stream may have it already */
};

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
    struct session session;
    struct stream_api stream_api;
    struct msg_id msg_id;
    uint64_t recovered;    /* offset; lines before it may have been sent by an earlier process */
    bool stream_ready;     /* on this connection */
    uint64_t ensure_at_ns; /* clock_monotonic; 0: not tried on this connection */
    uint64_t next_look_ns; /* clock_monotonic */
    uint64_t last_reported_ns;    /* clock_monotonic; 0: not since the stream is unavailable */
    struct subject_cache unbound; /* subjects that no stream has */
    struct subject_cache bound;   /* subjects that a stream has */

    pthread_mutex_t lock;               /* guards the members below */
    struct jetstream_message *inflight; /* a ring, indexed by sequence */
    uint64_t first;                     /* sequences in [first, next) are in flight */
    uint64_t next;
    struct window_mark acknowledged;
    unsigned counts[JETSTREAM_DONE + 1]; /* of messages in flight, by their state */
    bool needs_look;                     /* something is due */
    bool sender_blocked;                 /* jetstream_can_send() returned false */
    bool confirmed;                      /* a message, on this connection */
    char inbox[NATS_CONN_INBOX_MAX];     /* ends in a dot; a new one for each connection */
    uint64_t duplicates;
    struct reply reply;

    uint64_t orders;          /* transmissions so far */
    uint64_t confirmed_order; /* the latest transmission that was acknowledged */
    uint64_t progress_ns; /* clock_monotonic; the last acknowledgement, or the start of waiting */
    unsigned inflight_limit;
    bool limit_reached; /* since rate_from_ns */
    uint64_t rate_from_ns;
    uint64_t rate_count;

    uint64_t unavailable_ns; /* clock_monotonic; since then, 0 if it is available */
    uint64_t retry_at_ns;    /* clock_monotonic; nothing is resent before */
    uint64_t backoff_ns;
    uint64_t probe;     /* the order of its transmission, 0 for none */
    uint64_t outage_ns; /* of the unavailability that ended last, until it is reported */
    bool failed;        /* permanently, because of unavailable_text */
    char unavailable_text[NATS_CONN_TEXT_MAX];

    bool odd_reply_logged;
};

static struct jetstream_message *jetstream_message_at(const struct jetstream *j, uint64_t sequence)
{
    return &j->inflight[sequence % INFLIGHT_MAX];
}

static struct slice jetstream_message_text(const struct jetstream *j,
                                           const struct jetstream_message *m)
{
    struct slice text = {ring_byte(&j->window->ring, m->offset),
                         (size_t)(m->end.offset - m->offset - 1)};
    if (text.len && text.data[text.len - 1] == '\r')
        text.len--;
    return text;
}

static bool jetstream_is_open(const struct jetstream_message *m)
{
    return m->state != JETSTREAM_DONE && m->state != JETSTREAM_REFUSED;
}

static void jetstream_set_state(struct jetstream *j, struct jetstream_message *m,
                                enum jetstream_message_state state)
{
    j->counts[m->state]--;
    j->counts[state]++;
    m->state = state;
}

/* Whether a stream has the subject of the message is to be looked up. */
static bool jetstream_is_unknown(const struct jetstream_message *m)
{
    return m->state == JETSTREAM_UNBOUND || m->state == JETSTREAM_GAP;
}

static bool jetstream_has_unknown(const struct jetstream *j)
{
    return j->counts[JETSTREAM_UNBOUND] || j->counts[JETSTREAM_GAP];
}

static bool jetstream_has_waiting(const struct jetstream *j)
{
    return j->counts[JETSTREAM_RETRY] || jetstream_has_unknown(j);
}

static void jetstream_complete(struct jetstream *j, struct jetstream_message *m)
{
    jetstream_set_state(j, m, JETSTREAM_DONE);
    while (j->first < j->next && jetstream_message_at(j, j->first)->state == JETSTREAM_DONE) {
        j->acknowledged = jetstream_message_at(j, j->first)->end;
        j->first++;
    }
}

static void jetstream_refuse(struct jetstream *j, struct jetstream_message *m, const char *field,
                             const char *error_text, uint64_t error_offset)
{
    jetstream_set_state(j, m, JETSTREAM_REFUSED);
    m->error_field = field;
    m->error_text = strdup(error_text);
    m->error_offset = error_offset;
    j->needs_look = true;
}

/* Availability of the stream; the lock is held */

/* `reason` NULL keeps the last one. */
static void jetstream_set_unavailable(struct jetstream *j, const char *reason, bool backs_off)
{
    uint64_t now_ns = clock_monotonic();
    if (!j->unavailable_ns) {
        j->unavailable_ns = now_ns;
        j->backoff_ns = backoff_min_ns;
    } else if (backs_off) {
        j->backoff_ns = j->backoff_ns * 2 < backoff_max_ns ? j->backoff_ns * 2 : backoff_max_ns;
    }
    if (backs_off || !j->probe)
        j->retry_at_ns = now_ns + j->backoff_ns;
    if (backs_off)
        j->probe = 0;
    if (reason)
        snprintf(j->unavailable_text, sizeof j->unavailable_text, "%s", reason);
}

static void jetstream_set_available(struct jetstream *j)
{
    if (j->unavailable_ns)
        j->outage_ns = clock_monotonic() - j->unavailable_ns;
    j->unavailable_ns = 0;
    j->probe = 0;
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
    if (order == j->probe)
        j->retry_at_ns = 0;
    if (order > j->confirmed_order)
        j->confirmed_order = order;
    j->progress_ns = now_ns;
    jetstream_measure_rate(j, now_ns);
    if (j->unavailable_ns)
        jetstream_set_available(j);
}

/* Too large for the stream, no such stream, another stream than expected. */
static bool jetstream_error_is_of_message(uint64_t err_code)
{
    return err_code == 10054 || err_code == 10059 || err_code == 10060;
}

/* Sealed. */
static bool jetstream_error_is_permanent(uint64_t err_code)
{
    return err_code == 10109;
}

static void jetstream_on_error(struct jetstream *j, struct jetstream_message *m, uint64_t order,
                               const struct reply_error *error)
{
    if (jetstream_error_is_of_message(error->err_code)) {
        jetstream_on_progress(j, order);
        jetstream_refuse(j, m, "STREAM", error->text, 0);
        return;
    }
    jetstream_set_state(j, m, JETSTREAM_RETRY);
    jetstream_set_unavailable(j, error->text, order == j->probe);
    j->failed = j->failed || jetstream_error_is_permanent(error->err_code);
    j->needs_look = true;
}

static void jetstream_on_ack(struct jetstream *j, struct jetstream_message *m, uint64_t order)
{
    bool is_duplicate = reply_is_true(&j->reply, "duplicate");
    j->confirmed = true;
    j->duplicates += is_duplicate;
    jetstream_on_progress(j, order);
    if (is_duplicate && !m->resent)
        jetstream_refuse(j, m, "MSG-ID", "the stream already has this id", 0);
    else
        jetstream_complete(j, m);
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
    log_printf("reply %s is not an acknowledgement of stream %s; ignoring such replies", shown,
               j->config->stream.name ? j->config->stream.name : "(any)");
}

static void jetstream_on_message_reply(struct jetstream *j, struct jetstream_message *m,
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
static struct jetstream_message *jetstream_find_message(struct jetstream *j, const char *subject,
                                                        uint64_t *order)
{
    size_t inbox_len = strlen(j->inbox);
    const char *text = subject + inbox_len;
    char *end;
    if (inbox_len == 0 || strncmp(subject, j->inbox, inbox_len) != 0 || *text < '0' || *text > '9')
        return NULL;
    uint64_t sequence = strtoull(text, &end, 10);
    if (*end != '-' || end[1] < '0' || end[1] > '9' || sequence < j->first || sequence >= j->next)
        return NULL;
    *order = strtoull(end + 1, &end, 10);
    struct jetstream_message *m = jetstream_message_at(j, sequence);
    return *end == '\0' && *order <= m->order && jetstream_is_open(m) ? m : NULL;
}

static void jetstream_on_reply(void *argument, const char *subject, struct slice payload,
                               bool no_responders)
{
    struct jetstream *j = argument;
    uint64_t order;
    pthread_mutex_lock(&j->lock);
    struct jetstream_message *m = jetstream_find_message(j, subject, &order);
    if (m && no_responders) {
        jetstream_set_state(j, m, JETSTREAM_UNBOUND);
        if (j->unavailable_ns)
            jetstream_set_unavailable(j, no_stream_responds, order == j->probe);
        j->needs_look = true;
    } else if (m) {
        jetstream_on_message_reply(j, m, order, payload);
    }
    bool wake = m && (j->first == j->next || j->needs_look ||
                      (j->sender_blocked && j->next - j->first <= j->inflight_limit / 2));
    j->sender_blocked = j->sender_blocked && !wake;
    pthread_mutex_unlock(&j->lock);
    if (wake)
        eventfd_write(j->session.wake_fd, 1);
}

/* Sending */

/* Sends a message in flight, without the lock. On TRANSPORT_TOO_LONG, line_max is the limit. */
static enum transport_result jetstream_transmit(struct jetstream *j, uint64_t sequence,
                                                uint64_t order, uint64_t offset, struct slice text)
{
    char reply[NATS_CONN_INBOX_MAX + 64];
    char id[MSG_ID_SIZE];
    struct nats_conn_header headers[ENVELOPE_HEADERS_MAX + 2];
    struct envelope *e = j->envelope;
    struct nats_conn_message m = {.subject = e->subject,
                                  .reply = reply,
                                  .payload = text,
                                  .headers = headers,
                                  .header_count = e->header_count};
    snprintf(reply, sizeof reply, "%s%" PRIu64 "-%" PRIu64, j->inbox, sequence, order);
    envelope_fill(e, text);
    memcpy(headers, e->headers, e->header_count * sizeof *headers);
    if (j->config->msg_id) {
        msg_id_format(&j->msg_id, offset, text, id);
        headers[m.header_count++] = (struct nats_conn_header){"Nats-Msg-Id", id};
    }
    if (j->config->stream.name)
        headers[m.header_count++] =
            (struct nats_conn_header){"Nats-Expected-Stream", j->config->stream.name};
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

/* The lock is held. Returns the order of the transmission that follows. */
static uint64_t jetstream_mark_sent(struct jetstream *j, struct jetstream_message *m)
{
    m->sent_ns = clock_monotonic();
    m->order = ++j->orders;
    if (j->counts[JETSTREAM_SENT] == 0)
        j->progress_ns = m->sent_ns;
    jetstream_set_state(j, m, JETSTREAM_SENT);
    return m->order;
}

static bool jetstream_can_send(struct publish_transport *t)
{
    struct jetstream *j = (struct jetstream *)t;
    if (!j->stream_ready)
        return false;
    pthread_mutex_lock(&j->lock);
    bool has_space = j->next - j->first < j->inflight_limit;
    bool can_send = has_space && !jetstream_has_waiting(j) && !j->unavailable_ns;
    j->limit_reached = j->limit_reached || !has_space;
    j->sender_blocked = !can_send;
    pthread_mutex_unlock(&j->lock);
    return can_send;
}

static enum transport_result jetstream_send(struct publish_transport *t,
                                            const struct window_line *line)
{
    struct jetstream *j = (struct jetstream *)t;
    pthread_mutex_lock(&j->lock);
    uint64_t sequence = j->next++;
    struct jetstream_message *m = jetstream_message_at(j, sequence);
    *m = (struct jetstream_message){.end = j->window->next,
                                    .offset = line->offset,
                                    .resent = line->offset < j->recovered,
                                    .state = JETSTREAM_DONE};
    uint64_t order = jetstream_mark_sent(j, m);
    pthread_mutex_unlock(&j->lock);
    enum transport_result result = jetstream_transmit(j, sequence, order, line->offset, line->text);
    if (result == TRANSPORT_TOO_LONG) {
        /* The caller rejects the line; nothing was sent after it. */
        pthread_mutex_lock(&j->lock);
        jetstream_set_state(j, m, JETSTREAM_DONE);
        j->next--;
        pthread_mutex_unlock(&j->lock);
    }
    return result;
}

/* Resending; the lock is held, but not while sending */

static void jetstream_resend(struct jetstream *j, uint64_t sequence, bool is_probe,
                             enum transport_result *result)
{
    struct jetstream_message *m = jetstream_message_at(j, sequence);
    m->resent = true;
    j->base.resent++;
    uint64_t order = jetstream_mark_sent(j, m);
    struct jetstream_message copy = *m;
    if (is_probe) {
        j->probe = order;
        j->retry_at_ns = m->sent_ns + j->config->ack_timeout_ns;
    }
    pthread_mutex_unlock(&j->lock);
    *result = jetstream_transmit(j, sequence, order, copy.offset, jetstream_message_text(j, &copy));
    pthread_mutex_lock(&j->lock);
    if (*result == TRANSPORT_TOO_LONG && jetstream_is_open(m)) {
        jetstream_refuse(j, m, "PAYLOAD", "longer than the server's max_payload", j->base.line_max);
        if (is_probe)
            j->retry_at_ns = 0;
    }
}

/* The size of a message with its variable headers. */
static size_t jetstream_message_size(struct jetstream *j, const struct jetstream_message *m)
{
    char id[MSG_ID_SIZE] = "";
    struct slice text = jetstream_message_text(j, m);
    if (j->config->msg_id)
        msg_id_format(&j->msg_id, m->offset, text, id);
    size_t size = text.len + strlen(id);
    envelope_fill(j->envelope, text);
    for (size_t i = 0; i < j->envelope->header_count; i++)
        size += strlen(j->envelope->headers[i].value);
    return size;
}

/* If the server closed the connection because of a message that is too long, the longest one is. */
static void jetstream_refuse_longest(struct jetstream *j)
{
    struct jetstream_message *longest = NULL;
    size_t longest_size = 0;
    pthread_mutex_lock(&j->lock);
    for (uint64_t i = j->first; i < j->next; i++) {
        struct jetstream_message *m = jetstream_message_at(j, i);
        size_t size = m->state == JETSTREAM_SENT ? jetstream_message_size(j, m) : 0;
        if (size > longest_size) {
            longest_size = size;
            longest = m;
        }
    }
    if (longest)
        jetstream_refuse(j, longest, "PAYLOAD", TRANSPORT_PAYLOAD_VIOLATED, 0);
    pthread_mutex_unlock(&j->lock);
}

/* Resends the first message, or all that wait for it if the stream is available. */
static void jetstream_resend_waiting(struct jetstream *j)
{
    enum transport_result result = TRANSPORT_SENT;
    for (uint64_t i = j->first; i < j->next && result != TRANSPORT_DISCONNECTED; i++) {
        const struct jetstream_message *m = jetstream_message_at(j, i);
        bool is_probe = j->unavailable_ns != 0;
        if (!jetstream_is_open(m) || (!is_probe && m->state != JETSTREAM_RETRY))
            continue;
        jetstream_resend(j, i, is_probe, &result);
        if (is_probe && result != TRANSPORT_TOO_LONG)
            return;
    }
    if (j->unavailable_ns)
        jetstream_set_available(j); /* no message is left to probe it with */
}

/* Sets the subject of the envelope to that of the message. */
static const char *jetstream_find_subject(struct jetstream *j, const struct jetstream_message *m)
{
    envelope_fill(j->envelope, jetstream_message_text(j, m));
    return j->envelope->subject;
}

/* Looks up the subject of a message, without the lock: its state may change. */
static enum stream_api_state jetstream_look_up(struct jetstream *j,
                                               const struct jetstream_message *m, char *error_text)
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

static void jetstream_refuse_unbound(struct jetstream *j, struct jetstream_message *m)
{
    jetstream_refuse(j, m, "STREAM", "no stream has this subject", 0);
}

/* A stream that does not respond now has the subject of a message, and perhaps those of others. */
static void jetstream_retry_unbound(struct jetstream *j)
{
    for (uint64_t i = j->first; i < j->next && jetstream_has_unknown(j); i++) {
        struct jetstream_message *m = jetstream_message_at(j, i);
        if (jetstream_is_unknown(m))
            jetstream_set_state(j, m, JETSTREAM_RETRY);
    }
}

/* Acts on the outcome of a lookup. Returns false if the stream is unavailable. */
static bool jetstream_apply_lookup(struct jetstream *j, struct jetstream_message *m,
                                   enum stream_api_state state, const char *error_text)
{
    bool is_gap = m->state == JETSTREAM_GAP;
    if (!jetstream_is_unknown(m))
        return true;
    if (state == STREAM_API_UNBOUND) {
        jetstream_refuse_unbound(j, m);
        return true;
    }
    if (state == STREAM_API_READY && is_gap) {
        jetstream_set_state(j, m, JETSTREAM_RETRY);
        return true;
    }
    j->failed = j->failed || state == STREAM_API_FAILED;
    jetstream_retry_unbound(j);
    jetstream_set_unavailable(j, error_text, false);
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
    for (uint64_t i = j->first; i < j->next && jetstream_has_unknown(j); i++) {
        struct jetstream_message *m = jetstream_message_at(j, i);
        uint64_t now_ns = clock_monotonic();
        enum stream_api_state state;
        if (!jetstream_is_unknown(m))
            continue;
        const char *subject = jetstream_find_subject(j, m);
        if (subject_cache_has(&j->unbound, subject, now_ns)) {
            state = STREAM_API_UNBOUND;
        } else if (m->state == JETSTREAM_GAP && subject_cache_has(&j->bound, subject, now_ns)) {
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
    for (uint64_t i = j->first; i < j->next; i++) {
        struct jetstream_message *m = jetstream_message_at(j, i);
        bool is_candidate = had_stream ? m->state == JETSTREAM_UNBOUND : jetstream_is_open(m);
        if (is_candidate && subject_cache_has(&j->unbound, jetstream_find_subject(j, m), now_ns))
            jetstream_refuse_unbound(j, m);
    }
}

/* Asks the server once for all messages why they are not acknowledged. */
static void jetstream_diagnose(struct jetstream *j)
{
    char error_text[NATS_CONN_TEXT_MAX];
    snprintf(error_text, sizeof error_text, "%s", j->unavailable_text);
    uint64_t i = j->first;
    while (i < j->next && !jetstream_is_open(jetstream_message_at(j, i)))
        i++;
    if (i == j->next)
        return;
    enum stream_api_state state = jetstream_look_up(j, jetstream_message_at(j, i), error_text);
    if (!j->unavailable_ns)
        return;
    snprintf(j->unavailable_text, sizeof j->unavailable_text, "%s", error_text);
    if (state == STREAM_API_FAILED)
        j->failed = true;
    else if (state == STREAM_API_UNBOUND)
        jetstream_refuse_unanswered(j);
    else
        jetstream_retry_unbound(j);
}

/* One subject may be without a stream while the stream acknowledges others. */
static void jetstream_mark_gaps(struct jetstream *j, uint64_t now_ns)
{
    enum jetstream_message_state gap =
        envelope_has_subjects(j->envelope) ? JETSTREAM_GAP : JETSTREAM_RETRY;
    for (uint64_t i = j->first; i < j->next && !j->unavailable_ns; i++) {
        struct jetstream_message *m = jetstream_message_at(j, i);
        if (m->state == JETSTREAM_SENT && m->order < j->confirmed_order &&
            now_ns - m->sent_ns >= j->config->ack_timeout_ns)
            jetstream_set_state(j, m, gap);
    }
}

static void jetstream_check_timeout(struct jetstream *j, uint64_t now_ns)
{
    char reason[NATS_CONN_TEXT_MAX];
    uint64_t timeout_ns = j->config->ack_timeout_ns;
    bool stalled =
        !j->unavailable_ns && j->counts[JETSTREAM_SENT] && now_ns - j->progress_ns >= timeout_ns;
    bool probe_lost = j->unavailable_ns && j->probe && now_ns >= j->retry_at_ns;
    if (!stalled && !probe_lost)
        return;
    snprintf(reason, sizeof reason, "no acknowledgement for %.3g s", (double)timeout_ns / NS_PER_S);
    jetstream_set_unavailable(j, probe_lost ? NULL : reason, probe_lost);
    if (stalled)
        j->retry_at_ns = now_ns;
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
        if (!j->unavailable_ns)
            jetstream_check_unknown(j);
        if (j->unavailable_ns && now_ns >= j->retry_at_ns && !j->probe)
            jetstream_diagnose(j);
        if (!j->failed && now_ns >= j->retry_at_ns &&
            (jetstream_has_waiting(j) || j->unavailable_ns) && !j->probe)
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
    for (uint64_t i = j->first; i < j->next; i++) {
        struct jetstream_message *m = jetstream_message_at(j, i);
        if (jetstream_is_open(m))
            jetstream_set_state(j, m, JETSTREAM_RETRY);
    }
    if (j->first == j->next && j->unavailable_ns)
        jetstream_set_available(j);
    j->confirmed = false;
    j->needs_look = true;
    j->retry_at_ns = j->confirmed_order = j->probe = 0;
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
    bool needs_headers = j->config->msg_id || j->config->stream.name || j->envelope->header_count;
    if (now_ns < j->ensure_at_ns)
        return;
    enum stream_api_state state = STREAM_API_FAILED;
    if (needs_headers && !nats_conn_accepts_headers(j->session.conn))
        snprintf(error_text, sizeof error_text,
                 "the server accepts no headers, which --stream, --msg-id and --header require");
    else
        state = stream_api_ensure(&j->stream_api, j->session.conn, &j->config->stream, error_text);
    j->stream_ready = state == STREAM_API_READY && jetstream_resume(j, error_text);
    if (j->stream_ready)
        return;
    j->ensure_at_ns = now_ns + stream_retry_ns;
    pthread_mutex_lock(&j->lock);
    jetstream_set_unavailable(j, error_text, false);
    j->failed = state == STREAM_API_FAILED;
    pthread_mutex_unlock(&j->lock);
}

static const char *jetstream_stream_name(const struct jetstream *j)
{
    return j->config->stream.name ? j->config->stream.name : j->envelope->subject_source;
}

/* Reports after 5 s, every minute, and at the end. */
static void jetstream_report(struct jetstream *j, uint64_t unavailable_ns, uint64_t outage_ns,
                             const char *reason)
{
    uint64_t now_ns = clock_monotonic();
    if (outage_ns && j->last_reported_ns) {
        log_printf("stream %s available again after %.0f s", jetstream_stream_name(j),
                   (double)outage_ns / NS_PER_S);
        j->last_reported_ns = 0;
    }
    if (unavailable_ns && now_ns - unavailable_ns >= report_after_ns &&
        (!j->last_reported_ns || now_ns - j->last_reported_ns >= report_interval_ns)) {
        log_printf("stream %s unavailable: %s; retrying", jetstream_stream_name(j), reason);
        j->last_reported_ns = now_ns;
    }
}

/* Returns TRANSPORT_FAILED after the reason was logged, else TRANSPORT_UP. */
static enum transport_event jetstream_check_stream(struct jetstream *j)
{
    char reason[NATS_CONN_TEXT_MAX];
    pthread_mutex_lock(&j->lock);
    uint64_t unavailable_ns = j->unavailable_ns;
    uint64_t outage_ns = j->outage_ns;
    bool failed = j->failed;
    j->outage_ns = 0;
    snprintf(reason, sizeof reason, "%s", j->unavailable_text);
    pthread_mutex_unlock(&j->lock);
    j->base.unavailable = unavailable_ns != 0;
    if (failed) {
        log_printf("stream %s: %s", jetstream_stream_name(j), reason);
        return TRANSPORT_FAILED;
    }
    jetstream_report(j, unavailable_ns, outage_ns, reason);
    if (unavailable_ns && session_is_overdue(&j->session)) {
        log_printf("stream %s unavailable: %s; --connect-timeout has expired",
                   jetstream_stream_name(j), reason);
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

static enum transport_event jetstream_poll(struct publish_transport *t)
{
    struct jetstream *j = (struct jetstream *)t;
    jetstream_update_session(j);
    enum transport_event event = session_poll(&j->session);
    if (event == TRANSPORT_CONNECTED)
        t->max_payload = nats_conn_max_payload(j->session.conn);
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
    bool idle = j->first == j->next;
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

static struct window_mark jetstream_confirmed(struct publish_transport *t)
{
    struct jetstream *j = (struct jetstream *)t;
    pthread_mutex_lock(&j->lock);
    struct window_mark confirmed = j->first == j->next ? j->window->next : j->acknowledged;
    t->duplicates = j->duplicates;
    pthread_mutex_unlock(&j->lock);
    return confirmed;
}

static bool jetstream_take_refusal(struct publish_transport *t, struct transport_refusal *refusal)
{
    struct jetstream *j = (struct jetstream *)t;
    pthread_mutex_lock(&j->lock);
    bool found = j->counts[JETSTREAM_REFUSED] != 0;
    if (found) {
        uint64_t sequence = j->first;
        while (jetstream_message_at(j, sequence)->state != JETSTREAM_REFUSED)
            sequence++;
        struct jetstream_message *m = jetstream_message_at(j, sequence);
        refusal->number = m->end.lines;
        refusal->offset = m->offset;
        refusal->text = jetstream_message_text(j, m);
        refusal->field = m->error_field;
        refusal->error_offset = m->error_offset;
        snprintf(refusal->error_text, sizeof refusal->error_text, "%s",
                 m->error_text ? m->error_text : "refused");
        free(m->error_text);
        m->error_text = NULL;
        jetstream_complete(j, m);
    }
    pthread_mutex_unlock(&j->lock);
    return found;
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
    for (size_t i = 0; i < INFLIGHT_MAX; i++)
        free(j->inflight[i].error_text);
    free(j->inflight);
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
    struct jetstream_message *inflight = calloc(INFLIGHT_MAX, sizeof *inflight);
    if (!j || !inflight) {
        log_printf("out of memory");
        free(j);
        free(inflight);
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
    j->inflight = inflight;
    j->inflight_limit = INFLIGHT_START;
    pthread_mutex_init(&j->lock, NULL);
    return &j->base;
}
