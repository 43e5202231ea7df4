#ifndef SHNEK_RELAY_SOURCE_STREAM_H
#define SHNEK_RELAY_SOURCE_STREAM_H

#include "base/address.h"
#include "base/input.h"
#include "relay/pipeline.h"
#include "relay/relay.h"
#include "relay/timers.h"
#include "tls/tls.h"

/* What a peer has to do before its messages are taken. */
enum connection_phase { PHASE_PROXY_HEADER, PHASE_HANDSHAKE, PHASE_OPEN };

/* A peer's stream, over TCP, TLS or a Unix socket. */
struct connection {
    struct input input;
    struct stream stream;
    enum connection_phase phase;
    bool heard;           /* something came of it */
    bool only_rest;       /* of the next record of TLS only the end of the message is wanted */
    struct buffer header; /* as much of the PROXY header as has come */
    struct tls_session *tls;
    struct access_count *count; /* among the connections of its peer */
    struct deadline deadline;   /* of the phase, or of idleness */
    struct deadline release;    /* of a message that is held */
    char name[SOCKADDR_FORMAT_MAX];
    char *peer; /* the name with the subject of its certificate, or NULL */
};

enum connection_state {
    CONNECTION_OPEN,
    CONNECTION_ENDED, /* by the peer, or where nothing more of it can be understood */
    CONNECTION_CUT,   /* its last message is not whole */
    CONNECTION_STUCK  /* the records could not be written */
};

/*
 * Takes over a descriptor that was accepted from `peer`, and `tls`, where it is to speak that, for
 * the session. NULL where it may not come in, which was reported; the descriptor is then the
 * caller's to close.
 */
struct connection *connection_open(struct relay *r, int fd, enum transport transport,
                                   const struct sockaddr *peer, socklen_t length, struct tls *tls);

/* Reads once. What is wrong is reported. */
enum connection_state connection_read(struct connection *c, struct relay *r);

/* Closes and frees it. False where the last record could not be written. */
bool connection_close(struct connection *c, struct relay *r, bool whole);

/* Whether it is within a message. */
bool connection_within(const struct connection *c);

#endif
