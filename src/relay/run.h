#ifndef SHNEK_RELAY_RUN_H
#define SHNEK_RELAY_RUN_H

#include "relay/config.h"

/* Relays from the configured files or listeners to stdout until their end or a drain. Returns the
 * exit status. */
int relay_run(const struct relay_config *config);

#endif
