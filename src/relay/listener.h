#ifndef SHNEK_RELAY_LISTENER_H
#define SHNEK_RELAY_LISTENER_H

#include <sys/types.h>

#include "base/address.h"
#include "relay/pipeline.h"
#include "relay/relay.h"

/* A socket that connections or datagrams come to. */
struct listener {
    int fd;
    enum transport transport;
    char name[ADDRESS_FORMAT_MAX]; /* its address */
    bool ours;                     /* the path of a Unix socket is to be removed */
    dev_t device;
    ino_t inode;
    struct stream stream; /* datagrams: what they are taken by */
    uint32_t dropped;     /* UDP: what the kernel had dropped when it was last asked */
};

/*
 * Opens sockets, not blocking, for all that an address stands for, up to `room`, and reports each
 * as "listening on tcp://...". Gives their number; 0, and a report, where none could be opened.
 */
int listener_open(const struct address *address, const struct relay_config *config,
                  struct listener *listeners, int room);

/* Makes one of a socket that listens already or takes datagrams; `tls`: connections speak it.
 * False, and a report, where it does neither. */
bool listener_adopt(struct listener *l, int fd, bool tls);

/* Removes the path of a Unix socket, where it still is that socket. */
void listener_close(struct listener *l);

#endif
