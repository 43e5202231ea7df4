#ifndef SHNEK_LOAD_FINDINGS_H
#define SHNEK_LOAD_FINDINGS_H

#include "load/histogram.h"
#include "load/ledger.h"

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

/* That report as CSV: the names, where they are wanted, and the values; nothing where it has "-".
 */
void findings_csv(struct slice report, bool names, struct buffer *out);

#endif
