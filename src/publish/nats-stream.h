#ifndef SHNEK_PUBLISH_NATS_STREAM_H
#define SHNEK_PUBLISH_NATS_STREAM_H

#include "publish/nats-conn.h"
#include "publish/stream-config.h"

/* Streams of the server, by the API of nats.c. */
enum nats_stream_result {
    NATS_STREAM_FOUND, /* or created */
    NATS_STREAM_ABSENT,
    NATS_STREAM_EXISTS,     /* with this name and other settings */
    NATS_STREAM_NO_PEERS,   /* no server can store it */
    NATS_STREAM_REFUSED,    /* permanently */
    NATS_STREAM_UNAVAILABLE /* for the moment */
};

/* All functions write the reason to error_text, of NATS_CONN_TEXT_MAX bytes, unless they return
 * NATS_STREAM_FOUND. Then `existing`, which stream_config_free() frees, is the stream. */

enum nats_stream_result nats_stream_get(struct nats_conn *c, const char *name, uint64_t timeout_ns,
                                        struct stream_config *existing, char *error_text);

enum nats_stream_result nats_stream_create(struct nats_conn *c, const struct stream_config *config,
                                           struct stream_config *existing, char *error_text);

/* Writes the name of a stream that has `subject`, of STREAM_NAME_MAX bytes and a NUL. */
enum nats_stream_result nats_stream_find(struct nats_conn *c, const char *subject,
                                         uint64_t timeout_ns, char *name, char *error_text);

#endif
