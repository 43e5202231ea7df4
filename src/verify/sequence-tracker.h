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
    TRACKER_MAX_GAPS = 1 << 20,
    TRACKER_MAX_RUNS = 1 << 16,
    TRACKER_MAX_CONNECTIONS = 1 << 20,   /* of all runs */
    TRACKER_MAX_RUN_CONNECTIONS = 100000 /* connections of a run, as many as spamlog opens */
};
#define TRACKER_MAX_MESSAGES UINT64_C(1000000000000000) /* of a run; what is past it is no number  \
                                                         */

struct tracked_connection {
    uint64_t next; /* past the greatest number that has come */
    struct gap_set gaps;
};

struct tracked_run {
    struct tracked_run *hash_next; /* in the same place of the table */
    struct tracked_run *previous;  /* the run that was met before it */
    struct buffer key;
    char *label;
    struct tracked_connection *connections;
    uint64_t connection_capacity; /* of connections there is room for */
    uint64_t connection_count;    /* connections */
    uint64_t seen_connections;    /* connections from which something has come */
    uint64_t message_count;       /* messages that must have been made, for all that is known */
};

struct sequence_tracker {
    struct gap_store gaps;
    struct tracked_run **table;
    struct tracked_run *last_run;    /* the run that was met last */
    struct tracked_run *current_run; /* that of the last message */
    uint64_t run_count;
    uint64_t connection_capacity;
    uint64_t seen_connections; /* connections from which something has come */
    uint64_t unattributed;     /* missing messages of which it is not known which they are */
    bool overflowed;           /* of runs or connections: some message was not taken */
    struct buffer key;
};

/* Where a message comes from, and which it is. */
struct tracked_message {
    struct slice hostname;
    struct slice procid;
    struct slice run; /* or else HOSTNAME and PROCID tell it */
    uint64_t connection_count;
    uint64_t connection;
    uint64_t number;
};

enum tracker_result {
    TRACKER_NEW,
    TRACKER_REORDERED, /* new, behind others of its connection */
    TRACKER_DUPLICATE, /* it had come before */
    TRACKER_REJECTED /* it cannot be: its run has another number of connections; or no room is left
                      */
};

void sequence_tracker_init(struct sequence_tracker *l);
enum tracker_result sequence_tracker_add(struct sequence_tracker *l,
                                         const struct tracked_message *e);

/*
 * To be called at the end. Of a run's messages, all below the greatest one were made. Where the
 * number of all messages is known (else 0), the only run has made the others too; where there is
 * not just one, they are unnamed.
 */
void sequence_tracker_finish(struct sequence_tracker *l, uint64_t total);

uint64_t sequence_tracker_count_missing(const struct sequence_tracker *l);

/* The first range of a run's missing messages that ends at k or behind it, after ledger_close. */
bool sequence_tracker_find_range(const struct sequence_tracker *l, const struct tracked_run *r,
                                 uint64_t k, struct gap *range);

void sequence_tracker_free(struct sequence_tracker *l);

#endif
