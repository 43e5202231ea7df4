#include "publish/stream-api.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "publish/nats-stream.h"

static const uint64_t query_timeout_max_ns = NS_PER_S;

/* Servers of a cluster that is starting are unknown for a while. */
enum { STREAM_API_NO_PEERS_TIMEOUTS = 6 };

/* A cluster drops requests while it elects a leader, so it is better to ask often. */
static uint64_t stream_api_query_timeout_ns(const struct stream_config *config)
{
    return config->timeout_ns < query_timeout_max_ns ? config->timeout_ns : query_timeout_max_ns;
}

/* A stream that never acknowledges anything would receive each message again and again. */
static enum stream_api_state
stream_api_check(const char *name, const struct stream_config *existing, char *error_text)
{
    const char *defect = existing->values[STREAM_SEALED]   ? "is sealed"
                         : existing->values[STREAM_NO_ACK] ? "acknowledges nothing (no_ack)"
                                                           : NULL;
    if (!defect)
        return STREAM_API_READY;
    snprintf(error_text, NATS_CONN_TEXT_MAX, "stream %.160s %s", name, defect);
    return STREAM_API_FAILED;
}

static void stream_api_report(struct stream_api *api, const struct stream_config *config,
                              const struct stream_config *existing)
{
    char differences[sizeof api->differences];
    stream_config_compare(config, existing, differences, sizeof differences);
    if (*differences && strcmp(differences, api->differences) != 0)
        log_warning("stream %s exists with other settings: %s; continuing with it", config->name,
                    differences);
    memcpy(api->differences, differences, sizeof differences);
}

/* Another relay may just have created it: NATS_STREAM_EXISTS. */
static enum stream_api_state stream_api_create(struct stream_api *api, struct nats_conn *conn,
                                               const struct stream_config *config, char *error_text)
{
    struct stream_config existing = {0};
    enum nats_stream_result result = nats_stream_create(conn, config, &existing, error_text);
    enum stream_api_state state =
        result == NATS_STREAM_REFUSED ? STREAM_API_FAILED : STREAM_API_UNAVAILABLE;
    uint64_t now_ns = clock_monotonic();
    if (result != NATS_STREAM_NO_PEERS)
        api->no_peers_since_ns = 0;
    else if (!api->no_peers_since_ns)
        api->no_peers_since_ns = now_ns;
    else if (now_ns - api->no_peers_since_ns >= STREAM_API_NO_PEERS_TIMEOUTS * config->timeout_ns)
        state = STREAM_API_FAILED;
    if (result == NATS_STREAM_FOUND)
        state = stream_api_check(config->name, &existing, error_text);
    stream_config_free(&existing);
    return state;
}

enum stream_api_state stream_api_ensure(struct stream_api *api, struct nats_conn *conn,
                                        const struct stream_config *config, char *error_text)
{
    struct stream_config existing = {0};
    enum stream_api_state state = STREAM_API_UNAVAILABLE;
    if (!config->name)
        return STREAM_API_READY;
    enum nats_stream_result result = nats_stream_get(
        conn, config->name, stream_api_query_timeout_ns(config), &existing, error_text);
    if (result == NATS_STREAM_FOUND) {
        state = stream_api_check(config->name, &existing, error_text);
        stream_api_report(api, config, &existing);
    } else if (result == NATS_STREAM_ABSENT && config->create) {
        state = stream_api_create(api, conn, config, error_text);
    } else if (result == NATS_STREAM_ABSENT) {
        snprintf(error_text, NATS_CONN_TEXT_MAX,
                 "stream not found; use --create-stream to create it");
        state = STREAM_API_FAILED;
    } else if (nats_conn_get_denial(conn, error_text)) {
        state = STREAM_API_FAILED;
    }
    stream_config_free(&existing);
    return state;
}

enum stream_api_state stream_api_diagnose(struct nats_conn *conn,
                                          const struct stream_config *config, const char *subject,
                                          char *error_text)
{
    char found[STREAM_NAME_MAX + 1];
    char text[NATS_CONN_TEXT_MAX] = "";
    struct stream_config existing = {0};
    uint64_t timeout_ns = stream_api_query_timeout_ns(config);
    enum nats_stream_result result = nats_stream_find(conn, subject, timeout_ns, found, text);
    enum stream_api_state state = STREAM_API_UNAVAILABLE;
    if (result == NATS_STREAM_ABSENT)
        state = STREAM_API_UNBOUND;
    const char *name = config->name ? config->name : found;
    if (result == NATS_STREAM_FOUND)
        result = nats_stream_get(conn, name, timeout_ns, &existing, text);
    if (result == NATS_STREAM_FOUND)
        state = stream_api_check(name, &existing, text);
    else if (state != STREAM_API_UNBOUND && nats_conn_get_denial(conn, text))
        state = STREAM_API_FAILED;
    if (*text)
        snprintf(error_text, NATS_CONN_TEXT_MAX, "%s", text);
    stream_config_free(&existing);
    return state;
}
