#ifndef SHNEK_RELAY_SYSTEMD_H
#define SHNEK_RELAY_SYSTEMD_H

#include "relay/listener.h"

/*
 * Takes the sockets that systemd passed (sd_listen_fds(3)); one that is named "tls" there speaks
 * it. Gives their number; 0, and a report, where there are none or one cannot be listened on.
 */
int systemd_listen(struct listener *listeners, int room);

/* Tells the service manager, where one asked to be told (sd_notify(3)). */
void systemd_notify_ready(int listeners);
void systemd_notify_reloading(void);
void systemd_notify_stopping(void);

#endif
