#ifndef SHNEK_PUBLISH_NATS_CONN_H
#define SHNEK_PUBLISH_NATS_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/signals.h"
#include "base/slice.h"

struct nats_conn_config {
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
    uint64_t timeout_ns;       /* nanoseconds, for one attempt */
    uint64_t ping_interval_ns; /* nanoseconds; a server silent for two of them is taken for dead */
};

/* A connection to a NATS server; it ends when that does, and never comes back by itself. */
struct connection;

enum { NATS_CONN_TEXT_MAX = 256 };

enum nats_conn_result {
    NATS_CONN_OPENED,
    NATS_CONN_UNAVAILABLE, /* a later attempt may succeed */
    NATS_CONN_DENIED       /* it is refused: password, certificate, file, URL */
};

/*
 * Appends the URLs of a list with commas. False, and a report that names the flag, where one is no
 * URL of a server.
 */
bool nats_conn_add_servers(struct nats_conn_config *config, const char *flag, const char *list);

/* A URL as it may be shown: without user and password. */
const char *nats_conn_hide_credentials(const char *url);

/*
 * One attempt, over all servers, each of which has `timeout` nanoseconds. Where it fails, `why`
 * (CONNECTION_WHY bytes) says so. Servers that the one connected to knows of are added to the
 * configuration when the connection is freed. When it closes, 1 is written to the eventfd
 * `wake_fd`.
 */
enum nats_conn_result nats_conn_open(struct nats_conn_config *config, uint64_t timeout, int wake_fd,
                                     struct connection **c, char *why);

bool nats_conn_is_closed(struct connection *c);

/* The largest payload that the server takes, in bytes, and its URL (CONNECTION_WHY bytes). */
size_t nats_conn_max_payload(struct connection *c);
void nats_conn_get_url(struct connection *c, char *url);

/* Hands a message to the connection, which sends it soon. False where the connection is lost. */
bool nats_conn_publish(struct connection *c, const char *subject, struct slice payload);

/*
 * Calls `answered` from another thread for each message to subjects below `inbox`, which ends in a
 * dot: `nobody` says that what had this reply subject had no receiver. False, and why, where the
 * connection is lost.
 */
typedef void nats_conn_reply_handler(void *argument, const char *subject, struct slice payload,
                                     bool nobody);
bool nats_conn_subscribe_replies(struct connection *c, const char *inbox,
                                 nats_conn_reply_handler *answered, void *argument, char *why);

/* As connection_publish, with a reply subject, and where they are not NULL the headers Nats-Msg-Id
 * and Nats-Expected-Stream. */
bool nats_conn_publish_request(struct connection *c, const char *subject, const char *reply,
                               struct slice payload, const char *id, const char *stream);

/* Appends the answer to a request. False, and why, where none comes within `timeout` ns. */
bool nats_conn_request(struct connection *c, const char *subject, struct slice payload,
                       uint64_t timeout, struct buffer *answer, char *why);

enum nats_conn_flush_result {
    NATS_CONN_FLUSHED,
    NATS_CONN_LOST,
    NATS_CONN_PUBLISH_DENIED /* the server does not take what is published */
};

/*
 * Waits until the server has confirmed all that was published before; any thread. `why` tells what
 * was wrong.
 */
enum nats_conn_flush_result nats_conn_flush(struct connection *c, char *why);

/* Ends the connection, and with it a connection_confirm under way in another thread. */
void nats_conn_shutdown(struct connection *c);

/* Why it ended. */
void nats_conn_get_error(struct connection *c, char *why);

/* To be called once no other thread uses it. */
void nats_conn_close(struct connection *c, struct nats_conn_config *config);

/* Waits for the threads of nats.c. */
void nats_conn_join_threads(void);

#endif
