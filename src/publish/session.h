#ifndef SHNEK_PUBLISH_SESSION_H
#define SHNEK_PUBLISH_SESSION_H

#include <pthread.h>
#include <stdatomic.h>

#include "publish/nats-conn.h"
#include "publish/window.h"

struct session_config {
    struct nats_conn_config nats;
    uint64_t connect_timeout_ns;    /* nanoseconds, for the first connection; 0: for ever */
    uint64_t max_reconnect_time_ns; /* nanoseconds, for each later one; 0: for ever */
};

/*
 * A connection that is made again whenever it is lost, and a thread that asks the server to confirm
 * what was published on it, behind the publishing.
 */
struct session {
    struct session_config *config;
    struct connection *conn; /* NULL while there is none */
    bool connected_before;
    uint64_t down_since_ns; /* clock_monotonic */
    uint64_t retry_at_ns;
    uint64_t backoff_ns; /* nanoseconds, before the next attempt but one */
    uint64_t last_logged_ns;
    unsigned seed;
    int wake_fd; /* readable when link_tend has something to tell */

    pthread_t thread;
    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t changed;
    struct window_mark requested;
    struct window_mark confirmed;
    bool usable;   /* the thread may use the connection */
    bool flushing; /* it does */
    bool lost;
    bool refused;
    bool stopping;
    char error_text[NATS_CONN_TEXT_MAX];
};

enum session_state {
    SESSION_UP,
    SESSION_CONNECTED, /* up since now: all that is not confirmed has to be sent on it */
    SESSION_DOWN,      /* link_patience tells when to look again */
    SESSION_FAILED     /* there will be none; it was reported */
};

bool session_open(struct session *l, struct session_config *config);

/* Makes the connection where there is none and it is time to; may take the connect time-out. */
enum session_state session_poll(struct session *l);

/* Milliseconds until link_tend can do something, -1 while it is up. */
int session_timeout_ms(const struct session *l);

/* False where the connection is lost. */
bool session_publish(struct session *l, const char *subject, struct slice payload);

/* The connection is lost, as who used it by itself found out. */
void session_mark_lost(struct session *l);

/* Where the link is up, asks for everything before `sent` to be confirmed; link_answered tells what
 * has been. */
void session_request_confirmation(struct session *l, const struct window_mark *sent);
struct window_mark session_confirmed(struct session *l);

size_t session_max_payload(struct session *l);

void session_close(struct session *l);

#endif
