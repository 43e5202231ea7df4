#ifndef SHNEK_RELAY_IO_H
#define SHNEK_RELAY_IO_H

struct server;

/* A descriptor in the server's epoll set, embedded in the object that owns it. */
struct io {
    int fd;
    void (*ready)(struct server *server, struct io *io);
};

#endif
