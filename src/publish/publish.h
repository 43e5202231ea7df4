#ifndef SHNEK_PUBLISH_PUBLISH_H
#define SHNEK_PUBLISH_PUBLISH_H

#include "publish/connection.h"

struct publish_config {
    struct connection_config connection;
    const char *subject;
    const char *rejects;     /* a path, or NULL */
    uint64_t stats_interval; /* nanoseconds, 0: none */
    bool no_check;           /* the lines are not looked at */
    bool dry_run;            /* print what would be published */
    bool quiet;
};

/* Publishes the lines of stdin to its end. Gives the exit status. */
int publish_run(const struct publish_config *config);

#endif
