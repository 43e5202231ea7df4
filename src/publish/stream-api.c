#include "publish/stream-api.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "json/escape.h"

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

static bool stream_api_has_error(const struct buffer *response)
{
    return response->len && memmem(response->data, response->len, "\"error\"", 7);
}

static bool stream_api_is_missing(const struct buffer *response)
{
    return stream_api_has_error(response) && memmem(response->data, response->len, "10059", 5);
}

static void stream_api_get_error(const struct buffer *response, char *error_text)
{
    static const char key[] = "\"description\":\"";
    const char *p = memmem(response->data, response->len, key, sizeof key - 1);
    const char *text = p ? p + sizeof key - 1 : NULL;
    const char *end =
        text ? memchr(text, '"', (size_t)(response->data + response->len - text)) : NULL;
    if (end)
        snprintf(error_text, NATS_CONN_TEXT_MAX, "%.*s", (int)(end - text), text);
    else
        snprintf(error_text, NATS_CONN_TEXT_MAX, "no reason given");
}

/* A cluster drops requests while it elects a leader, so it is better to ask often. */
static uint64_t stream_api_query_timeout_ns(const struct stream_config *config)
{
    return config->timeout_ns < query_timeout_max_ns ? config->timeout_ns : query_timeout_max_ns;
}

static bool stream_api_call(struct nats_conn *conn, const char *verb,
                            const struct stream_config *config, struct slice request,
                            uint64_t timeout_ns, struct buffer *response, char *error_text)
{
    char subject[512];
    snprintf(subject, sizeof subject, "$JS.API.STREAM.%s.%s", verb, config->name);
    response->len = 0;
    return nats_conn_request(conn, subject, request, timeout_ns, response, error_text);
}

enum stream_api_state stream_api_ensure(struct nats_conn *conn, const struct stream_config *config,
                                        const char *subject, char *error_text)
{
    struct buffer response = {0};
    struct buffer request = {0};
    enum stream_api_state state = STREAM_API_UNAVAILABLE;
    if (!config->name)
        return STREAM_API_READY;
    bool answered = stream_api_call(conn, "INFO", config, (struct slice){"", 0},
                                    stream_api_query_timeout_ns(config), &response, error_text);
    if (answered && stream_api_is_missing(&response) && config->create) {
        stream_api_put_config(&request, config, subject);
        answered =
            stream_api_call(conn, "CREATE", config, (struct slice){request.data, request.len},
                            config->timeout_ns, &response, error_text);
    }
    if (answered && !stream_api_has_error(&response)) {
        state = STREAM_API_READY;
    } else if (answered) {
        stream_api_get_error(&response, error_text);
        if (stream_api_is_missing(&response)) {
            log_printf("--stream: %s: %s; use --create-stream to create it", config->name,
                       error_text);
            state = STREAM_API_MISSING;
        }
    }
    buffer_free(&response);
    buffer_free(&request);
    return state;
}

bool stream_api_subject_is_unbound(struct nats_conn *conn, const struct stream_config *config,
                                   const char *subject)
{
    static const char none[] = "\"total\":0";
    char error_text[NATS_CONN_TEXT_MAX];
    struct buffer response = {0};
    struct buffer request = {0};
    buffer_printf(&request, "{\"subject\":\"%s\"}", subject);
    bool unbound =
        nats_conn_request(conn, "$JS.API.STREAM.NAMES", (struct slice){request.data, request.len},
                          stream_api_query_timeout_ns(config), &response, error_text) &&
        memmem(response.data, response.len, none, sizeof none - 1);
    buffer_free(&response);
    buffer_free(&request);
    return unbound;
}
