#ifndef SHNEK_RELAY_PROXY_PROTOCOL_H
#define SHNEK_RELAY_PROXY_PROTOCOL_H

#include <sys/socket.h>

#include "base/slice.h"

enum proxy_state {
    PROXY_INCOMPLETE, /* more bytes are needed */
    PROXY_CLIENT,     /* the header names the client */
    PROXY_LOCAL,  /* the header names no client (LOCAL, UNKNOWN): the connection is the proxy's */
    PROXY_INVALID /* not a PROXY header */
};

/*
 * Parses the header at the beginning of a proxied connection ("The PROXY protocol", versions 1 and
 * 2, by HAProxy). Sets `len` to the length of a complete header, and `client` with PROXY_CLIENT.
 * TLVs are skipped.
 */
enum proxy_state proxy_parse(struct slice bytes, size_t *len, struct sockaddr_storage *client);

#endif
