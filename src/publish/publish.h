#ifndef SHNEK_PUBLISH_PUBLISH_H
#define SHNEK_PUBLISH_PUBLISH_H

#include "publish/jetstream.h"
#include "publish/session.h"

struct publish_config {
    struct session_config session;
    struct jetstream_config stream;
    bool jetstream; /* publish to a stream, which acknowledges each message */
    const char *subject;
    const char *rejects;        /* a path, or NULL */
    const char *spill;          /* a path, or NULL: stdout */
    const char *spool;          /* a path, or NULL */
    uint64_t window_size;       /* bytes, 0: the default */
    uint64_t stats_interval_ns; /* nanoseconds, 0: none */
    uint64_t spool_sync_ns;     /* nanoseconds between syncs, 0: none */
    bool at_most_once;          /* nothing is sent again */
    bool no_check;              /* the lines are not looked at */
    bool dry_run;               /* print what would be published */
    bool quiet;
};

/* Publishes the lines of stdin to its end. Gives the exit status. */
int publish_run(struct publish_config *config);

#endif
