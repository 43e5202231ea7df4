#ifndef SHNEK_PUBLISH_PUBLISH_H
#define SHNEK_PUBLISH_PUBLISH_H

#include "metrics/metrics.h"
#include "publish/batcher.h"
#include "publish/jetstream.h"
#include "publish/session.h"
#include "publish/settings.h"

struct publish_config {
    struct settings settings; /* of the connection; own what `session` borrows */
    struct session_config session;
    struct jetstream_config jetstream; /* used if use_jetstream is set */
    struct batch_config batch;
    bool use_jetstream;
    struct envelope envelope;
    const char *rejects;        /* a path, or NULL */
    const char *spill;          /* a path, or NULL for stdout */
    const char *spool;          /* a path, or NULL */
    uint64_t window_size;       /* bytes, 0 for the default */
    uint64_t stats_interval_ns; /* 0: none */
    uint64_t spool_sync_ns;     /* between calls of fdatasync(2), 0: none */
    bool spool_list;            /* print the spool; see spool-list.h */
    bool at_most_once;          /* resend nothing */
    bool no_check;              /* publish lines that are not JSON */
    bool dry_run;               /* print the messages instead of publishing them */
    bool quiet;                 /* log no rejected lines */

    uint64_t shutdown_timeout_ns; /* of the drain, 0: none */

    struct metrics_target metrics;
};

/* Publishes the lines of stdin until it ends. Returns the exit status. */
int publish_run(struct publish_config *config);

#endif
