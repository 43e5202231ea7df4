#include "publish/jetstream.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "json/locate-error.h"

enum {
    INFLIGHT_MAX = 16 * 1024,
    MSG_ID_MAX = 1024,
    ATTEMPTS_MAX = 8,
    BACKOFF_DOUBLINGS_MAX = 4,
    RETRY_INTERVAL_MS = 100 /* between looks for due messages, and for the stream */
};

static const uint64_t message_backoff_min_ns = NS_PER_S / 4;
static const uint64_t stream_retry_ns = NS_PER_S / 2;
static const uint64_t stream_log_interval_ns = 5 * NS_PER_S;

/* In the first three states the message is resent at due_ns. */
enum jetstream_message_state {
    JETSTREAM_SENT,
    JETSTREAM_RETRY,
    JETSTREAM_NO_RESPONDERS, /* the stream may not exist */
    JETSTREAM_REFUSED,       /* permanently, because of error_text */
    JETSTREAM_DONE           /* acknowledged, or reported as refused */
};

struct jetstream_message {
    struct window_mark end; /* of its line */
    uint64_t offset;        /* of its line */
    uint64_t due_ns;        /* clock_monotonic */
    char *error_text;
    uint8_t state;
    uint8_t attempts;
};

struct jetstream {
    struct publish_transport base;
    struct session_config *session_config;
    const struct jetstream_config *config;
    const char *subject;
    struct window *window;
    struct session session;
    struct json_checker msg_id_json;
    bool stream_ready;
    uint64_t stream_retry_at_ns;    /* clock_monotonic; 0: not tried on this connection */
    uint64_t stream_last_logged_ns; /* clock_monotonic */

    pthread_mutex_t lock;               /* guards the members below */
    struct jetstream_message *inflight; /* a ring, indexed by sequence */
    uint64_t first;                     /* sequences in [first, next) are in flight */
    uint64_t next;
    struct window_mark acknowledged;
    unsigned refused;    /* messages in flight in that state */
    bool needs_retry;    /* a message was not accepted */
    bool sender_blocked; /* jetstream_can_send() returned false */
    char inbox[64];      /* ends in a dot; a new one for each connection */
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

static uint64_t jetstream_backoff_end_ns(const struct jetstream_message *m)
{
    unsigned doublings = m->attempts < BACKOFF_DOUBLINGS_MAX ? m->attempts : BACKOFF_DOUBLINGS_MAX;
    return clock_monotonic() + (message_backoff_min_ns << doublings);
}

static void jetstream_complete(struct jetstream *j, struct jetstream_message *m)
{
    m->state = JETSTREAM_DONE;
    while (j->first < j->next && jetstream_message_at(j, j->first)->state == JETSTREAM_DONE) {
        j->acknowledged = jetstream_message_at(j, j->first)->end;
        j->first++;
    }
}

static void jetstream_refuse(struct jetstream *j, struct jetstream_message *m,
                             const char *error_text)
{
    m->state = JETSTREAM_REFUSED;
    m->error_text = strdup(error_text);
    j->refused++;
}

/* Acknowledgements, which arrive in a thread of nats.c */

/* Too large for the stream, another stream than expected, no such stream. */
static bool jetstream_error_is_permanent(long code)
{
    return code == 10054 || code == 10060 || code == 10059;
}

static void jetstream_parse_ack(struct jetstream *j, struct jetstream_message *m,
                                struct slice payload)
{
    static const char error[] = "\"error\"";
    static const char description[] = "\"description\":\"";
    static const char number[] = "\"err_code\":";
    const char *p = memmem(payload.data, payload.len, error, sizeof error - 1);
    if (!p) {
        jetstream_complete(j, m);
        return;
    }
    char json[NATS_CONN_TEXT_MAX];
    snprintf(json, sizeof json, "%.*s", (int)(payload.data + payload.len - p), p);
    const char *code = strstr(json, number);
    char *error_text = strstr(json, description);
    j->needs_retry = true;
    m->state = JETSTREAM_RETRY;
    m->due_ns = jetstream_backoff_end_ns(m);
    if (!code || !jetstream_error_is_permanent(strtol(code + sizeof number - 1, NULL, 10)))
        return;
    if (error_text) {
        error_text += sizeof description - 1;
        error_text[strcspn(error_text, "\"")] = '\0';
    }
    jetstream_refuse(j, m, error_text ? error_text : json);
}

static void jetstream_on_reply(void *argument, const char *subject, struct slice payload,
                               bool no_responders)
{
    struct jetstream *j = argument;
    pthread_mutex_lock(&j->lock);
    size_t inbox_len = strlen(j->inbox);
    bool wake = false;
    if (inbox_len && strncmp(subject, j->inbox, inbox_len) == 0) {
        uint64_t sequence = strtoull(subject + inbox_len, NULL, 10);
        struct jetstream_message *m = jetstream_message_at(j, sequence);
        if (sequence >= j->first && sequence < j->next && m->state != JETSTREAM_DONE &&
            m->state != JETSTREAM_REFUSED) {
            if (no_responders) {
                m->state = JETSTREAM_NO_RESPONDERS;
                m->due_ns = jetstream_backoff_end_ns(m);
                j->needs_retry = true;
            } else {
                jetstream_parse_ack(j, m, payload);
            }
        }
        wake = j->first == j->next || j->needs_retry ||
               (j->sender_blocked && j->next - j->first <= INFLIGHT_MAX / 2);
        j->sender_blocked = j->sender_blocked && !wake;
    }
    pthread_mutex_unlock(&j->lock);
    if (wake)
        eventfd_write(j->session.wake_fd, 1);
}

/* Sending */

/* Replaces each {NAME} of the --msg-id template by the member NAME of the line. */
static void jetstream_format_msg_id(struct jetstream *j, struct slice line, char *id, size_t size)
{
    char *end = id + size - 1;
    json_tokenize(&j->msg_id_json, line);
    for (const char *p = j->config->msg_id; *p && id < end;) {
        const char *close = *p == '{' ? strchr(p, '}') : NULL;
        if (!close) {
            *id++ = *p++;
            continue;
        }
        struct slice value = json_get_member(&j->msg_id_json, line, slice_between(p + 1, close));
        size_t n = value.len < (size_t)(end - id) ? value.len : (size_t)(end - id);
        if (n)
            memcpy(id, value.data, n);
        id += n;
        p = close + 1;
    }
    *id = '\0';
}

static bool jetstream_transmit(struct jetstream *j, uint64_t sequence, uint64_t offset,
                               struct slice text)
{
    char reply[96];
    char id[MSG_ID_MAX];
    const char *msg_id = j->config->msg_id;
    snprintf(reply, sizeof reply, "%s%" PRIu64, j->inbox, sequence);
    if (msg_id && strcmp(msg_id, "auto") == 0)
        snprintf(id, sizeof id, "%016" PRIx64 "-%" PRIu64, j->window->ring.id, offset);
    else if (msg_id)
        jetstream_format_msg_id(j, text, id, sizeof id);
    bool sent = nats_conn_publish_request(j->session.conn, j->subject, reply, text,
                                          msg_id ? id : NULL, j->config->stream.name);
    if (!sent)
        session_mark_lost(&j->session);
    return sent;
}

static bool jetstream_can_send(struct publish_transport *t)
{
    struct jetstream *j = (struct jetstream *)t;
    if (!j->stream_ready)
        return false;
    pthread_mutex_lock(&j->lock);
    bool has_space = j->next - j->first < INFLIGHT_MAX;
    j->sender_blocked = !has_space;
    pthread_mutex_unlock(&j->lock);
    return has_space;
}

static enum transport_result jetstream_send(struct publish_transport *t,
                                            const struct window_line *line)
{
    struct jetstream *j = (struct jetstream *)t;
    pthread_mutex_lock(&j->lock);
    uint64_t sequence = j->next++;
    *jetstream_message_at(j, sequence) =
        (struct jetstream_message){.end = j->window->next,
                                   .offset = line->offset,
                                   .due_ns = clock_monotonic() + j->config->ack_timeout_ns,
                                   .state = JETSTREAM_SENT};
    pthread_mutex_unlock(&j->lock);
    return jetstream_transmit(j, sequence, line->offset, line->text) ? TRANSPORT_SENT
                                                                     : TRANSPORT_DISCONNECTED;
}

/* Returns false if the connection is lost. The lock is held, but not while sending. */
static bool jetstream_retry_message(struct jetstream *j, uint64_t sequence, uint64_t now_ns)
{
    struct jetstream_message *m = jetstream_message_at(j, sequence);
    if (m->state == JETSTREAM_REFUSED || m->state == JETSTREAM_DONE || m->due_ns > now_ns)
        return true;
    struct jetstream_message copy = *m;
    m->state = JETSTREAM_SENT;
    m->attempts = (uint8_t)(m->attempts < ATTEMPTS_MAX ? m->attempts + 1 : ATTEMPTS_MAX);
    m->due_ns = now_ns + j->config->ack_timeout_ns;
    pthread_mutex_unlock(&j->lock);
    bool unbound = copy.state == JETSTREAM_NO_RESPONDERS &&
                   stream_api_subject_is_unbound(j->session.conn, &j->config->stream, j->subject);
    bool sent =
        unbound || jetstream_transmit(j, sequence, copy.offset, jetstream_message_text(j, &copy));
    pthread_mutex_lock(&j->lock);
    if (unbound && m->state != JETSTREAM_DONE)
        jetstream_refuse(j, m, "no stream has this subject");
    return sent;
}

static void jetstream_retry_due(struct jetstream *j)
{
    uint64_t now_ns = clock_monotonic();
    bool connected = true;
    pthread_mutex_lock(&j->lock);
    j->needs_retry = false;
    for (uint64_t i = j->first; i < j->next && connected; i++)
        connected = jetstream_retry_message(j, i, now_ns);
    pthread_mutex_unlock(&j->lock);
}

/* Connection and stream */

/* Acknowledgements of an earlier connection are lost, so all messages in flight are resent. */
static bool jetstream_resume(struct jetstream *j, char *error_text)
{
    uint64_t random;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random) {
        snprintf(error_text, NATS_CONN_TEXT_MAX, "getrandom: %s", strerror(errno));
        return false;
    }
    pthread_mutex_lock(&j->lock);
    snprintf(j->inbox, sizeof j->inbox, "_INBOX.shnek%016" PRIx64 ".", random);
    for (uint64_t i = j->first; i < j->next; i++) {
        struct jetstream_message *m = jetstream_message_at(j, i);
        if (m->state != JETSTREAM_REFUSED && m->state != JETSTREAM_DONE) {
            m->state = JETSTREAM_RETRY;
            m->due_ns = 0;
        }
    }
    pthread_mutex_unlock(&j->lock);
    return nats_conn_subscribe_replies(j->session.conn, j->inbox, jetstream_on_reply, j,
                                       error_text);
}

/* Returns false if the stream does not exist, which was logged. */
static bool jetstream_find_stream(struct jetstream *j)
{
    char error_text[NATS_CONN_TEXT_MAX];
    uint64_t now_ns = clock_monotonic();
    if (now_ns < j->stream_retry_at_ns)
        return true;
    enum stream_api_state state =
        stream_api_ensure(j->session.conn, &j->config->stream, j->subject, error_text);
    j->stream_ready = state == STREAM_API_READY && jetstream_resume(j, error_text);
    if (j->stream_ready || state == STREAM_API_MISSING)
        return j->stream_ready;
    j->stream_retry_at_ns = now_ns + stream_retry_ns;
    if (!j->stream_last_logged_ns || now_ns - j->stream_last_logged_ns > stream_log_interval_ns) {
        log_printf("JetStream: %s; retrying", error_text);
        j->stream_last_logged_ns = now_ns;
    }
    return true;
}

static enum transport_event jetstream_poll(struct publish_transport *t)
{
    struct jetstream *j = (struct jetstream *)t;
    enum transport_event event = session_poll(&j->session);
    if (event == TRANSPORT_CONNECTED)
        t->max_payload = nats_conn_max_payload(j->session.conn);
    if (event != TRANSPORT_UP) {
        j->stream_ready = false;
        j->stream_retry_at_ns = 0;
        return event;
    }
    if (!j->stream_ready && !jetstream_find_stream(j))
        return TRANSPORT_FAILED;
    if (j->stream_ready)
        jetstream_retry_due(j);
    return TRANSPORT_UP;
}

static int jetstream_timeout_ms(struct publish_transport *t)
{
    struct jetstream *j = (struct jetstream *)t;
    if (!j->session.conn)
        return session_timeout_ms(&j->session);
    if (!j->stream_ready)
        return j->stream_retry_at_ns ? RETRY_INTERVAL_MS : 0;
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
    pthread_mutex_unlock(&j->lock);
    return confirmed;
}

static bool jetstream_take_refusal(struct publish_transport *t, struct transport_refusal *refusal)
{
    struct jetstream *j = (struct jetstream *)t;
    pthread_mutex_lock(&j->lock);
    bool found = j->refused != 0;
    if (found) {
        uint64_t sequence = j->first;
        while (jetstream_message_at(j, sequence)->state != JETSTREAM_REFUSED)
            sequence++;
        struct jetstream_message *m = jetstream_message_at(j, sequence);
        refusal->number = m->end.lines;
        refusal->offset = m->offset;
        refusal->text = jetstream_message_text(j, m);
        snprintf(refusal->error_text, sizeof refusal->error_text, "%s",
                 m->error_text ? m->error_text : "refused");
        free(m->error_text);
        m->error_text = NULL;
        j->refused--;
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
    return true;
}

static bool jetstream_destroy(struct publish_transport *t)
{
    struct jetstream *j = (struct jetstream *)t;
    session_close(&j->session);
    for (size_t i = 0; i < INFLIGHT_MAX; i++)
        free(j->inflight[i].error_text);
    free(j->inflight);
    json_checker_free(&j->msg_id_json);
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
                                        const struct jetstream_config *config, const char *subject,
                                        struct window *window)
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
    j->subject = subject;
    j->window = window;
    j->inflight = inflight;
    pthread_mutex_init(&j->lock, NULL);
    return &j->base;
}
