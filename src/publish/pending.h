#ifndef SHNEK_PUBLISH_PENDING_H
#define SHNEK_PUBLISH_PENDING_H

#include <stdatomic.h>

#include "publish/window.h"

/*
 * How much of the window is not confirmed, and for how long. One thread updates it; another may log
 * it, also while the first one is blocked.
 */
struct pending {
    _Atomic uint64_t confirmed; /* offset of the first unconfirmed line */
    _Atomic uint64_t next;      /* offset of the first line that is not sent */
    _Atomic uint64_t tail;      /* offset of the end of the last line */
    _Atomic uint64_t sent;      /* messages from `confirmed` to `next` */
    _Atomic uint64_t since_ns;  /* clock_monotonic; the first unconfirmed line is not older */
    uint64_t mark;              /* what is after this offset was read after mark_ns */
    uint64_t mark_ns;           /* clock_monotonic */
};

/* Cheap enough for each read. */
void pending_update(struct pending *p, const struct window *w);

/*
 * Logs "TEXT; N messages are unconfirmed (BYTES, the oldest for N s)", or nothing if all lines are
 * confirmed. The caller ensures that nothing is read into the ring.
 */
void pending_log(struct pending *p, const struct ring *ring, const char *text);

#endif
