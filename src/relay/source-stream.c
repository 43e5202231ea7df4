#include "relay/source-stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rate-limit.h"
#include "relay/proxy-protocol.h"

static bool enter(struct connection *c, struct relay *r, const struct peer_key *key)
{
    uint64_t max = r->config->access.max_per_peer;
    if (max == 0)
        return true;
    c->count = access_enter(&r->peers, key, max);
    if (!c->count)
        relay_refuse(r, c->name, "more than --max-connections-per-peer");
    return c->count != NULL;
}

/* Whether the peer may come in; a proxy counts as those for whom it speaks. */
static bool admit(struct connection *c, struct relay *r, enum transport transport,
                  const struct sockaddr *peer, socklen_t length)
{
    struct peer_key key;
    if (transport == TRANSPORT_UNIX) {
        struct ucred who = {.uid = (uid_t)-1};
        socklen_t size = sizeof who;
        getsockopt(c->input.fd, SOL_SOCKET, SO_PEERCRED, &who, &size);
        key = peer_key_uid(who.uid);
        peer_name_unix(&who, c->name);
    } else {
        key = peer_key_ip(peer);
        sockaddr_format(peer, length, c->name);
    }
    if (!access_admits(&r->config->access, &key)) {
        relay_refuse(r, c->name, key.is_uid ? "not in --allow-uid" : "not in --allow");
        return false;
    }
    return c->phase == PHASE_PROXY_HEADER || enter(c, r, &key);
}

struct connection *connection_open(struct relay *r, int fd, enum transport transport,
                                   const struct sockaddr *peer, socklen_t length, struct tls *tls)
{
    struct connection *c = calloc(1, sizeof *c);
    if (!c) {
        log_printf("connection: %m");
        return NULL;
    }
    input_init(&c->input, fd);
    if (r->config->proxy_protocol && transport != TRANSPORT_UNIX)
        c->phase = PHASE_PROXY_HEADER;
    else
        c->phase = tls ? PHASE_HANDSHAKE : PHASE_OPEN;
    if (!admit(c, r, transport, peer, length)) {
        free(c);
        return NULL;
    }
    if (tls && !(c->tls = tls_session_accept(tls, fd))) {
        log_printf("connection: out of memory");
        if (c->count)
            access_leave(&r->peers, c->count);
        free(c);
        return NULL;
    }
    stream_start(&c->stream, r, c->name, transport_name(transport));
    return c;
}

static bool within_record(const struct connection *c)
{
    return c->tls && c->phase == PHASE_OPEN && tls_mid_record(c->tls);
}

bool connection_within(const struct connection *c)
{
    return framer_mid_message(&c->stream.framer) || within_record(c);
}

static enum connection_state take(struct connection *c, struct relay *r, struct slice block)
{
    switch (stream_take(&c->stream, r, block)) {
    case STREAM_STUCK:
        return CONNECTION_STUCK;
    case STREAM_BROKEN:
        return CONNECTION_ENDED;
    default:
        return CONNECTION_OPEN;
    }
}

/* The handshake is over: from here on the peer has a name that it proved, if we asked for one. */
static void note_subject(struct connection *c)
{
    char subject[TLS_SUBJECT_MAX];
    c->phase = PHASE_OPEN;
    tls_subject(c->tls, subject);
    if (*subject && asprintf(&c->peer, "%s %s", c->name, subject) > 0)
        c->stream.peer = c->peer;
}

static enum connection_state fail_tls(struct connection *c, struct relay *r, const char *why)
{
    char text[TLS_ERROR_MAX + 8];
    snprintf(text, sizeof text, "TLS: %s", why);
    if (c->phase != PHASE_OPEN)
        relay_refuse(r, c->name, text);
    else if (rate_limit_allow(&r->complaints))
        log_printf("%s: %s", c->name, text);
    return CONNECTION_CUT;
}

/* A drain wants the message that was begun, but none of those behind it in the same record. */
static enum connection_state take_rest(struct connection *c, struct relay *r, struct slice text)
{
    enum connection_state taken = CONNECTION_OPEN;
    for (; taken == CONNECTION_OPEN && text.len && framer_mid_message(&c->stream.framer);
         text.len--)
        taken = take(c, r, (struct slice){text.data++, 1});
    return taken;
}

static enum connection_state take_text(struct connection *c, struct relay *r, size_t length)
{
    struct slice text = {r->plain, length};
    if (length == 0)
        return CONNECTION_OPEN;
    return c->only_rest ? take_rest(c, r, text) : take(c, r, text);
}

/* Plain text from what came, as much in one piece as the block holds. */
static enum connection_state take_tls(struct connection *c, struct relay *r, struct slice bytes)
{
    char why[TLS_ERROR_MAX];
    enum tls_state state = TLS_DATA;
    if (!tls_feed(c->tls, bytes))
        return fail_tls(c, r, "out of memory");
    while (state == TLS_DATA) {
        size_t length = 0;
        size_t got;
        while (length < sizeof r->plain &&
               (state = tls_read(c->tls, r->plain + length, sizeof r->plain - length, &got, why)) ==
                   TLS_DATA)
            length += got;
        if (c->phase == PHASE_HANDSHAKE && tls_established(c->tls))
            note_subject(c);
        enum connection_state taken = take_text(c, r, length);
        if (taken != CONNECTION_OPEN)
            return taken;
    }
    if (state == TLS_FAILED)
        return fail_tls(c, r, why);
    return state == TLS_ENDED ? CONNECTION_ENDED : CONNECTION_OPEN;
}

static enum connection_state take_bytes(struct connection *c, struct relay *r, struct slice bytes)
{
    if (bytes.len == 0)
        return CONNECTION_OPEN;
    return c->tls ? take_tls(c, r, bytes) : take(c, r, bytes);
}

static enum connection_state take_header(struct connection *c, struct relay *r, struct slice bytes)
{
    union {
        struct sockaddr any;
        struct sockaddr_storage room;
    } peer = {0};
    size_t length;
    buffer_append(&c->header, bytes);
    struct slice header = {c->header.data, c->header.len};
    enum proxy_state state = proxy_header(header, &length, &peer.room);
    if (state == PROXY_MORE)
        return CONNECTION_OPEN;
    if (state == PROXY_NO_PROXY) {
        relay_refuse(r, c->name, "no PROXY protocol header");
        return CONNECTION_CUT;
    }
    if (state == PROXY_TOLD) {
        struct peer_key key = peer_key_ip(&peer.any);
        sockaddr_format(&peer.any, sizeof peer.room, c->name);
        if (!enter(c, r, &key))
            return CONNECTION_CUT;
    }
    c->phase = c->tls ? PHASE_HANDSHAKE : PHASE_OPEN;
    enum connection_state taken =
        take_bytes(c, r, (struct slice){header.data + length, header.len - length});
    buffer_free(&c->header);
    return taken;
}

/* The peer has closed its side. */
static enum connection_state left(struct connection *c, struct relay *r)
{
    if (c->input.limited)
        return CONNECTION_ENDED;
    if (c->heard && c->phase != PHASE_OPEN)
        relay_refuse(r, c->name,
                     c->tls ? "TLS: it left during the handshake" : "it left in the PROXY header");
    /* Without TLS's goodbye the end may be anybody's. */
    return c->tls ? CONNECTION_CUT : CONNECTION_ENDED;
}

static enum connection_state fail_read(struct connection *c, struct relay *r)
{
    if (c->phase != PHASE_OPEN)
        relay_refuse(r, c->name, strerror(errno));
    else if (rate_limit_allow(&r->complaints))
        log_printf("%s: %m", c->name);
    return CONNECTION_CUT;
}

enum connection_state connection_read(struct connection *c, struct relay *r)
{
    if (input_drained(&c->input, within_record(c)))
        c->only_rest = true;
    ssize_t n = input_read(&c->input, r->block, RELAY_BLOCK, connection_within(c));
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return CONNECTION_OPEN;
    if (n < 0)
        return fail_read(c, r);
    if (n == 0)
        return left(c, r);
    c->heard = true;
    struct slice block = {r->block, (size_t)n};
    enum connection_state state =
        c->phase == PHASE_PROXY_HEADER ? take_header(c, r, block) : take_bytes(c, r, block);
    if (state == CONNECTION_OPEN && input_drained(&c->input, connection_within(c)))
        return CONNECTION_ENDED;
    return state;
}

/* The record of TLS that was cut held messages, or the end of the one that is rejected anyway. */
static void reject_record(struct connection *c, struct relay *r)
{
    if (framer_mid_message(&c->stream.framer))
        return;
    counter_add(&r->stats.in, 1);
    counter_add(&r->stats.rejected, 1);
    if (rate_limit_allow(&r->complaints))
        log_printf("%s: TLS: stream ends within a record", c->name);
}

bool connection_close(struct connection *c, struct relay *r, bool whole)
{
    if (!whole && within_record(c))
        reject_record(c, r);
    bool wrote = stream_end(&c->stream, r, whole) != STREAM_STUCK;
    if (c->tls && c->phase == PHASE_OPEN)
        tls_send_close_notify(c->tls);
    tls_session_destroy(c->tls);
    if (c->count)
        access_leave(&r->peers, c->count);
    deadline_clear(&c->deadline);
    deadline_clear(&c->release);
    buffer_free(&c->header);
    close(c->input.fd);
    free(c->peer);
    free(c);
    return wrote;
}
