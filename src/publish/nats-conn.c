#include "publish/nats-conn.h"

#include <errno.h>
#include <inttypes.h>
#include <nats/nats.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/exit-status.h"
#include "base/log.h"
#include "json/escape.h"
#include "publish/nkey.h"

enum {
    MS = 1000000,
    IO_BUFFER = 256 * 1024,
    SERVERS_MAX = 256,
    URL_MAX = 8192,
    LOAD_TIMEOUT_S = 5,
    SENT_MAX = 64,
    SENT_BYTES_MAX = 1024 * 1024
};

struct nats_conn {
    natsConnection *nats;
    const struct nats_conn_config *config;
    natsSubscription *replies;
    int64_t silence_ms; /* milliseconds, after which the server is taken for dead */
    natsStatus stale;   /* and its text: the error of a server that was tried before this one */
    char stale_text[NATS_CONN_TEXT_MAX];
    natsMsg *sent[SENT_MAX]; /* to be destroyed */
    int sent_count;
    size_t sent_bytes;
};

static const char *url_skip_scheme(const char *url)
{
    const char *scheme = strstr(url, "://");
    return scheme ? scheme + 3 : url;
}

static bool url_is_tls(const char *url)
{
    return strncmp(url, "tls://", 6) == 0;
}

const char *nats_conn_hide_credentials(const char *url)
{
    const char *sign = strrchr(url, '@');
    return sign ? sign + 1 : url;
}

/* [nats://|tls://][USER[:PASSWORD]@]HOST[:PORT] */
static bool url_is_server(const char *url)
{
    if (strstr(url, "://") && strncmp(url, "nats://", 7) != 0 && !url_is_tls(url))
        return false;
    const char *host = nats_conn_hide_credentials(url_skip_scheme(url));
    const char *bracket = host[0] == '[' ? strchr(host, ']') : NULL;
    size_t host_port_len = strcspn(host, "/ \t");
    const char *port = strchr(bracket ? bracket : host, ':');
    size_t len = port ? (size_t)(port - host) : host_port_len;
    if (len == 0 || (host[host_port_len] && strcmp(host + host_port_len, "/") != 0) ||
        (host[0] == '[' && !bracket))
        return false;
    if (!port)
        return true;
    char *end;
    long number = strtol(port + 1, &end, 10);
    return port[1] >= '0' && port[1] <= '9' && (*end == '\0' || *end == '/') && number > 0 &&
           number < 65536;
}

/* `url` becomes property of `config`. */
static void nats_conn_append_server(struct nats_conn_config *config, char *url)
{
    size_t capacity = config->server_count;
    config->servers =
        array_grow(config->servers, &capacity, config->server_count, sizeof *config->servers);
    config->servers[config->server_count++] = url;
}

bool nats_conn_add_servers(struct nats_conn_config *config, const char *flag, const char *list)
{
    const char *all = list;
    while (*(list += strspn(list, " "))) {
        size_t item_len = strcspn(list, ",");
        size_t len = item_len;
        while (len && list[len - 1] == ' ')
            len--;
        const char *scheme = strstr(list, "://");
        char *url = NULL;
        if (asprintf(&url, "%s%.*s", scheme && scheme < list + len ? "" : "nats://", (int)len,
                     list) < 0) {
            log_printf("out of memory");
            return false;
        }
        nats_conn_append_server(config, url);
        if (!url_is_server(url)) {
            /* A comma in a password would print a part of it. */
            log_printf("%s: '%s' is not a server URL; use nats://HOST:PORT or tls://HOST:PORT",
                       flag, strchr(all, '@') ? "..." : url);
            return false;
        }
        list += item_len + (list[item_len] == ',');
    }
    if (config->server_count == 0)
        log_printf("%s: the list of URLs is empty", flag);
    return config->server_count != 0;
}

/* Without a handler nats.c prints errors to stderr; callers use the returned status instead. */
static void nats_conn_on_error(natsConnection *nats, natsSubscription *subscription,
                               natsStatus status, void *closure)
{
    (void)nats;
    (void)subscription;
    (void)status;
    (void)closure;
}

static void nats_conn_on_closed(natsConnection *nats, void *closure)
{
    (void)nats;
    eventfd_write((int)(intptr_t)closure, 1);
}

const char *nats_conn_escape(const char *text, struct buffer *b)
{
    struct slice all = {text, strlen(text)};
    b->len = 0;
    *json_escape(buffer_reserve(b, JSON_STRING_CAPACITY(all.len) + 1), all) = '\0';
    return b->data;
}

/* Called by nats.c, which frees the copy. */
static natsStatus nats_conn_copy_jwt(char **jwt, char **error_text, void *closure)
{
    const struct nats_conn_config *config = closure;
    struct buffer b = {0};
    (void)error_text;
    *jwt = strdup(nats_conn_escape(config->jwt, &b));
    buffer_free(&b);
    return *jwt ? NATS_OK : NATS_NO_MEMORY;
}

/* Called by nats.c, which frees the signature. Bearer tokens are not signed. */
static natsStatus nats_conn_sign(char **error_text, unsigned char **signature, int *len,
                                 const char *nonce, void *closure)
{
    const struct nats_conn_config *config = closure;
    (void)error_text;
    if (config->seed)
        return nats_Sign(config->seed, nonce, signature, len);
    *signature = calloc(1, 1);
    *len = 0;
    return *signature ? NATS_OK : NATS_NO_MEMORY;
}

static natsStatus nats_conn_set_nkey(natsOptions *o, const char *path, char *error_text)
{
    char key[NKEY_PUBLIC_SIZE];
    char reason[NKEY_ERROR_MAX];
    if (nkey_public_key(path, key, reason))
        return natsOptions_SetNKeyFromSeed(o, key, path);
    snprintf(error_text, NATS_CONN_TEXT_MAX, "--nkey: %.240s", reason);
    return NATS_INVALID_ARG;
}

/* On failure, error_text may be empty. */
static natsStatus nats_conn_set_credentials(natsOptions *o, struct nats_conn_config *config,
                                            struct buffer texts[3], char *error_text)
{
    natsStatus s = NATS_OK;
    if (config->user)
        s = natsOptions_SetUserInfo(
            o, nats_conn_escape(config->user, &texts[1]),
            nats_conn_escape(config->password ? config->password : "", &texts[2]));
    if (s == NATS_OK && config->token)
        s = natsOptions_SetToken(o, nats_conn_escape(config->token, &texts[1]));
    if (s == NATS_OK && config->creds)
        s = natsOptions_SetUserCredentialsFromFiles(o, config->creds, NULL);
    if (s == NATS_OK && config->jwt)
        s = natsOptions_SetUserCredentialsCallbacks(o, nats_conn_copy_jwt, config, nats_conn_sign,
                                                    config);
    if (s == NATS_OK && config->nkey)
        s = nats_conn_set_nkey(o, config->nkey, error_text);
    return s;
}

static bool nats_conn_uses_tls(const struct nats_conn_config *config)
{
    bool uses_tls = config->tlsca || config->tlscert;
    for (size_t i = 0; i < config->server_count; i++)
        uses_tls = uses_tls || url_is_tls(config->servers[i]);
    return uses_tls;
}

static natsStatus nats_conn_set_tls(natsOptions *o, const struct nats_conn_config *config)
{
    natsStatus s = NATS_OK;
    if (nats_conn_uses_tls(config))
        s = natsOptions_SetSecure(o, true);
    if (s == NATS_OK && config->tlsca)
        s = natsOptions_LoadCATrustedCertificates(o, config->tlsca);
    if (s == NATS_OK && config->tlscert)
        s = natsOptions_LoadCertificatesChain(o, config->tlscert, config->tlskey);
    return s;
}

/* A reconnect of nats.c would lose the messages in its buffer, so it is disabled. */
static natsStatus nats_conn_set_options(natsOptions *o, struct nats_conn_config *config,
                                        int64_t silence_ms, int wake_fd, char *error_text)
{
    const char **servers = (const char **)config->servers;
    struct buffer texts[3] = {{0}};
    natsStatus s = natsOptions_SetServers(o, servers, (int)config->server_count);
    if (s == NATS_OK)
        s = natsOptions_SetAllowReconnect(o, false);
    if (s == NATS_OK)
        s = natsOptions_SetIOBufSize(o, IO_BUFFER);
    /* Otherwise a thread of nats.c is woken up for each of them. */
    if (s == NATS_OK)
        s = natsOptions_SetSendAsap(o, config->sends_large_messages);
    if (s == NATS_OK)
        s = natsOptions_SetErrorHandler(o, nats_conn_on_error, NULL);
    if (s == NATS_OK)
        s = natsOptions_SetClosedCB(o, nats_conn_on_closed, (void *)(intptr_t)wake_fd);
    if (s == NATS_OK)
        s = natsOptions_SetPingInterval(o, (int64_t)(config->ping_interval_ns / MS));
    if (s == NATS_OK)
        s = natsOptions_SetMaxPingsOut(o, 2);
    if (s == NATS_OK)
        s = natsOptions_SetWriteDeadline(o, silence_ms);
    if (s == NATS_OK && config->name)
        s = natsOptions_SetName(o, nats_conn_escape(config->name, &texts[0]));
    if (s == NATS_OK && config->inbox_prefix)
        s = natsOptions_SetCustomInboxPrefix(o, config->inbox_prefix);
    if (s == NATS_OK)
        s = nats_conn_set_credentials(o, config, texts, error_text);
    if (s == NATS_OK)
        s = nats_conn_set_tls(o, config);
    for (int i = 0; i < 3; i++)
        buffer_free(&texts[i]);
    return s;
}

static void nats_conn_format_error(natsStatus status, const char *text, char *error_text)
{
    const char *place = text && *text == '(' ? strstr(text, "): ") : NULL;
    if (place)
        text = place + 3; /* skips the source file and line of nats.c */
    snprintf(error_text, NATS_CONN_TEXT_MAX, "%s",
             text && *text ? text : natsStatus_GetText(status));
}

bool nats_conn_has_files(const struct nats_conn_config *config)
{
    return config->creds || config->nkey || config->tlscert || config->tlskey || config->tlsca;
}

bool nats_conn_check_files(struct nats_conn_config *config, char *error_text)
{
    const char *paths[] = {config->creds, config->nkey, config->tlscert, config->tlskey,
                           config->tlsca};
    struct buffer texts[3] = {{0}};
    natsOptions *o = NULL;
    *error_text = '\0';
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (paths[i] && access(paths[i], R_OK) != 0) {
            snprintf(error_text, NATS_CONN_TEXT_MAX, "%s: %m", paths[i]);
            return false;
        }
    natsStatus s = natsOptions_Create(&o);
    if (s == NATS_OK)
        s = nats_conn_set_credentials(o, config, texts, error_text);
    if (s == NATS_OK)
        s = nats_conn_set_tls(o, config);
    if (s != NATS_OK && !*error_text)
        nats_conn_format_error(s, nats_GetLastError(NULL), error_text);
    natsOptions_Destroy(o);
    for (int i = 0; i < 3; i++)
        buffer_free(&texts[i]);
    return s == NATS_OK;
}

/* A server that is full or shutting down sends its reason, but may close before it is read. */
static bool nats_conn_hung_up(natsStatus s)
{
    const char *text = nats_GetLastError(NULL);
    return s == NATS_PROTOCOL_ERROR && text && strstr(text, "got ''");
}

/* Returns whether a later attempt may succeed. */
static bool nats_conn_is_transient(natsStatus s)
{
    const char *text = nats_GetLastError(NULL);
    return s == NATS_NO_SERVER || s == NATS_TIMEOUT || s == NATS_IO_ERROR ||
           s == NATS_CONNECTION_CLOSED || s == NATS_STALE_CONNECTION ||
           (text && (strcasestr(text, "maximum connections") ||
                     strcasestr(text, "authentication timeout")));
}

/* nats.c returns a text of the connection that its next call overwrites, in any thread. */
static pthread_mutex_t nats_conn_error_lock = PTHREAD_MUTEX_INITIALIZER;

static natsStatus nats_conn_copy_error(const struct nats_conn *c, char *copy)
{
    const char *text = NULL;
    pthread_mutex_lock(&nats_conn_error_lock);
    natsStatus s = natsConnection_GetLastError(c->nats, &text);
    snprintf(copy, NATS_CONN_TEXT_MAX, "%s", text ? text : "");
    pthread_mutex_unlock(&nats_conn_error_lock);
    return s;
}

/* nats.c keeps the error of a server that refused the login before another one accepted it. */
static natsStatus nats_conn_last_error(const struct nats_conn *c, char *text)
{
    natsStatus s = nats_conn_copy_error(c, text);
    return s == c->stale && strcmp(text, c->stale_text) == 0 ? NATS_OK : s;
}

static void nats_conn_keep_error(struct nats_conn *c)
{
    c->stale = nats_conn_copy_error(c, c->stale_text);
}

static bool nats_conn_loaded;

static void nats_conn_on_alarm(int signal)
{
    static const char text[] = "shnek-pub: nats.c does not start; memory may be exhausted\n";
    (void)signal;
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    (void)ignored;
    _exit(STATUS_FAILED);
}

/* Without memory for its lock nats.c waits for itself, without an end. */
static void nats_conn_load(void)
{
    if (nats_conn_loaded)
        return;
    nats_conn_loaded = true;
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = nats_conn_on_alarm}, NULL);
    alarm(LOAD_TIMEOUT_S);
    nats_Open(-1);
    alarm(0);
}

enum nats_conn_result nats_conn_open(struct nats_conn_config *config, uint64_t timeout_ns,
                                     int wake_fd, struct nats_conn **c, char *error_text)
{
    natsOptions *o = NULL;
    *error_text = '\0';
    *c = calloc(1, sizeof **c);
    if (!*c) {
        snprintf(error_text, NATS_CONN_TEXT_MAX, "out of memory");
        return NATS_CONN_UNAVAILABLE;
    }
    nats_conn_load();
    (*c)->config = config;
    (*c)->silence_ms = (int64_t)(2 * config->ping_interval_ns / MS);
    natsStatus s = natsOptions_Create(&o);
    if (s == NATS_OK)
        s = nats_conn_set_options(o, config, (*c)->silence_ms, wake_fd, error_text);
    if (s == NATS_OK)
        s = natsOptions_SetTimeout(o, (int64_t)(timeout_ns / MS) + 1);
    if (s == NATS_OK)
        s = natsConnection_Connect(&(*c)->nats, o);
    natsOptions_Destroy(o);
    if (s == NATS_OK) {
        nats_conn_keep_error(*c);
        return NATS_CONN_OPENED;
    }
    bool is_transient = nats_conn_is_transient(s);
    natsStatus last = NATS_OK;
    const char *text = nats_GetLastError(&last);
    if (!*error_text && s == NATS_PROTOCOL_ERROR && nats_conn_uses_tls(config) &&
        !config->tlscert) {
        nats_conn_format_error(
            s,
            "the server ended the TLS handshake; it may require a client certificate (--tlscert)",
            error_text);
    } else if (!*error_text && nats_conn_hung_up(s)) {
        nats_conn_format_error(s, "the server closed the connection", error_text);
        is_transient = true;
    }
    if (!*error_text)
        nats_conn_format_error(s, last == s ? text : NULL, error_text);
    nats_conn_close(*c, config);
    *c = NULL;
    return is_transient ? NATS_CONN_UNAVAILABLE : NATS_CONN_DENIED;
}

bool nats_conn_is_closed(struct nats_conn *c)
{
    return natsConnection_IsClosed(c->nats);
}

size_t nats_conn_max_payload(struct nats_conn *c)
{
    return (size_t)natsConnection_GetMaxPayload(c->nats);
}

void nats_conn_get_url(struct nats_conn *c, char *url)
{
    char full[URL_MAX] = "";
    natsConnection_GetConnectedUrl(c->nats, full, sizeof full);
    snprintf(url, NATS_CONN_TEXT_MAX, "%s", nats_conn_hide_credentials(full));
}

bool nats_conn_accepts_headers(struct nats_conn *c)
{
    return natsConnection_HasHeaderSupport(c->nats) == NATS_OK;
}

static void nats_conn_destroy_sent(struct nats_conn *c)
{
    for (int i = 0; i < c->sent_count; i++)
        natsMsg_Destroy(c->sent[i]);
    c->sent_count = 0;
    c->sent_bytes = 0;
}

/* A thread of nats.c frees messages; waking it for each one costs more than the message. */
static void nats_conn_add_sent(struct nats_conn *c, natsMsg *msg, size_t len)
{
    c->sent[c->sent_count++] = msg;
    c->sent_bytes += len;
    if (c->sent_count == SENT_MAX || c->sent_bytes >= SENT_BYTES_MAX)
        nats_conn_destroy_sent(c);
}

static natsStatus nats_conn_publish_headers(struct nats_conn *c, const struct nats_conn_message *m)
{
    natsMsg *msg = NULL;
    natsStatus s = natsMsg_Create(&msg, m->subject, m->reply, m->payload.data, (int)m->payload.len);
    for (size_t i = 0; s == NATS_OK && i < m->header_count; i++)
        s = natsMsgHeader_Add(msg, m->headers[i].name, m->headers[i].value);
    if (s == NATS_OK)
        s = natsConnection_PublishMsg(c->nats, msg);
    if (msg)
        nats_conn_add_sent(c, msg, m->payload.len);
    return s;
}

enum nats_conn_publish_result nats_conn_publish(struct nats_conn *c,
                                                const struct nats_conn_message *m)
{
    int len = (int)m->payload.len;
    natsStatus s;
    if (m->header_count)
        s = nats_conn_publish_headers(c, m);
    else if (m->reply)
        s = natsConnection_PublishRequest(c->nats, m->subject, m->reply, m->payload.data, len);
    else
        s = natsConnection_Publish(c->nats, m->subject, m->payload.data, len);
    return s == NATS_OK            ? NATS_CONN_SENT
           : s == NATS_MAX_PAYLOAD ? NATS_CONN_REFUSED
                                   : NATS_CONN_CLOSED;
}

size_t nats_conn_payload_limit(struct nats_conn *c, const struct nats_conn_message *m)
{
    size_t max = nats_conn_max_payload(c);
    size_t headers = m->header_count ? strlen("NATS/1.0\r\n\r\n") : 0;
    for (size_t i = 0; i < m->header_count; i++)
        headers += strlen(m->headers[i].name) + strlen(": \r\n") + strlen(m->headers[i].value);
    return max > headers ? max - headers : 0;
}

/* nats.c frees it by nats_conn_free_replies() after it has delivered the last message. */
struct nats_conn_replies {
    nats_conn_reply_handler *handler;
    void *argument;
};

static void nats_conn_on_reply(natsConnection *nats, natsSubscription *subscription, natsMsg *m,
                               void *closure)
{
    const struct nats_conn_replies *a = closure;
    (void)nats;
    (void)subscription;
    struct slice payload = {natsMsg_GetData(m), (size_t)natsMsg_GetDataLength(m)};
    a->handler(a->argument, natsMsg_GetSubject(m), payload, natsMsg_IsNoResponders(m));
    natsMsg_Destroy(m);
}

static void nats_conn_free_replies(void *closure)
{
    free(closure);
}

bool nats_conn_new_inbox(const struct nats_conn *c, char *inbox, char *error_text)
{
    uint64_t random;
    const char *prefix = c->config->inbox_prefix ? c->config->inbox_prefix : "_INBOX";
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random) {
        snprintf(error_text, NATS_CONN_TEXT_MAX, "getrandom: %s", strerror(errno));
        return false;
    }
    snprintf(inbox, NATS_CONN_INBOX_MAX, "%s.shnek%016" PRIx64 ".", prefix, random);
    return true;
}

bool nats_conn_subscribe_replies(struct nats_conn *c, const char *inbox,
                                 nats_conn_reply_handler *handler, void *argument, char *error_text)
{
    char subject[NATS_CONN_TEXT_MAX];
    snprintf(subject, sizeof subject, "%s*", inbox);
    struct nats_conn_replies *a = malloc(sizeof *a);
    if (!a) {
        snprintf(error_text, NATS_CONN_TEXT_MAX, "out of memory");
        return false;
    }
    *a = (struct nats_conn_replies){handler, argument};
    natsStatus s = natsConnection_Subscribe(&c->replies, c->nats, subject, nats_conn_on_reply, a);
    if (s != NATS_OK) {
        free(a);
        nats_conn_format_error(s, NULL, error_text);
        return false;
    }
    natsSubscription_SetPendingLimits(c->replies, -1, -1);
    natsSubscription_SetOnCompleteCB(c->replies, nats_conn_free_replies, a);
    return true;
}

void *nats_conn_handle(const struct nats_conn *c)
{
    return c->nats;
}

const struct nats_conn_config *nats_conn_get_config(const struct nats_conn *c)
{
    return c->config;
}

void nats_conn_copy_last_error(int status, char *error_text)
{
    natsStatus last = NATS_OK;
    const char *text = nats_GetLastError(&last);
    nats_conn_format_error((natsStatus)status, last == (natsStatus)status ? text : NULL,
                           error_text);
}

bool nats_conn_get_denial(const struct nats_conn *c, char *error_text)
{
    char text[NATS_CONN_TEXT_MAX];
    natsStatus last = nats_conn_last_error(c, text);
    if (last == NATS_NOT_PERMITTED)
        nats_conn_format_error(last, text, error_text);
    return last == NATS_NOT_PERMITTED;
}

void nats_conn_get_error(struct nats_conn *c, char *error_text)
{
    char text[NATS_CONN_TEXT_MAX];
    natsStatus s = nats_conn_last_error(c, text);
    if (s == NATS_OK)
        *text = '\0';
    nats_conn_format_error(s == NATS_OK ? NATS_CONNECTION_CLOSED : s, text, error_text);
}

/*
 * Flushes and waits for the PONG. nats.c returns NATS_OK even if it could not write the PING; then
 * only the last error of this thread differs from the one that the invalid call sets before.
 */
static natsStatus nats_conn_ping(const struct nats_conn *c)
{
    natsStatus written = NATS_OK;
    natsConnection_FlushTimeout(NULL, 1);
    natsStatus s = natsConnection_FlushTimeout(c->nats, c->silence_ms);
    nats_GetLastError(&written);
    return s == NATS_OK && written != NATS_INVALID_ARG ? NATS_IO_ERROR : s;
}

/* The server sends a permissions violation before the PONG, and nats.c records it. */
enum nats_conn_flush_result nats_conn_flush(struct nats_conn *c, char *error_text)
{
    char text[NATS_CONN_TEXT_MAX];
    natsStatus s = nats_conn_ping(c);
    natsStatus last = nats_conn_last_error(c, text);
    if (last == NATS_NOT_PERMITTED) {
        nats_conn_format_error(last, text, error_text);
        return NATS_CONN_PUBLISH_DENIED;
    }
    if (s == NATS_OK && last == NATS_OK && !natsConnection_IsClosed(c->nats))
        return NATS_CONN_FLUSHED;
    if (s == NATS_TIMEOUT)
        snprintf(error_text, NATS_CONN_TEXT_MAX, "the server does not respond");
    else
        nats_conn_get_error(c, error_text);
    return NATS_CONN_LOST;
}

void nats_conn_shutdown(struct nats_conn *c)
{
    natsConnection_Close(c->nats);
}

static bool nats_conn_has_server(const struct nats_conn_config *config, const char *url)
{
    for (size_t i = 0; i < config->server_count; i++)
        if (strcmp(url_skip_scheme(nats_conn_hide_credentials(config->servers[i])),
                   url_skip_scheme(nats_conn_hide_credentials(url))) == 0)
            return true;
    return false;
}

/* A server without credentials gets those of another one from nats.c. */
static void nats_conn_learn_server(struct nats_conn_config *config, const char *address)
{
    char *url = NULL;
    if (asprintf(&url, "nats://%s", url_skip_scheme(address)) < 0)
        return;
    if (url_is_server(url))
        nats_conn_append_server(config, url);
    else
        free(url);
}

static void nats_conn_learn_servers(struct nats_conn *c, struct nats_conn_config *config)
{
    char **urls = NULL;
    int count = 0;
    if (natsConnection_GetDiscoveredServers(c->nats, &urls, &count) != NATS_OK)
        return;
    for (int i = 0; i < count; i++) {
        if (!nats_conn_has_server(config, urls[i]) && config->server_count < SERVERS_MAX)
            nats_conn_learn_server(config, urls[i]);
        free(urls[i]);
    }
    free((void *)urls);
}

void nats_conn_close(struct nats_conn *c, struct nats_conn_config *config)
{
    if (c->nats)
        nats_conn_learn_servers(c, config);
    nats_conn_destroy_sent(c);
    natsSubscription_Destroy(c->replies);
    natsConnection_Destroy(c->nats);
    free(c);
}

void nats_conn_join_threads(void)
{
    if (nats_conn_loaded)
        nats_CloseAndWait(0);
}
