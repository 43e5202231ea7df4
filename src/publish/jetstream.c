#include "publish/jetstream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "json/escape.h"

enum { INFLIGHT_MAX = 16 * 1024, MSG_ID_MAX = 1024, BACKOFF_STEPS_MAX = 8 };

static const uint64_t backoff_min_ns = NS_PER_S / 4;
static const uint64_t api_timeout_ns = NS_PER_S;

enum jetstream_message_state {
    MESSAGE_SENT,          /* `due` is when it counts as unanswered */
    MESSAGE_RETRY,         /* `due` is when it is sent again */
    MESSAGE_NO_RESPONDERS, /* the same, but nobody listens to the subject: the stream may not exist
                            */
    MESSAGE_REFUSED,       /* for good, for the reason `why` */
    MESSAGE_DONE
};

struct jetstream_message {
    struct window_mark mark; /* the line */
    uint64_t offset;
    uint64_t due_ns; /* clock_monotonic */
    char *error_text;
    uint8_t state;
    uint8_t attempts;
};

static struct jetstream_message *jetstream_message_at(const struct jetstream *j, uint64_t number)
{
    return &j->inflight[number % INFLIGHT_MAX];
}

bool jetstream_start(struct jetstream *j, const struct jetstream_config *config,
                     const char *subject, struct window *w, int wake_fd)
{
    *j = (struct jetstream){.config = config, .subject = subject, .window = w, .wake_fd = wake_fd};
    pthread_mutex_init(&j->lock, NULL);
    j->inflight = calloc(INFLIGHT_MAX, sizeof *j->inflight);
    if (!j->inflight)
        log_printf("out of memory");
    return j->inflight != NULL;
}

void jetstream_end(struct jetstream *j)
{
    free(j->inflight);
    json_checker_free(&j->ids);
    pthread_mutex_destroy(&j->lock);
}

/* Twice as long after each attempt. */
static uint64_t jetstream_retry_time_ns(const struct jetstream_message *f)
{
    return clock_monotonic() + (backoff_min_ns << (f->attempts < 4 ? f->attempts : 4));
}

static void jetstream_complete(struct jetstream *j, struct jetstream_message *f)
{
    f->state = MESSAGE_DONE;
    while (j->first < j->next && jetstream_message_at(j, j->first)->state == MESSAGE_DONE) {
        j->acknowledged = jetstream_message_at(j, j->first)->mark;
        j->first++;
    }
}

/* What a later attempt cannot change: too large, another stream than expected, no such stream. */
static bool jetstream_error_is_permanent(long code)
{
    return code == 10054 || code == 10060 || code == 10059;
}

static void jetstream_parse_ack(struct jetstream *j, struct jetstream_message *f,
                                struct slice payload)
{
    static const char error[] = "\"error\"";
    static const char description[] = "\"description\":\"";
    static const char number[] = "\"err_code\":";
    const char *p = memmem(payload.data, payload.len, error, sizeof error - 1);
    if (!p) {
        jetstream_complete(j, f);
        return;
    }
    char text[NATS_CONN_TEXT_MAX];
    snprintf(text, sizeof text, "%.*s", (int)(payload.data + payload.len - p), p);
    const char *code = strstr(text, number);
    char *words = strstr(text, description);
    j->needs_retry++;
    f->state = MESSAGE_RETRY;
    f->due_ns = jetstream_retry_time_ns(f);
    if (!code || !jetstream_error_is_permanent(strtol(code + sizeof number - 1, NULL, 10)))
        return;
    if (words) {
        words += sizeof description - 1;
        words[strcspn(words, "\"")] = '\0';
    }
    f->state = MESSAGE_REFUSED;
    f->error_text = strdup(words ? words : text);
}

/* From a thread of nats.c: an acknowledgement, or that nobody listens to the subject. */
static void jetstream_on_reply(void *argument, const char *subject, struct slice payload,
                               bool nobody)
{
    struct jetstream *j = argument;
    pthread_mutex_lock(&j->lock);
    size_t inbox = strlen(j->inbox);
    bool wake = false;
    if (inbox && strncmp(subject, j->inbox, inbox) == 0) {
        uint64_t number = strtoull(subject + inbox, NULL, 10);
        struct jetstream_message *f = jetstream_message_at(j, number);
        if (number >= j->first && number < j->next && f->state != MESSAGE_DONE &&
            f->state != MESSAGE_REFUSED) {
            if (nobody) {
                f->state = MESSAGE_NO_RESPONDERS;
                f->due_ns = jetstream_retry_time_ns(f);
                j->needs_retry++;
            } else {
                jetstream_parse_ack(j, f, payload);
            }
        }
        wake = j->first == j->next || j->needs_retry ||
               (j->sender_blocked && j->next - j->first <= INFLIGHT_MAX / 2);
        j->sender_blocked = j->sender_blocked && !wake;
    }
    pthread_mutex_unlock(&j->lock);
    if (wake)
        eventfd_write(j->wake_fd, 1);
}

static char *literal(char *to, const char *text)
{
    return stpcpy(to, text);
}

/* The configuration of a stream, as the server's API wants it. */
static void stream_configuration(const struct jetstream *j, struct buffer *out)
{
    const struct jetstream_config *c = j->config;
    const char *subjects = c->create_subjects ? c->create_subjects : j->subject;
    char *to = buffer_reserve(out, 512 + JSON_STRING_ROOM(strlen(c->stream)) +
                                       9 * JSON_STRING_ROOM(strlen(subjects)));
    to = literal(to, "{\"name\":");
    to = json_quote(to, (struct slice){c->stream, strlen(c->stream)});
    to = literal(to, ",\"subjects\":[");
    for (const char *p = subjects; *p;) {
        size_t length = strcspn(p, ",");
        if (p > subjects)
            *to++ = ',';
        to = json_quote(to, (struct slice){p, length});
        p += length + (p[length] == ',');
    }
    to += sprintf(to,
                  "],\"retention\":\"limits\",\"discard\":\"old\",\"storage\":\"%s\","
                  "\"num_replicas\":%" PRIu64 ",\"max_age\":%" PRIu64 ",\"max_bytes\":%" PRId64
                  ",\"max_consumers\":-1,\"max_msgs\":-1}",
                  c->memory ? "memory" : "file", c->replicas, c->max_age_ns,
                  c->max_bytes ? (int64_t)c->max_bytes : -1);
    buffer_commit(out, to);
}

static bool has_error(const struct buffer *answer)
{
    return answer->len && memmem(answer->data, answer->len, "\"error\"", 7);
}

static bool is_absent(const struct buffer *answer)
{
    return has_error(answer) && memmem(answer->data, answer->len, "10059", 5);
}

/* The words of an error of the API. */
static void words(const struct buffer *answer, char *why)
{
    static const char description[] = "\"description\":\"";
    const char *p = memmem(answer->data, answer->len, description, sizeof description - 1);
    size_t left = p ? (size_t)(answer->data + answer->len - p) - (sizeof description - 1) : 0;
    const char *end = p ? memchr(p + sizeof description - 1, '"', left) : NULL;
    snprintf(why, NATS_CONN_TEXT_MAX, "%.*s",
             end ? (int)(end - p) - (int)sizeof description + 1 : 9,
             end ? p + sizeof description - 1 : "no reason");
}

/* While a cluster elects a leader questions are dropped, so they are better asked often. */
static uint64_t question_timeout(const struct jetstream *j)
{
    return j->config->timeout_ns < api_timeout_ns ? j->config->timeout_ns : api_timeout_ns;
}

static bool api(struct jetstream *j, const char *verb, struct slice request, uint64_t timeout,
                struct buffer *answer, char *why)
{
    char subject[512];
    snprintf(subject, sizeof subject, "$JS.API.STREAM.%s.%s", verb, j->config->stream);
    answer->len = 0;
    return nats_conn_request(j->conn, subject, request, timeout, answer, why);
}

/* Sees to the stream, where it was named. */
static enum jetstream_stream see_to_stream(struct jetstream *j, char *why)
{
    struct buffer answer = {0};
    struct buffer request = {0};
    enum jetstream_stream result = JETSTREAM_LATER;
    if (!j->config->stream)
        return JETSTREAM_READY;
    bool answered = api(j, "INFO", (struct slice){"", 0}, question_timeout(j), &answer, why);
    if (answered && is_absent(&answer) && j->config->create) {
        stream_configuration(j, &request);
        answered = api(j, "CREATE", (struct slice){request.data, request.len},
                       j->config->timeout_ns, &answer, why);
    }
    if (answered && !has_error(&answer)) {
        result = JETSTREAM_READY;
    } else if (answered) {
        words(&answer, why);
        if (is_absent(&answer)) {
            log_printf("--stream: %s: %s; --create-stream makes it", j->config->stream, why);
            result = JETSTREAM_ABSENT;
        }
    }
    buffer_free(&answer);
    buffer_free(&request);
    return result;
}

enum jetstream_stream jetstream_connect(struct jetstream *j, struct connection *c, char *why)
{
    uint64_t random = 0;
    j->conn = c;
    enum jetstream_stream result = see_to_stream(j, why);
    if (result != JETSTREAM_READY)
        return result;
    getrandom(&random, sizeof random, 0);
    pthread_mutex_lock(&j->lock);
    snprintf(j->inbox, sizeof j->inbox, "_INBOX.shnek%016" PRIx64 ".", random);
    for (uint64_t i = j->first; i < j->next; i++) {
        struct jetstream_message *f = jetstream_message_at(j, i);
        if (f->state == MESSAGE_SENT || f->state == MESSAGE_RETRY ||
            f->state == MESSAGE_NO_RESPONDERS) {
            f->state = MESSAGE_RETRY;
            f->due_ns = 0;
            j->needs_retry++;
        }
    }
    pthread_mutex_unlock(&j->lock);
    if (!nats_conn_subscribe_replies(c, j->inbox, jetstream_on_reply, j, why))
        return JETSTREAM_LATER;
    return JETSTREAM_READY;
}

bool jetstream_room(struct jetstream *j)
{
    pthread_mutex_lock(&j->lock);
    bool room = j->next - j->first < INFLIGHT_MAX;
    j->sender_blocked = !room;
    pthread_mutex_unlock(&j->lock);
    return room;
}

/* --msg-id's template, with the members of the line in place of their names in braces. */
static void jetstream_format_msg_id(struct jetstream *j, struct slice line, char *id, size_t room)
{
    char *end = id + room;
    json_tokenize(&j->ids, line);
    for (const char *p = j->config->msg_id; *p && id < end;) {
        const char *close = *p == '{' ? strchr(p, '}') : NULL;
        if (!close) {
            *id++ = *p++;
            continue;
        }
        struct slice value = json_get_member(&j->ids, line, slice_between(p + 1, close));
        size_t n = value.len < (size_t)(end - id) ? value.len : (size_t)(end - id);
        if (n)
            memcpy(id, value.data, n);
        id += n;
        p = close + 1;
    }
    *id = '\0';
}

static bool jetstream_transmit(struct jetstream *j, uint64_t number, uint64_t offset,
                               struct slice text)
{
    char reply[96];
    char id[MSG_ID_MAX] = "";
    snprintf(reply, sizeof reply, "%s%" PRIu64, j->inbox, number);
    if (!j->config->msg_id)
        return nats_conn_publish_request(j->conn, j->subject, reply, text, NULL, j->config->stream);
    if (strcmp(j->config->msg_id, "auto") == 0)
        snprintf(id, sizeof id, "%016" PRIx64 "-%" PRIu64, j->window->ring.id, offset);
    else
        jetstream_format_msg_id(j, text, id, sizeof id - 1);
    return nats_conn_publish_request(j->conn, j->subject, reply, text, id, j->config->stream);
}

bool jetstream_publish(struct jetstream *j, const struct window_line *line)
{
    pthread_mutex_lock(&j->lock);
    uint64_t number = j->next++;
    *jetstream_message_at(j, number) =
        (struct jetstream_message){.mark = j->window->next,
                                   .offset = line->offset,
                                   .due_ns = clock_monotonic() + j->config->timeout_ns,
                                   .state = MESSAGE_SENT};
    pthread_mutex_unlock(&j->lock);
    return jetstream_transmit(j, number, line->offset, line->text);
}

static struct slice jetstream_message_text(const struct jetstream *j,
                                           const struct jetstream_message *f)
{
    struct slice text = {ring_byte(&j->window->ring, f->offset),
                         (size_t)(f->mark.offset - f->offset - 1)};
    if (text.len && text.data[text.len - 1] == '\r')
        text.len--;
    return text;
}

/* Nobody listens to the subject: whether that is because no stream has it. */
static bool no_stream(struct jetstream *j)
{
    static const char none[] = "\"total\":0";
    char why[NATS_CONN_TEXT_MAX];
    struct buffer answer = {0};
    char request[1200];
    int n = snprintf(request, sizeof request, "{\"subject\":\"%s\"}", j->subject);
    bool absent =
        nats_conn_request(j->conn, "$JS.API.STREAM.NAMES", (struct slice){request, (size_t)n},
                          question_timeout(j), &answer, why) &&
        memmem(answer.data, answer.len, none, sizeof none - 1);
    buffer_free(&answer);
    return absent;
}

/* What happens to a flight now; the lock is held and is let go while something is sent. */
static bool mend_one(struct jetstream *j, uint64_t number, uint64_t now, struct refusal *refusal,
                     bool *lost)
{
    struct jetstream_message *f = jetstream_message_at(j, number);
    if (f->state == MESSAGE_REFUSED) {
        *refusal = (struct refusal){f->mark.lines, jetstream_message_text(j, f), f->offset, ""};
        snprintf(refusal->why, sizeof refusal->why, "%s",
                 f->error_text ? f->error_text : "refused");
        free(f->error_text);
        f->error_text = NULL;
        jetstream_complete(j, f);
        return true;
    }
    if (f->state == MESSAGE_DONE || f->due_ns > now)
        return false;
    bool nobody = f->state == MESSAGE_NO_RESPONDERS;
    struct jetstream_message copy = *f;
    f->state = MESSAGE_SENT;
    f->attempts = (uint8_t)(f->attempts < BACKOFF_STEPS_MAX ? f->attempts + 1 : BACKOFF_STEPS_MAX);
    f->due_ns = now + j->config->timeout_ns;
    pthread_mutex_unlock(&j->lock);
    bool absent = nobody && no_stream(j);
    if (!absent)
        *lost = !jetstream_transmit(j, number, copy.offset, jetstream_message_text(j, &copy));
    pthread_mutex_lock(&j->lock);
    if (absent) {
        f->state = MESSAGE_REFUSED;
        f->error_text = strdup("no stream has this subject");
        return mend_one(j, number, now, refusal, lost);
    }
    return false;
}

bool jetstream_mend(struct jetstream *j, struct refusal *refusal, bool *lost)
{
    uint64_t now = clock_monotonic();
    bool refused = false;
    *lost = false;
    pthread_mutex_lock(&j->lock);
    j->needs_retry = 0;
    for (uint64_t i = j->first; i < j->next && !refused && !*lost; i++)
        refused = mend_one(j, i, now, refusal, lost);
    pthread_mutex_unlock(&j->lock);
    return refused;
}

int jetstream_patience(struct jetstream *j)
{
    pthread_mutex_lock(&j->lock);
    bool under_way = j->first < j->next;
    pthread_mutex_unlock(&j->lock);
    return under_way ? 100 : -1;
}

struct window_mark jetstream_acknowledged(struct jetstream *j)
{
    pthread_mutex_lock(&j->lock);
    struct window_mark mark = j->first == j->next ? j->window->next : j->acknowledged;
    pthread_mutex_unlock(&j->lock);
    return mark;
}
