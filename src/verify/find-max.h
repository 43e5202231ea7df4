#ifndef SHNEK_VERIFY_FIND_MAX_H
#define SHNEK_VERIFY_FIND_MAX_H

#include <stdbool.h>
#include <stdint.h>

#include "load/load.h"

struct find_max_config {
    struct load_config *load; /* of each trial, apart from its rate and run */
    const char *input_path;   /* what the receiver writes; NULL: stdin */
    const char *csv_path;     /* a row for each trial; "-" is stdout; NULL: none; here and below */
    const char *json_path;
    const char *plot_path;
    uint64_t low_rate;        /* messages per second, of the first trial */
    uint64_t high_rate;       /* the limit */
    uint64_t max_latency_ns;  /* limit of the p99 latency */
    uint64_t idle_timeout_ns; /* messages that arrive later than that are lost */
};

/*
 * Parses --rate=LOW[..HIGH] into `low_rate` and `high_rate`. Returns false and logs the reason if
 * it is invalid.
 */
bool find_max_parse_rate(struct find_max_config *config, const char *text);

/*
 * Finds the highest rate at which no message is lost, duplicated or damaged and the p99 latency
 * stays within its limit: doubles the rate until a trial fails, bisects, and confirms the result.
 * Prints the report to stdout, unless a file uses it, and logs each trial. Returns the exit status:
 * STATUS_REJECTED if no rate passed.
 */
int find_max_run(const struct find_max_config *config);

#endif
