#ifndef SHNEK_VERIFY_VERIFY_REPORT_H
#define SHNEK_VERIFY_VERIFY_REPORT_H

#include "verify/histogram.h"
#include "verify/sequence-tracker.h"

/* What was found. */
struct findings {
    struct ledger ledger;
    struct histogram latency; /* microseconds */
    uint64_t received;        /* whole messages, repeated ones included */
    uint64_t duplicated;
    uint64_t reordered;
    uint64_t damaged;
    uint64_t foreign;
    uint64_t negative; /* latencies */
};

/*
 * The report, a line "name: value" each, in an order that stays; "-" where there is no value. After
 * ledger_close.
 */
void findings_print(const struct findings *f, uint64_t expected, struct buffer *out);

/* That report as a line of JSON: the names are the keys, and null stands for "-". */
void findings_json(struct slice report, struct buffer *out);

/* A row of CSV: the names; of an interval, from its latencies on; and one of the report. */
extern const char findings_columns[];
void findings_interval(const struct histogram *latency, struct buffer *out);
void findings_total(struct slice report, double rate, struct buffer *out);

#endif
