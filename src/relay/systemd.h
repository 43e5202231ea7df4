#ifndef SHNEK_RELAY_SYSTEMD_H
#define SHNEK_RELAY_SYSTEMD_H

#include <stdbool.h>

/* A socket passed by systemd. */
struct systemd_socket {
    int fd;
    bool tls; /* FileDescriptorName=tls */
};

/*
 * Returns how many sockets systemd passed (sd_listen_fds(3)) and fills in at most `capacity` of
 * them, nonblocking and close-on-exec. Returns 0 and logs the reason if there are none, too many,
 * or one cannot be used.
 */
int systemd_sockets(struct systemd_socket *sockets, int capacity);

#endif
