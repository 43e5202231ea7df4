#ifndef SHNEK_PUBLISH_JETSTREAM_H
#define SHNEK_PUBLISH_JETSTREAM_H

#include <pthread.h>
#include <stdatomic.h>

#include "publish/nats-conn.h"
#include "publish/window.h"
#include "json/locate-error.h"

struct jetstream_config {
    const char *stream;          /* the name expected, or NULL: whichever has the subject */
    const char *msg_id;          /* a template for Nats-Msg-Id, "auto", or NULL: none */
    bool create;                 /* the stream, where it is absent */
    const char *create_subjects; /* with commas; NULL: the subject */
    bool memory;                 /* its storage, else files */
    uint64_t replicas;
    uint64_t max_age_ns; /* nanoseconds, 0: no limit */
    uint64_t max_bytes;  /* 0: no limit */
    uint64_t timeout_ns; /* nanoseconds, for one acknowledgement */
};

/*
 * Messages under way to a stream, each with a reply subject of its own, until the stream has
 * acknowledged them. Their lines stay in the window; their number is bounded.
 */
struct jetstream {
    const struct jetstream_config *config;
    const char *subject;
    struct window *window;
    struct json_checker ids; /* for the template */
    struct connection *conn;
    int wake_fd;

    pthread_mutex_t lock; /* for what follows */
    struct jetstream_message *inflight;
    uint64_t first; /* flights [first, next) are under way */
    uint64_t next;
    struct window_mark acknowledged;
    unsigned needs_retry; /* flights that have to be sent again, or were refused */
    bool sender_blocked;  /* the sender waits for room */
    char inbox[64];       /* ends in a dot; new for each connection */
};

bool jetstream_start(struct jetstream *j, const struct jetstream_config *config,
                     const char *subject, struct window *w, int wake_fd);

enum jetstream_stream { JETSTREAM_READY, JETSTREAM_LATER, JETSTREAM_ABSENT };

/*
 * Takes a new connection: subscribes to the acknowledgements, sees to the stream, and sends what is
 * under way again. JETSTREAM_ABSENT was reported; `why` tells of JETSTREAM_LATER.
 */
enum jetstream_stream jetstream_connect(struct jetstream *j, struct connection *c, char *why);

/* Whether another message may be sent. Where not, wake_fd is written to once it may. */
bool jetstream_room(struct jetstream *j);

/* Sends the line that window_next gave last. False where the connection is lost. */
bool jetstream_publish(struct jetstream *j, const struct window_line *line);

/* What the stream has refused for good. */
struct refusal {
    uint64_t number;
    struct slice text; /* the line, in the window */
    uint64_t offset;
    char why[NATS_CONN_TEXT_MAX];
};

/*
 * Sends again what was not acknowledged in time, or refused for a while. True where a message was
 * refused for good, which is to be called again; *lost says that the connection is.
 */
bool jetstream_mend(struct jetstream *j, struct refusal *refusal, bool *lost);

/* Milliseconds until jetstream_mend may have something to do, -1 where nothing is under way. */
int jetstream_patience(struct jetstream *j);

/* Everything before it has been acknowledged, or was refused. */
struct window_mark jetstream_acknowledged(struct jetstream *j);

void jetstream_end(struct jetstream *j);

#endif
