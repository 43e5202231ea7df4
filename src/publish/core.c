#include "publish/core.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "publish/batch-headers.h"

struct core {
    struct publish_transport base;
    struct session_config *config;
    struct envelope *envelope;
    struct session session;
    uint64_t confirmed; /* offset, at the last poll */
};

static bool core_open(struct publish_transport *t)
{
    struct core *c = (struct core *)t;
    if (!session_open(&c->session, c->config))
        return false;
    t->wake_fd = c->session.wake_fd;
    return true;
}

struct core_headers {
    struct nats_conn_header list[ENVELOPE_HEADERS_MAX + BATCH_HEADERS];
    struct batch_headers batch;
};

/* `records` is 0 if the message is not a batch. */
static struct nats_conn_message core_message(const struct core *c, struct core_headers *h,
                                             uint32_t records)
{
    const struct envelope *e = c->envelope;
    struct nats_conn_message m = {
        .subject = e->subject, .headers = e->headers, .header_count = e->header_count};
    if (records) {
        batch_headers_set(&h->batch, records);
        memcpy(h->list, e->headers, e->header_count * sizeof *h->list);
        memcpy(h->list + e->header_count, h->batch.list, sizeof h->batch.list);
        m.headers = h->list;
        m.header_count += BATCH_HEADERS;
    }
    return m;
}

static enum transport_event core_poll(struct publish_transport *t)
{
    struct core *c = (struct core *)t;
    uint64_t confirmed = session_confirmed(&c->session).offset;
    if (confirmed > c->confirmed)
        session_mark_confirmed(&c->session);
    c->confirmed = confirmed;
    enum transport_event event = session_poll(&c->session);
    t->payload_violated = event == TRANSPORT_LOST && session_payload_violated(&c->session);
    if (event != TRANSPORT_CONNECTED)
        return event;
    struct core_headers headers;
    struct nats_conn_message m = core_message(c, &headers, UINT32_MAX);
    t->max_payload = nats_conn_max_payload(c->session.conn);
    t->batch_max = nats_conn_payload_limit(c->session.conn, &m);
    if ((t->needs_headers || c->envelope->header_count) &&
        !nats_conn_accepts_headers(c->session.conn)) {
        log_printf("%s: the server accepts no headers, which --%s requires", t->peer,
                   t->needs_headers ? "batch" : "header");
        return TRANSPORT_FAILED;
    }
    return event;
}

/* nats.c blocks a publish while its buffer is full. */
static enum transport_result core_send(struct publish_transport *t,
                                       const struct transport_message *message)
{
    struct core *c = (struct core *)t;
    struct core_headers headers;
    envelope_fill(c->envelope, message->is_batch ? span_first_of(message->text) : message->text);
    struct nats_conn_message m =
        core_message(c, &headers, message->is_batch ? message->span->count : 0);
    m.payload = message->text;
    switch (nats_conn_publish(c->session.conn, &m)) {
    case NATS_CONN_SENT:
        return TRANSPORT_SENT;
    case NATS_CONN_REFUSED:
        t->max_payload = nats_conn_max_payload(c->session.conn);
        t->line_max = nats_conn_payload_limit(c->session.conn, &m);
        return TRANSPORT_TOO_LONG;
    case NATS_CONN_CLOSED:
        break;
    }
    session_mark_lost(&c->session);
    return TRANSPORT_DISCONNECTED;
}

static void core_request_confirmation(struct publish_transport *t, const struct window_mark *sent)
{
    struct core *c = (struct core *)t;
    session_request_confirmation(&c->session, sent);
}

static struct window_mark core_confirmed(struct publish_transport *t,
                                         const struct window_mark *sent)
{
    (void)sent;
    struct core *c = (struct core *)t;
    return session_confirmed(&c->session);
}

static int core_timeout_ms(struct publish_transport *t)
{
    const struct core *c = (const struct core *)t;
    return session_timeout_ms(&c->session);
}

static bool core_destroy(struct publish_transport *t)
{
    struct core *c = (struct core *)t;
    session_close(&c->session);
    free(c);
    return true;
}

static const struct transport_ops core_ops = {.needs_server = true,
                                              .open = core_open,
                                              .poll = core_poll,
                                              .send = core_send,
                                              .request_confirmation = core_request_confirmation,
                                              .confirmed = core_confirmed,
                                              .timeout_ms = core_timeout_ms,
                                              .destroy = core_destroy};

struct publish_transport *core_new(struct session_config *config, struct envelope *envelope)
{
    struct core *c = calloc(1, sizeof *c);
    if (!c) {
        log_printf("out of memory");
        return NULL;
    }
    c->base = (struct publish_transport){.ops = &core_ops,
                                         .wake_fd = -1,
                                         .peer = c->session.peer,
                                         .error_text = c->session.lost_text};
    c->config = config;
    c->envelope = envelope;
    return &c->base;
}
