#ifndef SHNEK_RELAY_SOURCE_DATAGRAM_H
#define SHNEK_RELAY_SOURCE_DATAGRAM_H

#include "relay/listener.h"

/* Room for a batch of datagrams, for all sockets that take such. */
struct datagrams;

/* NULL, and a report, where memory is short. */
struct datagrams *datagrams_open(struct relay *r);
void datagrams_close(struct datagrams *d);

/* Makes a socket ready for datagrams_read. */
void datagrams_start(struct listener *l, struct relay *r);

enum datagrams_state { DATAGRAMS_MORE, DATAGRAMS_NONE, DATAGRAMS_STUCK };

/* Takes a batch of what has come. */
enum datagrams_state datagrams_read(struct datagrams *d, struct listener *l, struct relay *r);

/* From now on nothing more comes in; what has arrived can still be read. */
void datagrams_shut(struct listener *l);

/* Counts, and reports, what the kernel dropped since it was last asked. */
void datagrams_count_dropped(struct listener *l, struct relay *r);

#endif
