#ifndef SHNEK_VERIFY_FIND_MAX_H
#define SHNEK_VERIFY_FIND_MAX_H

#include "base/exit-status.h"
#include "load/load.h"

struct find_max_config {
    struct load_config *load; /* a trial, but for its rate and its run */
    const char *input_path;   /* what the receiver makes of it; NULL: stdin */
    uint64_t low_rate;        /* messages a second, the first rate */
    uint64_t high_rate;       /* none is greater */
    uint64_t max_latency_ns;  /* nanoseconds that p99 may take */
    uint64_t idle_timeout_ns; /* nanoseconds of silence, behind which nothing more comes */
};

/* --rate=LOW[..HIGH], in messages a second. False, and a report, where it is none. */
bool find_max_parse_rate(struct find_max_config *config, const char *text);

/*
 * Finds the highest rate at which nothing is lost and p99 stays under its limit, and reports it on
 * stdout, the trials on stderr. Gives the exit status: STATUS_REJECTED where there is none.
 */
int find_max_run(const struct find_max_config *config);

#endif
