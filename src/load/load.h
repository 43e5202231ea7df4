#ifndef SHNEK_LOAD_LOAD_H
#define SHNEK_LOAD_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/signals.h"
#include "load/arrivals.h"
#include "load/destination.h"
#include "load/malformed.h"
#include "load/message.h"
#include "load/sender.h"
#include "report/sampler.h"

struct load_config {
    struct destination destination;
    struct message_config message;
    struct arrivals_config arrivals;
    struct senders_config senders;
    struct malformed_config malformed;
    uint64_t count;             /* 0: no limit */
    uint64_t duration_ns;       /* nanoseconds, 0: no limit */
    uint64_t stats_interval_ns; /* nanoseconds, 0: none */
    struct series_config series;
    const char *json; /* a file for the report, "-" is stdout, "" is stderr; or NULL */
    bool quiet;       /* no report at the end */
};

/* Sends what was asked for. Gives the exit status. */
int load_run(const struct load_config *config);

/* What was sent. */
struct load_sent {
    uint64_t generated; /* messages, those that UDP refused included */
    uint64_t
        min_lag_ns; /* nanoseconds, that in the last quarter of the time every message was late */
};

/*
 * The same in any thread, again and again, without a report: the signals are the caller's, which
 * were started. False, and a report, where it failed; that some were refused is no failure here.
 */
bool load_send(const struct load_config *config, struct signals *signals, struct load_sent *sent);

#endif
