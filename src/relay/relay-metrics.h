#ifndef SHNEK_RELAY_RELAY_METRICS_H
#define SHNEK_RELAY_RELAY_METRICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/stats.h"
#include "metrics/labelled.h"

/* Why a peer, or a datagram, is refused: the label of shnek_parse_refused_total. */
enum refusal {
    REFUSED_ADDRESS,  /* --allow */
    REFUSED_UID,      /* --allow-uid */
    REFUSED_LIMIT,    /* --max-connections-per-peer */
    REFUSED_PROXY,    /* no PROXY protocol header */
    REFUSED_TLS,      /* handshake, certificate or --tls-peer */
    REFUSED_TIMEOUT,  /* --handshake-timeout */
    REFUSED_PROTOCOL, /* looks like HTTP, or like TLS without it */
    REFUSED_OTHER
};

/* The metrics of shnek-parse that are not in `stats`. Each counter has one writing thread at a
 * time, as in base/stats.h. */
struct relay_metrics {
    struct stats *stats;
    struct labelled messages; /* by transport; their sum is stats->in */
    struct labelled rejected; /* by field; their sum is stats->rejected */
    struct labelled refused;  /* by enum refusal; their sum is stats->refused */
    counter connections;      /* open now */
    atomic_bool reading;      /* input: the listeners are open, or a file is read */
    atomic_bool *failed;      /* the output */
    bool times_writes;
    counter blocked_ns;       /* time that writes to stdout waited, those that have ended */
    counter write_started_ns; /* clock_monotonic() of the current write, 0 for none */
    uint64_t write_cpu_ns;    /* CPU time of the thread when it started */
    uint64_t reported_ns;     /* for the thread that reports: a counter must not decrease */
};

/* Initializes all counters. The pointers are borrowed. */
void relay_metrics_init(struct relay_metrics *m, struct stats *stats, atomic_bool *failed,
                        bool times_writes);

/* Measure how long a write to stdout waits for its reader, if times_writes is set. */
void relay_metrics_begin_write(struct relay_metrics *m);
void relay_metrics_end_write(struct relay_metrics *m);

/* For struct metrics_provider; the argument is a struct relay_metrics. */
void relay_metrics_write(void *argument, struct buffer *to);
const char *relay_metrics_not_ready(void *argument);

#endif
