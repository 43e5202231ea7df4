#ifndef SHNEK_VERIFY_SEQUENCE_TRACKER_H
#define SHNEK_VERIFY_SEQUENCE_TRACKER_H

#include "base/buffer.h"
#include "verify/gaps.h"

/*
 * Which messages have come. Message k of a run goes over connection k modulo `of`, where it has the
 * number k / of, so that on a connection, which keeps the order, nothing is ahead of its time. What
 * the ledger takes up depends on runs, connections and gaps, of which it has bounded numbers, and
 * not on messages.
 */
enum {
    LEDGER_GAPS = 1 << 20,
    LEDGER_RUNS = 1 << 16,
    LEDGER_CONNECTIONS = 1 << 20, /* of all runs */
    LEDGER_OF = 100000            /* connections of a run, as many as spamlog opens */
};
#define LEDGER_NUMBERS UINT64_C(1000000000000000) /* of a run; what is past it is no number */

struct run_connection {
    uint64_t next; /* past the greatest number that has come */
    struct gaps gaps;
};

struct run {
    struct run *next;   /* in the same place of the table */
    struct run *before; /* the run that was met before it */
    struct buffer key;
    char *label;
    struct run_connection *connections;
    uint64_t count;    /* of connections there is room for */
    uint64_t of;       /* connections */
    uint64_t seen;     /* connections from which something has come */
    uint64_t expected; /* messages that must have been made, for all that is known */
};

struct ledger {
    struct gap_store gaps;
    struct run **table;
    struct run *last; /* the run that was met last */
    struct run *hit;  /* that of the last message */
    uint64_t runs;
    uint64_t connections;
    uint64_t seen;    /* connections from which something has come */
    uint64_t unnamed; /* missing messages of which it is not known which they are */
    bool full;        /* of runs or connections: some message was not taken */
    struct buffer key;
};

/* Where a message comes from, and which it is. */
struct entry {
    struct slice hostname;
    struct slice procid;
    struct slice run; /* or else HOSTNAME and PROCID tell it */
    uint64_t of;
    uint64_t connection;
    uint64_t number;
};

enum ledger_entry {
    LEDGER_NEW,
    LEDGER_LATE,     /* new, behind others of its connection */
    LEDGER_REPEATED, /* it had come before */
    LEDGER_REFUSED /* it cannot be: its run has another number of connections; or no room is left */
};

void ledger_start(struct ledger *l);
enum ledger_entry ledger_take(struct ledger *l, const struct entry *e);

/*
 * To be called at the end. Of a run's messages, all below the greatest one were made. Where the
 * number of all messages is known (else 0), the only run has made the others too; where there is
 * not just one, they are unnamed.
 */
void ledger_close(struct ledger *l, uint64_t total);

uint64_t ledger_missing(const struct ledger *l);

/* The first range of a run's missing messages that ends at k or behind it, after ledger_close. */
bool ledger_range(const struct ledger *l, const struct run *r, uint64_t k, struct gap *range);

void ledger_free(struct ledger *l);

#endif
