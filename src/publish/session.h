#ifndef SHNEK_PUBLISH_SESSION_H
#define SHNEK_PUBLISH_SESSION_H

#include <pthread.h>
#include <stdatomic.h>

#include "publish/nats-conn.h"
#include "publish/window.h"

struct link_config {
    struct connection_config connection;
    uint64_t connect_timeout;    /* nanoseconds, for the first connection; 0: for ever */
    uint64_t max_reconnect_time; /* nanoseconds, for each later one; 0: for ever */
};

/*
 * A connection that is made again whenever it is lost, and a thread that asks the server to confirm
 * what was published on it, behind the publishing.
 */
struct link {
    struct link_config *config;
    struct connection *connection; /* NULL while there is none */
    bool was_up;
    uint64_t down_since; /* clock_monotonic */
    uint64_t retry_at;
    uint64_t wait; /* nanoseconds, before the next attempt but one */
    uint64_t said;
    unsigned seed;
    int fd; /* readable when link_tend has something to tell */

    pthread_t thread;
    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t changed;
    struct mark asked;
    struct mark answered;
    bool open; /* the thread may use the connection */
    bool busy; /* it does */
    bool lost;
    bool refused;
    bool ending;
    char why[CONNECTION_WHY];
};

enum link_state {
    LINK_UP,
    LINK_NEW,  /* up since now: all that is not confirmed has to be sent on it */
    LINK_DOWN, /* link_patience tells when to look again */
    LINK_OVER  /* there will be none; it was reported */
};

bool link_start(struct link *l, struct link_config *config);

/* Makes the connection where there is none and it is time to; may take the connect time-out. */
enum link_state link_tend(struct link *l);

/* Milliseconds until link_tend can do something, -1 while it is up. */
int link_patience(const struct link *l);

/* False where the connection is lost. */
bool link_publish(struct link *l, const char *subject, struct slice payload);

/* The connection is lost, as who used it by itself found out. */
void link_lost(struct link *l);

/* Where the link is up, asks for everything before `sent` to be confirmed; link_answered tells what
 * has been. */
void link_ask(struct link *l, const struct mark *sent);
struct mark link_answered(struct link *l);

size_t link_max_payload(struct link *l);

void link_end(struct link *l);

#endif
