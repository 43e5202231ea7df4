#ifndef SHNEK_RELAY_IO_H
#define SHNEK_RELAY_IO_H

#include <stddef.h>

/* The object of a type that contains `p` as its member `field`. */
#define OWNER(p, type, field) ((type *)((char *)(p)-offsetof(type, field)))

struct server;

/* A descriptor in the server's epoll set, embedded in the object that owns it. */
struct io {
    int fd;
    void (*ready)(struct server *server, struct io *io);
};

#endif
