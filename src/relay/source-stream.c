#include "relay/source-stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "relay/protocol.h"
#include "relay/proxy-protocol.h"

enum { TLS_RECORD_MAX = 16 * 1024 };

/* The peer's messages are lost. */
static void stream_lose(struct stream_context *context, const char *name)
{
    context->lost = true;
    log_printf("%s: out of memory", name);
}

/* Counts the connection for --max-connections-per-peer. */
static bool stream_enter(struct source_stream *s, struct stream_context *context,
                         const struct peer_key *key)
{
    struct access *access = context->access;
    if (access->config->max_per_peer == 0)
        return true;
    s->access_peer = access_peer_enter(access, key);
    if (s->access_peer)
        return true;
    if (errno == ENOMEM) {
        stream_lose(context, s->name);
        return false;
    }
    char reason[80];
    snprintf(reason, sizeof reason,
             "limit of %" PRIu64 " connection%s (--max-connections-per-peer)",
             access->config->max_per_peer, access->config->max_per_peer == 1 ? "" : "s");
    access_refuse(access, s->name, REFUSED_LIMIT, reason);
    return false;
}

/* Checks and names the peer. Connections from a proxy count for the client in its header. */
static bool stream_admit(struct source_stream *s, struct stream_context *context,
                         enum transport transport, const struct sockaddr *address,
                         socklen_t address_len)
{
    struct access *access = context->access;
    struct peer_key key;
    if (transport == TRANSPORT_UNIX) {
        struct ucred credentials = {.uid = (uid_t)-1};
        socklen_t size = sizeof credentials;
        getsockopt(s->io.fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size);
        key = peer_key_uid(credentials.uid);
        peer_format_unix(&credentials, s->name);
        peer_set_credentials(&s->sender, &credentials);
    } else {
        key = peer_key_ip(address);
        sockaddr_format(address, address_len, s->name);
        peer_set_address(&s->sender, address, address_len);
    }
    if (!access_check(access, &key, s->name))
        return false;
    return s->phase == STREAM_PROXY_HEADER || stream_enter(s, context, &key);
}

struct source_stream *source_stream_new(struct stream_context *context, int fd,
                                        enum transport transport, const struct sockaddr *address,
                                        socklen_t address_len, struct tls *tls)
{
    struct source_stream *s = calloc(1, sizeof *s);
    if (!s) {
        stream_lose(context, "connection");
        return NULL;
    }
    s->io.fd = fd;
    input_init(&s->input, fd);
    if (context->config->proxy_protocol && transport != TRANSPORT_UNIX)
        s->phase = STREAM_PROXY_HEADER;
    else
        s->phase = tls ? STREAM_HANDSHAKE : STREAM_MESSAGES;
    if (!stream_admit(s, context, transport, address, address_len)) {
        free(s);
        return NULL;
    }
    if (tls && !(s->tls = tls_session_accept(tls, fd))) {
        stream_lose(context, s->name);
        if (s->access_peer)
            access_peer_leave(context->access, s->access_peer);
        free(s);
        return NULL;
    }
    pipeline_source_init(context->pipeline, &s->source, s->name, transport_name(transport),
                         &s->sender);
    return s;
}

static bool stream_mid_record(const struct source_stream *s)
{
    return s->tls && s->phase == STREAM_MESSAGES && tls_mid_record(s->tls);
}

bool source_stream_mid_message(const struct source_stream *s)
{
    return framer_mid_message(&s->source.framer) || stream_mid_record(s) || s->start.len;
}

size_t source_stream_memory(const struct source_stream *s)
{
    return s->source.framer.partial.capacity + s->source.framer.held.capacity + s->header.capacity +
           s->start.capacity + (stream_mid_record(s) ? TLS_RECORD_MAX : 0);
}

/* The framer counts lines at their end, and counted frames at their begin. */
static bool stream_has_completed(const struct framer *f)
{
    return f->number > (f->framing == FRAMING_OCTET && framer_mid_message(f));
}

static enum stream_state stream_feed(struct source_stream *s, struct stream_context *context,
                                     struct slice bytes)
{
    bool open = pipeline_feed(context->pipeline, &s->source, bytes);
    s->completed = s->completed || stream_has_completed(&s->source.framer);
    return open ? STREAM_OPEN : STREAM_ENDED;
}

/* After the handshake the name includes the subject, which the peer has proved. */
static void stream_add_subject(struct source_stream *s)
{
    char subject[TLS_SUBJECT_MAX];
    s->phase = STREAM_MESSAGES;
    tls_subject(s->tls, subject);
    if (!*subject || asprintf(&s->peer, "%s %s", s->name, subject) <= 0)
        return;
    s->source.peer = s->peer;
    s->sender.subject = s->peer + strlen(s->name) + 1;
}

static enum refusal stream_phase_refusal(const struct source_stream *s)
{
    return s->phase == STREAM_PROXY_HEADER ? REFUSED_PROXY : REFUSED_TLS;
}

/* Logs why a stream ends: as a refusal if no message could come yet. */
static void stream_log_error(const struct source_stream *s, struct stream_context *context,
                             const char *error_text)
{
    if (s->phase != STREAM_MESSAGES)
        access_refuse(context->access, s->name, stream_phase_refusal(s), error_text);
    else if (rate_limit_allow(&context->pipeline->sink->log_limit))
        log_printf("%s: %s", s->name, error_text);
}

/* Also a record that was changed on the way: what it contained is lost. */
static enum stream_state stream_fail_tls(const struct source_stream *s,
                                         struct stream_context *context, const char *error_text)
{
    context->lost = context->lost || s->phase == STREAM_MESSAGES;
    char text[TLS_ERROR_MAX + 8];
    snprintf(text, sizeof text, "TLS: %s", error_text);
    stream_log_error(s, context, text);
    return STREAM_TRUNCATED;
}

/* A drain needs the rest of the current message, but no further message of the same record. */
static enum stream_state stream_feed_rest(struct source_stream *s, struct stream_context *context,
                                          struct slice text)
{
    enum stream_state state = STREAM_OPEN;
    for (; state == STREAM_OPEN && text.len && framer_mid_message(&s->source.framer); text.len--)
        state = stream_feed(s, context, (struct slice){text.data++, 1});
    return state;
}

/* Decrypts as much as fits into the block before it feeds the pipeline. */
static enum stream_state stream_feed_tls(struct source_stream *s, struct stream_context *context,
                                         struct slice bytes)
{
    char error_text[TLS_ERROR_MAX];
    enum tls_state tls_state = TLS_DATA;
    if (!tls_feed(s->tls, bytes))
        return stream_fail_tls(s, context, "out of memory");
    while (tls_state == TLS_DATA) {
        size_t len = 0;
        size_t got;
        while (len < sizeof context->plaintext &&
               (tls_state = tls_read(s->tls, context->plaintext + len,
                                     sizeof context->plaintext - len, &got, error_text)) ==
                   TLS_DATA)
            len += got;
        if (s->phase == STREAM_HANDSHAKE && tls_established(s->tls))
            stream_add_subject(s);
        if (len == 0)
            continue;
        struct slice text = {context->plaintext, len};
        enum stream_state state =
            s->finishing ? stream_feed_rest(s, context, text) : stream_feed(s, context, text);
        if (state != STREAM_OPEN)
            return state;
    }
    if (tls_state == TLS_FAILED)
        return stream_fail_tls(s, context, error_text);
    return tls_state == TLS_ENDED ? STREAM_ENDED : STREAM_OPEN;
}

/* Passes on the bytes that were kept. */
static enum stream_state stream_feed_start(struct source_stream *s, struct stream_context *context)
{
    s->is_syslog = true;
    enum stream_state state = stream_feed(s, context, (struct slice){s->start.data, s->start.len});
    buffer_free(&s->start);
    return state;
}

static enum stream_state stream_refuse_protocol(struct source_stream *s,
                                                struct stream_context *context, const char *reason)
{
    access_refuse(context->access, s->name, REFUSED_PROTOCOL, reason);
    buffer_free(&s->start);
    return STREAM_TRUNCATED;
}

/* The first bytes without TLS: refuses other protocols, which would yield useless messages. */
static enum stream_state stream_feed_first(struct source_stream *s, struct stream_context *context,
                                           struct slice bytes)
{
    bool kept = s->start.len != 0;
    if (kept)
        buffer_append(&s->start, bytes);
    switch (protocol_detect(kept ? (struct slice){s->start.data, s->start.len} : bytes)) {
    case PROTOCOL_TLS:
        return stream_refuse_protocol(s, context, "looks like TLS; use tls://");
    case PROTOCOL_HTTP:
        return stream_refuse_protocol(s, context, "looks like HTTP, which is not accepted");
    case PROTOCOL_UNKNOWN:
        if (!kept)
            buffer_append(&s->start, bytes);
        return STREAM_OPEN;
    default:
        s->is_syslog = true;
        return kept ? stream_feed_start(s, context) : stream_feed(s, context, bytes);
    }
}

static enum stream_state stream_feed_bytes(struct source_stream *s, struct stream_context *context,
                                           struct slice bytes)
{
    if (bytes.len == 0)
        return STREAM_OPEN;
    if (s->tls)
        return stream_feed_tls(s, context, bytes);
    return s->is_syslog ? stream_feed(s, context, bytes) : stream_feed_first(s, context, bytes);
}

static enum stream_state stream_feed_header(struct source_stream *s, struct stream_context *context,
                                            struct slice bytes)
{
    union {
        struct sockaddr any;
        struct sockaddr_storage storage;
    } client = {0};
    size_t len;
    buffer_append(&s->header, bytes);
    struct slice header = {s->header.data, s->header.len};
    enum proxy_state state = proxy_parse(header, &len, &client.storage);
    if (state == PROXY_INCOMPLETE)
        return STREAM_OPEN;
    if (state == PROXY_INVALID) {
        access_refuse(context->access, s->name, REFUSED_PROXY, "no PROXY protocol header");
        return STREAM_TRUNCATED;
    }
    if (state == PROXY_CLIENT) {
        struct peer_key key = peer_key_ip(&client.any);
        sockaddr_format(&client.any, sizeof client.storage, s->name);
        peer_set_address(&s->sender, &client.any, sizeof client.storage);
        if (!stream_enter(s, context, &key))
            return STREAM_TRUNCATED;
    }
    s->phase = s->tls ? STREAM_HANDSHAKE : STREAM_MESSAGES;
    enum stream_state result =
        stream_feed_bytes(s, context, (struct slice){header.data + len, header.len - len});
    buffer_free(&s->header);
    return result;
}

/* The peer has closed the connection. Without close_notify anyone may have ended a TLS stream. */
static enum stream_state stream_end_of_file(const struct source_stream *s,
                                            struct stream_context *context)
{
    if (s->input.limited)
        return STREAM_ENDED;
    if (s->got_data && s->phase != STREAM_MESSAGES)
        access_refuse(context->access, s->name, stream_phase_refusal(s),
                      s->tls ? "TLS: disconnected during the handshake"
                             : "disconnected during the PROXY header");
    return s->tls ? STREAM_TRUNCATED : STREAM_ENDED;
}

/* Whether a read fails like this because the peer, or the way to it, has gone. */
static bool stream_is_disconnect(int error)
{
    return error == ECONNRESET || error == ECONNABORTED || error == EPIPE || error == ENOTCONN ||
           error == ETIMEDOUT || error == EHOSTUNREACH || error == ENETUNREACH ||
           error == EHOSTDOWN || error == ENETDOWN;
}

enum stream_state source_stream_read(struct source_stream *s, struct stream_context *context)
{
    if (input_drained(&s->input, stream_mid_record(s)))
        s->finishing = true;
    ssize_t n =
        input_read(&s->input, context->block, sizeof context->block, source_stream_mid_message(s));
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return STREAM_OPEN;
    if (n < 0) {
        context->lost = context->lost || !stream_is_disconnect(errno);
        stream_log_error(s, context, strerror(errno));
        return STREAM_TRUNCATED;
    }
    if (n == 0)
        return stream_end_of_file(s, context);
    s->got_data = true;
    struct slice block = {context->block, (size_t)n};
    enum stream_state state = s->phase == STREAM_PROXY_HEADER
                                  ? stream_feed_header(s, context, block)
                                  : stream_feed_bytes(s, context, block);
    if (state == STREAM_OPEN && input_drained(&s->input, source_stream_mid_message(s)))
        return STREAM_ENDED;
    return state;
}

/* An incomplete TLS record counts as one rejected message, unless the framer rejects that. */
static void stream_reject_record(const struct source_stream *s, struct stream_context *context)
{
    struct sink *sink = context->pipeline->sink;
    if (!stream_mid_record(s) || framer_mid_message(&s->source.framer))
        return;
    counter_add(&sink->stats->in, 1);
    counter_add(&sink->stats->rejected, 1);
    if (rate_limit_allow(&sink->log_limit))
        log_warning("%s: TLS: stream ends within a record", s->name);
}

void source_stream_destroy(struct source_stream *s, struct stream_context *context, bool complete)
{
    if (!complete)
        stream_reject_record(s, context);
    if (s->start.len)
        stream_feed_start(s, context);
    pipeline_end(context->pipeline, &s->source, complete);
    if (s->tls && s->phase == STREAM_MESSAGES)
        tls_send_close_notify(s->tls);
    tls_session_destroy(s->tls);
    if (s->access_peer)
        access_peer_leave(context->access, s->access_peer);
    timer_disarm(&s->timeout);
    timer_disarm(&s->unfinished);
    timer_disarm(&s->release);
    buffer_free(&s->header);
    close(s->io.fd);
    free(s->peer);
    free(s);
}
