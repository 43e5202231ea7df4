#ifndef SHNEK_LOAD_SENDER_H
#define SHNEK_LOAD_SENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/output.h"

/* One way out: stdout, or a connection. */
struct sender {
    struct output out;
    uint64_t waiting; /* messages in its buffer */
};

/* Each gives false, and a report, where it fails. */

bool sender_connect(struct sender *s, const char *destination);

/* Writes what waits, and adds its messages and bytes to *sent and *bytes once it is written. */
bool sender_flush(struct sender *s, uint64_t *sent, uint64_t *bytes);

/* Ends a connection once the other side's kernel has all of it; closes and frees. */
bool sender_end(struct sender *s, bool connected);

#endif
