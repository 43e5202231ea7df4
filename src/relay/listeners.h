#ifndef SHNEK_RELAY_LISTENERS_H
#define SHNEK_RELAY_LISTENERS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/address.h"
#include "base/retry.h"
#include "relay/config.h"
#include "relay/io.h"

enum { LISTENERS_MAX = 64 };

/* A socket that accepts connections or receives datagrams. */
struct listener {
    struct io io;
    enum transport transport;
    char name[ADDRESS_FORMAT_MAX]; /* its address, as in "tcp://127.0.0.1:514" */
    struct retry failure;          /* for the caller: of accept(2) */
    bool owns_path;                /* a Unix socket that we bound: its path is removed at the end */
    dev_t device;
    ino_t inode;
};

struct listeners {
    struct listener items[LISTENERS_MAX];
    int count;
};

/*
 * Opens nonblocking sockets for all configured addresses and those passed by systemd, and logs
 * "listening on ADDRESS" for each. Returns false and logs the reason if one cannot be opened; the
 * others are then still to be closed.
 */
bool listeners_open(struct listeners *l, const struct relay_config *config);

/* Closes the sockets and removes the paths of Unix sockets, unless another process has replaced
 * them. */
void listeners_close(struct listeners *l);

#endif
