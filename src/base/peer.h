#ifndef SHNEK_BASE_PEER_H
#define SHNEK_BASE_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { PEER_IP_MAX = 64 };

/* A sender. All zero: unknown, as for a file. */
struct peer {
    char ip[PEER_IP_MAX]; /* IPv4 or IPv6 address without a scope, or empty */
    uint16_t port;        /* valid with an address */
    bool has_credentials; /* the process that sends over a Unix socket: */
    uid_t uid;
    pid_t pid;
    const char *subject; /* of the client certificate, or NULL */
};

#endif
