#ifndef SHNEK_PUBLISH_OUTAGE_H
#define SHNEK_PUBLISH_OUTAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "publish/nats-conn.h"

/*
 * A stream that acknowledges nothing for the moment. It is tried again with increasing delays,
 * with one message (the probe) at a time. All zero is a stream that is available.
 */
struct outage {
    uint64_t since_ns;    /* clock_monotonic; 0 if the stream is available */
    uint64_t retry_at_ns; /* clock_monotonic; nothing is resent before */
    uint64_t backoff_ns;
    uint64_t probe;    /* the order of its transmission, 0 for none */
    uint64_t ended_ns; /* how long the last outage was, until that is reported */
    bool failed;       /* permanently, because of `text` */
    char text[NATS_CONN_TEXT_MAX];
};

/* Begins an outage, or continues it with a longer delay if `backs_off`. `reason` NULL keeps the
 * last one. */
void outage_begin(struct outage *o, const char *reason, bool backs_off);

void outage_end(struct outage *o);

struct outage_report {
    uint64_t last_ns; /* clock_monotonic; 0: not since the outage began */
};

/* Logs an outage after 5 s and every minute, and the end of one that was logged. */
void outage_report(struct outage_report *r, const struct outage *o, const char *stream);

#endif
