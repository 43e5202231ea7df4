#ifndef SHNEK_RELAY_SERVER_H
#define SHNEK_RELAY_SERVER_H

#include <stdbool.h>

#include "base/signals.h"
#include "relay/config.h"
#include "relay/pipeline.h"

/*
 * Receives from the configured listeners until a drain, which reads what has arrived and then waits
 * up to a second for the ends of unfinished messages. Returns false if a listener could not be
 * opened, or input was left unread or lost by a failure; the reason was logged. Refused and
 * disconnected peers do not count.
 */
bool server_run(const struct relay_config *config, struct pipeline *pipeline,
                struct signals *signals);

#endif
