#ifndef SHNEK_PUBLISH_SESSION_H
#define SHNEK_PUBLISH_SESSION_H

#include <pthread.h>

#include "publish/nats-conn.h"
#include "publish/transport.h"
#include "publish/window.h"

struct session_config {
    struct nats_conn_config nats;
    uint64_t connect_timeout_ns;    /* for the first connection; 0: unlimited */
    uint64_t max_reconnect_time_ns; /* for each later one; 0: unlimited */
};

/*
 * A connection that is re-established with exponential back-off whenever it is lost, and a thread
 * that requests confirmations (PING, PONG) while the owner publishes.
 */
struct session {
    struct session_config *config;
    struct nats_conn *conn; /* NULL while disconnected */
    bool opened;
    bool connected_before;
    bool confirmed_before;  /* session_mark_confirmed() was called */
    bool confirmed_now;     /* on this connection */
    uint64_t started_ns;    /* clock_monotonic */
    uint64_t down_since_ns; /* clock_monotonic */
    uint64_t retry_at_ns;   /* clock_monotonic */
    uint64_t backoff_ns;
    uint64_t last_logged_ns;
    unsigned seed;
    int wake_fd;                   /* readable when session_poll() has something to do */
    char peer[NATS_CONN_TEXT_MAX]; /* URL of the last server, without credentials */
    char lost_text[NATS_CONN_TEXT_MAX];

    pthread_t thread;
    pthread_mutex_t lock; /* guards the members below */
    pthread_cond_t changed;
    struct window_mark requested;
    struct window_mark confirmed;
    bool usable;         /* the thread may use the connection */
    bool flushing;       /* the thread is using it */
    bool lost;           /* because of error_text */
    bool publish_denied; /* so that reconnecting would not help */
    bool stopping;
    char error_text[NATS_CONN_TEXT_MAX];
};

/*
 * Starts the thread; session_poll() connects. Returns false and logs the reason on failure.
 * `config` is borrowed, and learns the servers of the cluster.
 */
bool session_open(struct session *s, struct session_config *config);

/*
 * Detects the loss of the connection, and connects if there is none and the back-off is over; this
 * may block for the connect timeout. After TRANSPORT_LOST, `peer` and `lost_text` are its details.
 */
enum transport_event session_poll(struct session *s);

/* Returns the milliseconds until session_poll() tries to connect, -1 while there is a connection.
 */
int session_timeout_ms(const struct session *s);

/*
 * Records that a message was confirmed on this connection. A connection that is lost before that
 * is replaced after a delay, which doubles each time.
 */
void session_mark_confirmed(struct session *s);

/* Returns whether --connect-timeout has expired before the first confirmation. */
bool session_is_overdue(const struct session *s);

/* Records that the owner found the connection lost; session_poll() then reports it. */
void session_mark_lost(struct session *s);

/* Returns whether the server closed the last connection because a message exceeded its max_payload,
 * which it had not announced: the longest message that was not confirmed is one of those. */
bool session_payload_violated(const struct session *s);

/* Requests the confirmation of everything before `sent` if there is a usable connection. */
void session_request_confirmation(struct session *s, const struct window_mark *sent);

/* Returns the end of the lines that were confirmed. */
struct window_mark session_confirmed(struct session *s);

/* Closes the connection, and joins all threads. Does nothing if the session was not opened. */
void session_close(struct session *s);

#endif
