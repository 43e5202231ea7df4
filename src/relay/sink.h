#ifndef SHNEK_RELAY_SINK_H
#define SHNEK_RELAY_SINK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/output.h"
#include "base/rate-limit.h"
#include "base/reject-file.h"
#include "base/stats.h"
#include "relay/batch.h"
#include "relay/config.h"
#include "relay/relay-metrics.h"

enum { SINK_SOURCES = 1024 };

/*
 * The outputs: records to stdout, rejected messages to --rejects and to stderr. With --jobs the
 * worker threads use it, one at a time; other threads may only call sink_failed() and sink_fail().
 */
struct sink {
    struct stats *stats;
    struct relay_metrics metrics;
    struct output records;
    struct reject_file rejects;
    struct rate_limit log_limit;   /* of lines about input that cannot be used */
    uint64_t hinted[SINK_SOURCES]; /* hashes of sources that got the hint about RFC 3164 */
    atomic_bool failed;            /* sticky: nothing is written any more */
};

/* Opens stdout and --rejects. Returns false and logs the reason if that fails. */
bool sink_open(struct sink *s, const struct relay_config *config, struct stats *stats);

/* Closes the outputs. Returns false if any record or rejected message was lost. */
bool sink_close(struct sink *s);

/* Counts the results of a parsed batch and logs its rejected frames. */
void sink_report(struct sink *s, const struct batch *b);

/* Writes the records and rejects of a batch and removes them from it. Blocks if stdout does. A
 * failed write of records is logged, except for EPIPE, and sets `failed`. That of rejects is logged
 * and retried; they are kept until then, up to 1 MiB. */
void sink_write(struct sink *s, struct batch *b);

/* Opens --rejects again, as after a rotation, if it is a file. */
void sink_reopen(struct sink *s);

/* Marks the sink as failed without a message: the reader of stdout has gone. */
void sink_fail(struct sink *s);

static inline bool sink_failed(const struct sink *s)
{
    return atomic_load_explicit(&s->failed, memory_order_relaxed);
}

#endif
