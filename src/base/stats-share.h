#ifndef SHNEK_BASE_STATS_SHARE_H
#define SHNEK_BASE_STATS_SHARE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/stats.h"

/*
 * Counters of a command that another program starts and whose lines of counters it prints. They
 * are in memory that both map; the descriptor is passed in $SHNEK_STATS_FD.
 */
struct stats_share {
    struct stats stats;
    _Atomic(pid_t) pid; /* of the program that counts there, 0 until it has attached */
};

/* Creates the memory and its descriptor, which is close-on-exec. Returns NULL and logs the reason
 * on failure. */
struct stats_share *stats_share_open(int *fd);

void stats_share_close(struct stats_share *s);

/* Sets $SHNEK_STATS_FD. For the process that executes the command. */
bool stats_share_export(int fd);

/* Returns the counters that the program's parent shares, or `own` if it does not. */
struct stats *stats_share_attach(struct stats *own);

#endif
