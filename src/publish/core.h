#ifndef SHNEK_PUBLISH_CORE_H
#define SHNEK_PUBLISH_CORE_H

#include "publish/envelope.h"
#include "publish/session.h"
#include "publish/transport.h"

/*
 * Returns a transport that publishes with core NATS: a PONG confirms that the server has received
 * all earlier messages. Returns NULL and logs the reason if memory runs out. `config` and
 * `envelope` are borrowed.
 */
struct publish_transport *core_new(struct session_config *config, struct envelope *envelope);

#endif
