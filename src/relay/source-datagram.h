#ifndef SHNEK_RELAY_SOURCE_DATAGRAM_H
#define SHNEK_RELAY_SOURCE_DATAGRAM_H

#include <stdint.h>

#include "base/retry.h"
#include "relay/access.h"
#include "relay/config.h"
#include "relay/io.h"
#include "relay/listeners.h"
#include "relay/pipeline.h"
#include "relay/timers.h"

/* Receive buffers and what else all datagram sockets share. */
struct datagram_context;

/* Returns NULL and logs the reason if memory is exhausted. The arguments are borrowed. */
struct datagram_context *datagram_context_new(const struct relay_config *config,
                                              struct pipeline *pipeline, struct access *access);
void datagram_context_destroy(struct datagram_context *c);

/* A UDP or Unix datagram socket, which belongs to a listener. */
struct source_datagram {
    struct io io;
    const struct listener *listener;
    struct source source;
    uint32_t dropped;     /* UDP: the kernel's counter when it was read last */
    struct retry failure; /* of the last reads; the first one was logged */
    struct timer retry;   /* for the caller */
};

void source_datagram_init(struct source_datagram *d, const struct datagram_context *c,
                          const struct listener *listener);

enum datagram_state { DATAGRAM_MORE, DATAGRAM_NONE, DATAGRAM_FAILED };

/* Receives and processes up to 64 datagrams. Returns DATAGRAM_MORE if more may be waiting, and
 * DATAGRAM_FAILED and errno if they cannot be read now, which is logged once; retry after a delay.
 */
enum datagram_state source_datagram_read(struct source_datagram *d, struct datagram_context *c);

/* Stops receiving; datagrams that have arrived can still be read. */
void source_datagram_shutdown(const struct source_datagram *d);

/* Counts and logs the datagrams that the kernel dropped since the last call. */
void source_datagram_count_dropped(struct source_datagram *d, struct datagram_context *c);

#endif
