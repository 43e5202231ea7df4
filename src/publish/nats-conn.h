#ifndef SHNEK_PUBLISH_NATS_CONN_H
#define SHNEK_PUBLISH_NATS_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/signals.h"
#include "base/slice.h"

struct connection_config {
    char **servers; /* URLs */
    size_t server_count;
    const char *user; /* what follows is NULL where it was not given */
    const char *password;
    const char *token;
    const char *creds;
    const char *nkey;
    const char *tlscert;
    const char *tlskey;
    const char *tlsca;
    const char *name;
    uint64_t timeout;       /* nanoseconds, for one attempt */
    uint64_t ping_interval; /* nanoseconds; a server silent for two of them is taken for dead */
};

/* A connection to a NATS server; it ends when that does, and never comes back by itself. */
struct connection;

enum { CONNECTION_WHY = 256 };

enum connection_attempt {
    CONNECTION_OPEN,
    CONNECTION_NOT_NOW, /* a later attempt may succeed */
    CONNECTION_NEVER    /* it is refused: password, certificate, file, URL */
};

/*
 * Appends the URLs of a list with commas. False, and a report that names the flag, where one is no
 * URL of a server.
 */
bool connection_add_servers(struct connection_config *config, const char *flag, const char *list);

/* A URL as it may be shown: without user and password. */
const char *connection_shown(const char *url);

/*
 * One attempt, over all servers, each of which has `timeout` nanoseconds. Where it fails, `why`
 * (CONNECTION_WHY bytes) says so. Servers that the one connected to knows of are added to the
 * configuration when the connection is freed. When it closes, 1 is written to the eventfd
 * `wake_fd`.
 */
enum connection_attempt connection_open(struct connection_config *config, uint64_t timeout,
                                        int wake_fd, struct connection **c, char *why);

bool connection_closed(struct connection *c);

/* The largest payload that the server takes, in bytes, and its URL (CONNECTION_WHY bytes). */
size_t connection_max_payload(struct connection *c);
void connection_url(struct connection *c, char *url);

/* Hands a message to the connection, which sends it soon. False where the connection is lost. */
bool connection_publish(struct connection *c, const char *subject, struct slice payload);

/*
 * Calls `answered` from another thread for each message to subjects below `inbox`, which ends in a
 * dot: `nobody` says that what had this reply subject had no receiver. False, and why, where the
 * connection is lost.
 */
typedef void connection_answered(void *argument, const char *subject, struct slice payload,
                                 bool nobody);
bool connection_answers(struct connection *c, const char *inbox, connection_answered *answered,
                        void *argument, char *why);

/* As connection_publish, with a reply subject, and where they are not NULL the headers Nats-Msg-Id
 * and Nats-Expected-Stream. */
bool connection_publish_request(struct connection *c, const char *subject, const char *reply,
                                struct slice payload, const char *id, const char *stream);

/* Appends the answer to a request. False, and why, where none comes within `timeout` ns. */
bool connection_request(struct connection *c, const char *subject, struct slice payload,
                        uint64_t timeout, struct buffer *answer, char *why);

enum connection_answer {
    CONNECTION_CONFIRMED,
    CONNECTION_LOST,
    CONNECTION_REFUSED /* the server does not take what is published */
};

/*
 * Waits until the server has confirmed all that was published before; any thread. `why` tells what
 * was wrong.
 */
enum connection_answer connection_confirm(struct connection *c, char *why);

/* Ends the connection, and with it a connection_confirm under way in another thread. */
void connection_shut(struct connection *c);

/* Why it ended. */
void connection_why(struct connection *c, char *why);

/* To be called once no other thread uses it. */
void connection_free(struct connection *c, struct connection_config *config);

/* Waits for the threads of nats.c. */
void connection_end_all(void);

#endif
