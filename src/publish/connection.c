#include "publish/connection.h"

#include <inttypes.h>
#include <nats/nats.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/report.h"
#include "publish/nkey.h"

enum {
    MS = 1000000,
    FIRST_WAIT_MS = 100,
    LONGEST_WAIT_MS = 2000,
    REPEAT_S = 5,
    IO_BUFFER = 64 * 1024
};

struct connection {
    natsConnection *nats;
    atomic_bool refused; /* the server refused a message, which was reported */
};

static const char *behind_scheme(const char *url)
{
    const char *scheme = strstr(url, "://");
    return scheme ? scheme + 3 : url;
}

static bool is_tls(const char *url)
{
    return strncmp(url, "tls://", 6) == 0;
}

/* A URL as it may be shown: without user and password. */
static const char *shown(const char *url)
{
    const char *at = strrchr(url, '@');
    return at ? at + 1 : url;
}

/* [nats://|tls://][USER[:PASSWORD]@]HOST[:PORT] */
static bool is_server(const char *url)
{
    if (strstr(url, "://") && strncmp(url, "nats://", 7) != 0 && !is_tls(url))
        return false;
    const char *host = shown(behind_scheme(url));
    const char *bracket = host[0] == '[' ? strchr(host, ']') : NULL;
    const char *port = strchr(bracket ? bracket : host, ':');
    size_t length = port ? (size_t)(port - host) : strlen(host);
    if (length == 0 || host[strcspn(host, "/ \t")] != '\0' || (host[0] == '[' && !bracket))
        return false;
    if (!port)
        return true;
    char *end;
    long number = strtol(port + 1, &end, 10);
    return port[1] >= '0' && port[1] <= '9' && *end == '\0' && number > 0 && number < 65536;
}

bool connection_add_servers(struct connection_config *config, const char *list)
{
    size_t capacity = config->server_count;
    while (*list) {
        size_t length = strcspn(list, ",");
        const char *scheme = strstr(list, "://");
        char *url = NULL;
        if (asprintf(&url, "%s%.*s", scheme && scheme < list + length ? "" : "nats://", (int)length,
                     list) < 0) {
            report("out of memory");
            return false;
        }
        config->servers =
            array_grow(config->servers, &capacity, config->server_count, sizeof *config->servers);
        config->servers[config->server_count++] = url;
        if (!is_server(url)) {
            report("--server: '%s' is not a server: nats://HOST:PORT or tls://HOST:PORT",
                   shown(url));
            return false;
        }
        list += length + (list[length] == ',');
    }
    if (config->server_count == 0)
        report("--server: no URL");
    return config->server_count != 0;
}

static void on_error(natsConnection *nats, natsSubscription *subscription, natsStatus status,
                     void *closure)
{
    struct connection *c = closure;
    const char *text = NULL;
    (void)subscription;
    natsConnection_GetLastError(nats, &text);
    if (!atomic_exchange(&c->refused, true))
        report("the server refused: %s", text && *text ? text : natsStatus_GetText(status));
}

static natsStatus authenticate(natsOptions *o, const struct connection_config *config)
{
    natsStatus s = NATS_OK;
    if (config->user)
        s = natsOptions_SetUserInfo(o, config->user, config->password ? config->password : "");
    if (s == NATS_OK && config->token)
        s = natsOptions_SetToken(o, config->token);
    if (s == NATS_OK && config->creds)
        s = natsOptions_SetUserCredentialsFromFiles(o, config->creds, NULL);
    if (s == NATS_OK && config->nkey) {
        char key[NKEY_PUBLIC];
        s = nkey_public(config->nkey, key) ? natsOptions_SetNKeyFromSeed(o, key, config->nkey)
                                           : NATS_INVALID_ARG;
    }
    return s;
}

static natsStatus secure(natsOptions *o, const struct connection_config *config)
{
    bool wanted = config->tlsca || config->tlscert;
    natsStatus s = NATS_OK;
    for (size_t i = 0; i < config->server_count; i++)
        wanted = wanted || is_tls(config->servers[i]);
    if (wanted)
        s = natsOptions_SetSecure(o, true);
    if (s == NATS_OK && config->tlsca)
        s = natsOptions_LoadCATrustedCertificates(o, config->tlsca);
    if (s == NATS_OK && config->tlscert)
        s = natsOptions_LoadCertificatesChain(o, config->tlscert, config->tlskey);
    return s;
}

/* nats.c does not reconnect by itself: what it held by then would be lost. */
static natsStatus configure(natsOptions *o, const struct connection_config *config,
                            struct connection *c)
{
    const char **servers = (const char **)config->servers;
    natsStatus s = natsOptions_SetServers(o, servers, (int)config->server_count);
    if (s == NATS_OK)
        s = natsOptions_SetTimeout(o, (int64_t)(config->timeout / MS));
    if (s == NATS_OK)
        s = natsOptions_SetAllowReconnect(o, false);
    if (s == NATS_OK)
        s = natsOptions_SetIOBufSize(o, IO_BUFFER);
    if (s == NATS_OK)
        s = natsOptions_SetErrorHandler(o, on_error, c);
    if (s == NATS_OK && config->name)
        s = natsOptions_SetName(o, config->name);
    if (s == NATS_OK)
        s = authenticate(o, config);
    if (s == NATS_OK)
        s = secure(o, config);
    return s;
}

static void report_status(const char *what, natsStatus status)
{
    natsStatus last;
    const char *text = nats_GetLastError(&last);
    report("%s: %s", what, text && last == status ? text : natsStatus_GetText(status));
}

/* Whether the next attempt may end otherwise. */
static bool may_pass(natsStatus s)
{
    return s == NATS_NO_SERVER || s == NATS_TIMEOUT || s == NATS_IO_ERROR ||
           s == NATS_CONNECTION_CLOSED || s == NATS_STALE_CONNECTION;
}

static natsStatus connect_patiently(natsConnection **nats, natsOptions *o,
                                    const struct connection_config *config, struct signals *signals)
{
    uint64_t start = clock_monotonic();
    uint64_t said = 0;
    uint64_t wait = FIRST_WAIT_MS;
    for (;;) {
        natsStatus s = natsConnection_Connect(nats, o);
        uint64_t now = clock_monotonic();
        uint64_t passed = now - start;
        if (s == NATS_OK || !may_pass(s) || signals_stopping(signals))
            return s;
        if (config->connect_timeout && passed >= config->connect_timeout)
            return s;
        if (config->connect_timeout && config->connect_timeout - passed < wait * MS)
            wait = (config->connect_timeout - passed) / MS + 1;
        if (said == 0 || now - said >= REPEAT_S * NS_PER_S) {
            report("%s%s: no server answers, waiting for one", shown(config->servers[0]),
                   config->server_count > 1 ? ", ..." : "");
            said = now;
        }
        poll(&(struct pollfd){.fd = signals->stop_fd, .events = POLLIN}, 1, (int)wait);
        if (signals_stopping(signals))
            return s;
        wait = wait * 2 < LONGEST_WAIT_MS ? wait * 2 : LONGEST_WAIT_MS;
    }
}

struct connection *connection_open(const struct connection_config *config, struct signals *signals)
{
    natsOptions *o = NULL;
    struct connection *c = calloc(1, sizeof *c);
    if (!c) {
        report("out of memory");
        return NULL;
    }
    natsStatus s = natsOptions_Create(&o);
    if (s == NATS_OK)
        s = configure(o, config, c);
    if (s == NATS_OK)
        s = connect_patiently(&c->nats, o, config, signals);
    natsOptions_Destroy(o);
    if (s == NATS_OK)
        return c;
    report_status(shown(config->servers[0]), s);
    connection_close(c);
    return NULL;
}

size_t connection_max_payload(struct connection *c)
{
    return (size_t)natsConnection_GetMaxPayload(c->nats);
}

static bool lost(struct connection *c, natsStatus s)
{
    const char *text = NULL;
    natsConnection_GetLastError(c->nats, &text);
    report("the connection is lost: %s", text && *text ? text : natsStatus_GetText(s));
    return false;
}

bool connection_publish(struct connection *c, const char *subject, struct slice payload)
{
    natsStatus s = natsConnection_Publish(c->nats, subject, payload.at, (int)payload.len);
    return s == NATS_OK || lost(c, s);
}

bool connection_confirm(struct connection *c)
{
    natsStatus s;
    do
        s = natsConnection_FlushTimeout(c->nats, REPEAT_S * 1000);
    while (s == NATS_TIMEOUT && !natsConnection_IsClosed(c->nats));
    if (s != NATS_OK)
        return lost(c, s);
    return !atomic_load(&c->refused);
}

void connection_close(struct connection *c)
{
    natsConnection_Destroy(c->nats);
    nats_CloseAndWait(0);
    free(c);
}
