#ifndef SHNEK_PUBLISH_JETSTREAM_H
#define SHNEK_PUBLISH_JETSTREAM_H

#include "publish/envelope.h"
#include "publish/session.h"
#include "publish/stream-api.h"
#include "publish/transport.h"

struct jetstream_config {
    struct stream_config stream;
    const char *msg_id;      /* see msg-id.h; NULL for none */
    uint64_t ack_timeout_ns; /* without any acknowledgement, until the stream is unavailable */
};

/*
 * Returns a transport that publishes with JetStream: a message is confirmed when the
 * stream has acknowledged it, and resent if it did not while it acknowledged later ones. The number
 * of messages in flight is bounded; their payloads stay in `window`. Returns NULL and logs the
 * reason if memory runs out. All arguments are borrowed.
 */
struct publish_transport *jetstream_new(struct session_config *session,
                                        const struct jetstream_config *config,
                                        struct envelope *envelope, struct window *window);

#endif
