#ifndef SHNEK_PUBLISH_PUBLISH_METRICS_H
#define SHNEK_PUBLISH_PUBLISH_METRICS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/buffer.h"
#include "base/signals.h"
#include "base/stats.h"
#include "metrics/duration-histogram.h"
#include "metrics/labelled.h"
#include "publish/time-marks.h"
#include "publish/transport.h"

/* The metrics of shnek-pub that are not in `stats`. The loop of publish.c is the only writer. */
struct publish_metrics {
    struct stats *stats;
    struct signals *signals;
    struct labelled rejected; /* by field; their sum is stats->rejected */
    counter rewound;      /* lines that were sent or checked again after the window was rewound */
    counter resent;       /* messages, also by the transport itself */
    counter connections;  /* so far */
    counter window_bytes; /* read and not confirmed */
    counter window_limit_bytes;
    counter spool_bytes;
    counter oldest_ns; /* clock_monotonic() when the oldest line of the window was read; 0: none */
    atomic_bool connected;
    struct duration_histogram confirm;

    bool has_spool;
    bool measures;             /* the members below are used */
    struct time_marks reads;   /* ends of the input */
    struct time_marks sends;   /* ends of what was published */
    uint64_t sent_ns;          /* clock_monotonic() before the last lines were published */
    uint64_t counted;          /* messages in `confirm` */
    uint64_t counted_messages; /* of the last mark of which all messages are in `confirm` */
};

/* Initializes all counters. The pointers are borrowed. */
void publish_metrics_init(struct publish_metrics *m, struct stats *stats, struct signals *signals);

/* To be called before lines are published. */
void publish_metrics_begin_send(struct publish_metrics *m);

/* To be called after lines were read, published or confirmed, and stats->out was updated. */
void publish_metrics_update(struct publish_metrics *m, const struct window *w,
                            const struct publish_transport *t);

/* Counts a connection that was established, and records whether there is one. */
void publish_metrics_on_event(struct publish_metrics *m, enum transport_event event);

/* For struct metrics_provider; the argument is a struct publish_metrics. */
void publish_metrics_write(void *argument, struct buffer *to);
const char *publish_metrics_not_ready(void *argument);

#endif
