#ifndef SHNEK_PUBLISH_JETSTREAM_H
#define SHNEK_PUBLISH_JETSTREAM_H

#include "publish/session.h"
#include "publish/stream-api.h"
#include "publish/transport.h"

struct jetstream_config {
    struct stream_config stream;
    const char *msg_id;      /* a template for Nats-Msg-Id, "auto", or NULL for none */
    uint64_t ack_timeout_ns; /* until a message is resent */
};

/*
 * Returns a transport that publishes to `subject` with JetStream: a message is confirmed when the
 * stream has acknowledged it, and resent after ack_timeout_ns. The number of messages in flight
 * is bounded; their payloads stay in `window`. Returns NULL and logs the reason if memory runs
 * out. All arguments are borrowed.
 */
struct publish_transport *jetstream_new(struct session_config *session,
                                        const struct jetstream_config *config, const char *subject,
                                        struct window *window);

#endif
