#ifndef SHNEK_PUBLISH_DRY_RUN_H
#define SHNEK_PUBLISH_DRY_RUN_H

#include "publish/envelope.h"
#include "publish/transport.h"

/*
 * Returns a transport that connects to no server and writes "SUBJECT<TAB>PAYLOAD<LF>" to standard
 * output. Written lines count as confirmed. Returns NULL and logs the reason if memory runs out.
 * `envelope` is borrowed.
 */
struct publish_transport *dry_run_new(struct envelope *envelope);

#endif
