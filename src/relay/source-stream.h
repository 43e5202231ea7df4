#ifndef SHNEK_RELAY_SOURCE_STREAM_H
#define SHNEK_RELAY_SOURCE_STREAM_H

#include "base/address.h"
#include "base/input.h"
#include "relay/access.h"
#include "relay/config.h"
#include "relay/io.h"
#include "relay/pipeline.h"
#include "relay/timers.h"
#include "tls/tls.h"

enum { STREAM_BLOCK_SIZE = 128 * 1024 };

/* Shared by all connections. */
struct stream_context {
    const struct relay_config *config;
    struct pipeline *pipeline;
    struct access *access;
    bool lost; /* input was lost because of a failure that is neither the peer's nor a refusal */
    char block[STREAM_BLOCK_SIZE];
    char plaintext[STREAM_BLOCK_SIZE];
};

/* The phases of a connection. Messages are accepted in the last one only. */
enum stream_phase { STREAM_PROXY_HEADER, STREAM_HANDSHAKE, STREAM_MESSAGES };

/* A connection over TCP, TLS or a Unix socket. */
struct source_stream {
    struct io io;
    struct input input;
    struct source source;
    enum stream_phase phase;
    bool got_data;
    bool finishing; /* a drain reads only the end of the current message from the next TLS record */
    struct buffer header; /* the part of the PROXY header that has arrived */
    bool is_syslog;       /* and not another protocol, which is refused */
    struct buffer start;  /* the bytes before that is known */
    struct tls_session *tls;
    struct access_peer *access_peer; /* NULL without --max-connections-per-peer */
    struct timer timeout;            /* of the phase, or of idleness */
    struct timer unfinished;         /* for the caller */
    size_t memory;                   /* for the caller */
    bool completed;                  /* a message */
    struct timer release;            /* of a message that --multiline keeps back */
    char name[SOCKADDR_FORMAT_MAX];
    struct peer sender;
    char *peer; /* the name with the subject of the peer's certificate, or NULL */
};

enum stream_state {
    STREAM_OPEN,
    STREAM_ENDED,    /* by the peer, or because no further message can be found */
    STREAM_TRUNCATED /* the last message may be incomplete */
};

/*
 * Creates a stream for a connection accepted from `address`; `tls` is NULL without TLS. Returns
 * NULL if the peer is refused or memory is exhausted, which was logged; the caller then closes the
 * descriptor.
 */
struct source_stream *source_stream_new(struct stream_context *context, int fd,
                                        enum transport transport, const struct sockaddr *address,
                                        socklen_t address_len, struct tls *tls);

/* Reads once and processes what arrived. Errors are logged; those that are not the end of a
 * connection set context->lost. */
enum stream_state source_stream_read(struct source_stream *s, struct stream_context *context);

/* Ends the stream, closes its descriptor and frees it. `complete` as in pipeline_end(). */
void source_stream_destroy(struct source_stream *s, struct stream_context *context, bool complete);

/* Returns the bytes of memory that an unfinished message or header uses. */
size_t source_stream_memory(const struct source_stream *s);

/* Returns whether the stream is in the middle of a message or a TLS record. */
bool source_stream_mid_message(const struct source_stream *s);

#endif
