#ifndef SHNEK_VERIFY_VERIFY_REPORT_H
#define SHNEK_VERIFY_VERIFY_REPORT_H

#include "report/values.h"
#include "verify/histogram.h"
#include "verify/sequence-tracker.h"

/* The results of --verify. All counts are messages. */
struct verify_report {
    struct sequence_tracker tracker;
    struct histogram latency; /* microseconds */
    uint64_t received;        /* intact messages, duplicates included */
    uint64_t duplicated;
    uint64_t reordered;
    uint64_t damaged;            /* corrupted or truncated */
    uint64_t foreign;            /* not sent by spamlog */
    uint64_t negative_latencies; /* received before they were due: the clocks differ */
};

uint64_t verify_report_count_distinct(const struct verify_report *r);

/*
 * The functions below require sequence_tracker_finish(). `expected` is the number of messages sent,
 * or 0 if unknown.
 */

/* Returns whether messages were received, and none was lost, duplicated, damaged or untracked. */
bool verify_report_is_clean(const struct verify_report *r);

/* Logs a warning for each limit of the tracker that was reached. */
void verify_report_log_limits(const struct verify_report *r);

/* Builds the report for text and JSON. */
void verify_report_build(const struct verify_report *r, uint64_t expected, struct values *v);

/* Builds the last row of --csv, with the same columns as the rows of intervals. */
void verify_report_build_total_row(const struct verify_report *r, uint64_t expected, double rate,
                                   struct values *row);

/*
 * Appends the values of an interval's row that follow the rate: the percentiles of its latencies,
 * while the columns of the total row that remain are absent.
 */
void verify_report_add_interval(const struct histogram *latency, struct values *row);

#endif
