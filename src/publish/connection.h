#ifndef SHNEK_PUBLISH_CONNECTION_H
#define SHNEK_PUBLISH_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
    uint64_t timeout;         /* nanoseconds, for one attempt */
    uint64_t connect_timeout; /* nanoseconds, for all of them; 0: for ever */
};

/* A connection to a NATS server. */
struct connection;

/* Appends the URLs of a list with commas. False, and a report, where one is no URL of a server. */
bool connection_add_servers(struct connection_config *config, const char *list);

/*
 * Connects; where no server answers it waits and tries again, until the time is over or a drain is
 * asked for. NULL, and a report, where there is no connection.
 */
struct connection *connection_open(const struct connection_config *config, struct signals *signals);

/* The largest payload that the server takes, in bytes. */
size_t connection_max_payload(struct connection *c);

/* Hands a message to the connection, which sends it soon. False, and a report, where it is lost. */
bool connection_publish(struct connection *c, const char *subject, struct slice payload);

/*
 * Waits until the server has confirmed all that was published. False, and a report, where it did
 * not, or where it refused any of it.
 */
bool connection_confirm(struct connection *c);

void connection_close(struct connection *c);

#endif
