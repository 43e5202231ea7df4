#ifndef SHNEK_RELAY_LISTENER_H
#define SHNEK_RELAY_LISTENER_H

#include "base/address.h"

/*
 * Opens listening sockets, not blocking, for all that an address stands for, up to `room`, and
 * reports each as "listening on tcp://...". Gives their number; 0, and a report, where none could
 * be opened.
 */
int listener_open(const struct address *address, int *fds, int room);

#endif
