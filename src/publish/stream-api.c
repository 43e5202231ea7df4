#include "publish/stream-api.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "json/escape.h"
#include "publish/reply.h"

/* Values of err_code, and the size of a name with its NUL. */
enum {
    STREAM_API_NO_PEERS = 10005,
    STREAM_API_NAME_IN_USE = 10058,
    STREAM_API_NOT_FOUND = 10059,
    STREAM_API_NAME_SIZE = 256
};

static const uint64_t query_timeout_max_ns = NS_PER_S;

static void stream_api_put_string(struct buffer *b, struct slice text)
{
    buffer_commit(b, json_quote(buffer_reserve(b, JSON_STRING_CAPACITY(text.len)), text));
}

/* The StreamConfig of the server's API. */
static void stream_api_put_config(struct buffer *b, const struct stream_config *config,
                                  const char *subject)
{
    const char *subjects = config->create_subjects ? config->create_subjects : subject;
    buffer_puts(b, "{\"name\":");
    stream_api_put_string(b, (struct slice){config->name, strlen(config->name)});
    buffer_puts(b, ",\"subjects\":[");
    for (const char *p = subjects; *p;) {
        size_t len = strcspn(p, ",");
        if (p > subjects)
            buffer_puts(b, ",");
        stream_api_put_string(b, (struct slice){p, len});
        p += len + (p[len] == ',');
    }
    buffer_printf(b,
                  "],\"retention\":\"limits\",\"discard\":\"old\",\"storage\":\"%s\","
                  "\"num_replicas\":%" PRIu64 ",\"max_age\":%" PRIu64 ",\"max_bytes\":%" PRId64
                  ",\"max_consumers\":-1,\"max_msgs\":-1}",
                  config->memory ? "memory" : "file", config->replicas, config->max_age_ns,
                  config->max_bytes ? (int64_t)config->max_bytes : -1);
}

/* A cluster drops requests while it elects a leader, so it is better to ask often. */
static uint64_t stream_api_query_timeout_ns(const struct stream_config *config)
{
    return config->timeout_ns < query_timeout_max_ns ? config->timeout_ns : query_timeout_max_ns;
}

/* A request and its response. */
struct stream_api_call {
    struct nats_conn *conn;
    const struct stream_config *config;
    struct buffer request;
    struct buffer response;
    struct reply reply;
    char *error_text;  /* of NATS_CONN_TEXT_MAX bytes */
    uint64_t err_code; /* of the response */
};

static void stream_api_free(struct stream_api_call *c)
{
    reply_free(&c->reply);
    buffer_free(&c->response);
    buffer_free(&c->request);
}

/*
 * Sends c->request to $JS.API.STREAM.VERB.NAME, or without .NAME. Returns STREAM_API_READY if the
 * response is not an error. Errors with code 503 are temporary, all others depend on the request.
 */
static enum stream_api_state stream_api_send(struct stream_api_call *c, const char *verb,
                                             const char *name, uint64_t timeout_ns,
                                             enum stream_api_state on_error)
{
    char subject[512];
    struct reply_error error;
    snprintf(subject, sizeof subject, "$JS.API.STREAM.%s%s%s", verb, name ? "." : "",
             name ? name : "");
    c->response.len = 0;
    c->err_code = 0;
    enum nats_conn_request_result result =
        nats_conn_request(c->conn, subject, (struct slice){c->request.data, c->request.len},
                          timeout_ns, &c->response, c->error_text);
    if (result != NATS_CONN_ANSWERED)
        return result == NATS_CONN_REQUEST_DENIED ? STREAM_API_FAILED : STREAM_API_UNAVAILABLE;
    struct slice text = {c->response.data, c->response.len};
    if (!text.data || !reply_parse(&c->reply, text)) {
        snprintf(c->error_text, NATS_CONN_TEXT_MAX, "the response to STREAM.%s is not JSON", verb);
        return STREAM_API_UNAVAILABLE;
    }
    if (!reply_get_error(&c->reply, &error))
        return STREAM_API_READY;
    c->err_code = error.err_code;
    snprintf(c->error_text, NATS_CONN_TEXT_MAX, "%s", error.text);
    return error.code == 503 ? STREAM_API_UNAVAILABLE : on_error;
}

/* A stream that never acknowledges anything would receive each message again and again. */
static enum stream_api_state stream_api_check_config(struct stream_api_call *c, const char *name)
{
    const char *defect = NULL;
    if (reply_enter(&c->reply, "config")) {
        if (reply_is_true(&c->reply, "no_ack"))
            defect = "acknowledges nothing (no_ack)";
        if (reply_is_true(&c->reply, "sealed"))
            defect = "is sealed";
    }
    if (!defect)
        return STREAM_API_READY;
    snprintf(c->error_text, NATS_CONN_TEXT_MAX, "stream %s %s", name, defect);
    return STREAM_API_FAILED;
}

static enum stream_api_state stream_api_inspect(struct stream_api_call *c, const char *name)
{
    c->request.len = 0;
    enum stream_api_state state = stream_api_send(
        c, "INFO", name, stream_api_query_timeout_ns(c->config), STREAM_API_UNAVAILABLE);
    return state == STREAM_API_READY ? stream_api_check_config(c, name) : state;
}

/* Another relay may just have created it, and servers of a cluster may still be unknown. */
static enum stream_api_state stream_api_create(struct stream_api_call *c, const char *subject)
{
    stream_api_put_config(&c->request, c->config, subject);
    enum stream_api_state state =
        stream_api_send(c, "CREATE", c->config->name, c->config->timeout_ns, STREAM_API_FAILED);
    if (c->err_code == STREAM_API_NAME_IN_USE || c->err_code == STREAM_API_NO_PEERS)
        return STREAM_API_UNAVAILABLE;
    return state == STREAM_API_READY ? stream_api_check_config(c, c->config->name) : state;
}

enum stream_api_state stream_api_ensure(struct nats_conn *conn, const struct stream_config *config,
                                        const char *subject, char *error_text)
{
    struct stream_api_call c = {.conn = conn, .config = config, .error_text = error_text};
    if (!config->name)
        return STREAM_API_READY;
    enum stream_api_state state = stream_api_inspect(&c, config->name);
    if (c.err_code == STREAM_API_NOT_FOUND && config->create) {
        state = stream_api_create(&c, subject);
    } else if (c.err_code == STREAM_API_NOT_FOUND) {
        snprintf(error_text, NATS_CONN_TEXT_MAX,
                 "stream not found; use --create-stream to create it");
        state = STREAM_API_FAILED;
    }
    stream_api_free(&c);
    return state;
}

/* Writes the name of a stream with `subject` to `name`. */
static enum stream_api_state stream_api_find(struct stream_api_call *c, const char *subject,
                                             char *name)
{
    uint64_t total = 0;
    buffer_puts(&c->request, "{\"subject\":");
    stream_api_put_string(&c->request, (struct slice){subject, strlen(subject)});
    buffer_puts(&c->request, "}");
    enum stream_api_state state = stream_api_send(
        c, "NAMES", NULL, stream_api_query_timeout_ns(c->config), STREAM_API_UNAVAILABLE);
    if (state != STREAM_API_READY)
        return state;
    if (reply_get_number(&c->reply, "total", &total) && total == 0) {
        snprintf(c->error_text, NATS_CONN_TEXT_MAX, "no stream has this subject");
        return STREAM_API_UNBOUND;
    }
    return reply_get_first(&c->reply, "streams", name, STREAM_API_NAME_SIZE)
               ? STREAM_API_READY
               : STREAM_API_UNAVAILABLE;
}

enum stream_api_state stream_api_diagnose(struct nats_conn *conn,
                                          const struct stream_config *config, const char *subject,
                                          char *error_text)
{
    char name[STREAM_API_NAME_SIZE];
    char text[NATS_CONN_TEXT_MAX] = "";
    struct stream_api_call c = {.conn = conn, .config = config, .error_text = text};
    enum stream_api_state state = stream_api_find(&c, subject, name);
    if (state == STREAM_API_READY)
        state = stream_api_inspect(&c, config->name ? config->name : name);
    if (*text)
        snprintf(error_text, NATS_CONN_TEXT_MAX, "%s", text);
    stream_api_free(&c);
    return state;
}
