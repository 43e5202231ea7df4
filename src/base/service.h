#ifndef SHNEK_BASE_SERVICE_H
#define SHNEK_BASE_SERVICE_H

#include <stdint.h>

/*
 * Notifications of the service manager, if NOTIFY_SOCKET names one (sd_notify(3)). None of them
 * waits for it. `status` is shown by systemctl status.
 */
void service_notify_ready(const char *status);
void service_notify_status(const char *status);
void service_notify_reloading(void);

/* Announces that the start may take this much longer from now on. */
void service_notify_starting(const char *status, uint64_t timeout_ns);

/* Announces the end, which may take up to `timeout_ns` from now on; 0 is what the service manager
 * has configured. */
void service_notify_stopping(uint64_t timeout_ns);

#endif
