#ifndef SHNEK_VERIFY_VERIFY_REPORT_H
#define SHNEK_VERIFY_VERIFY_REPORT_H

#include "report/values.h"
#include "verify/histogram.h"
#include "verify/sequence-tracker.h"

/* What was found. */
struct verify_report {
    struct sequence_tracker tracker;
    struct histogram latency; /* microseconds */
    uint64_t received;        /* whole messages, repeated ones included */
    uint64_t duplicated;
    uint64_t reordered;
    uint64_t damaged;
    uint64_t foreign;
    uint64_t negative_latencies; /* latencies */
};

/*
 * Each is called after ledger_close(). `expected` is the number of messages sent, or 0 if that is
 * unknown. The total row has the columns of an interval's row, in that order.
 */
void verify_report_build(const struct verify_report *f, uint64_t expected, struct values *v);
void verify_report_build_total_row(const struct verify_report *f, uint64_t expected, double rate,
                                   struct values *row);

/* Appends the columns of --csv that follow the rate; an interval has a value for latencies only. */
void verify_report_add_interval(const struct histogram *latency, struct values *row);

#endif
