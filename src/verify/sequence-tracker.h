#ifndef SHNEK_VERIFY_SEQUENCE_TRACKER_H
#define SHNEK_VERIFY_SEQUENCE_TRACKER_H

#include "base/buffer.h"
#include "verify/gaps.h"

/*
 * Tracks which messages of each run were received, to find loss, duplicates and reordering. Message
 * k of a run is sent over connection k modulo the number of connections, as number k divided by it.
 * A connection preserves order, so a number that is skipped is a gap until it arrives. Memory
 * depends on runs, connections and gaps, which are bounded, and not on messages.
 */
enum {
    TRACKER_MAX_GAPS = 1 << 20,
    TRACKER_MAX_RUNS = 1 << 16,
    TRACKER_MAX_CONNECTIONS = 1 << 20,   /* of all runs */
    TRACKER_MAX_RUN_CONNECTIONS = 100000 /* of one run, the limit of --connections */
};

/* Of one run; a greater sequence number is rejected. */
#define TRACKER_MAX_MESSAGES UINT64_C(1000000000000000)

struct tracked_connection {
    uint64_t next; /* 1 + the greatest number received */
    struct gap_set gaps;
};

struct tracked_run {
    struct tracked_run *hash_next;
    struct tracked_run *previous; /* the run that was found before this one */
    struct buffer key;
    struct buffer label; /* identifies the run in reports */
    struct tracked_connection *connections;
    uint64_t connection_capacity;
    uint64_t connection_count; /* of the sender */
    uint64_t seen_connections; /* with at least one message */
    uint64_t message_count;    /* known to have been sent; set by sequence_tracker_finish() */
};

struct sequence_tracker {
    struct gap_store gaps;
    struct tracked_run **table;
    struct tracked_run *last_run;    /* the newest run */
    struct tracked_run *current_run; /* the run of the last message */
    uint64_t run_count;
    uint64_t connection_capacity; /* sum over all runs */
    uint64_t seen_connections;
    uint64_t unattributed; /* missing messages that belong to an unknown run */
    bool overflowed;       /* a message was rejected for TRACKER_MAX_RUNS or _CONNECTIONS */
    struct buffer key;     /* scratch space */
};

/* The identity of one message. HOSTNAME, PROCID and `run` together identify the run. */
struct tracked_message {
    struct slice hostname;
    struct slice procid;
    struct slice run; /* absent without --checksum */
    uint64_t connection_count;
    uint64_t connection;
    uint64_t number; /* on that connection */
};

enum tracker_result {
    TRACKER_NEW,
    TRACKER_REORDERED, /* new, but a later message of its connection was received before */
    TRACKER_DUPLICATE, /* or one whose gap was not recorded */
    TRACKER_REJECTED   /* inconsistent with its run, or over a limit */
};

void sequence_tracker_init(struct sequence_tracker *t);

enum tracker_result sequence_tracker_add(struct sequence_tracker *t,
                                         const struct tracked_message *m);

/*
 * Computes how many messages each run has sent: all up to the greatest one received. `total` is the
 * number of messages sent by all runs, or 0 if unknown; further messages belong to the only run, or
 * are unattributed if there are several. Call once, after the last message.
 */
void sequence_tracker_finish(struct sequence_tracker *t, uint64_t total);

/* Returns the number of missing messages. Requires sequence_tracker_finish(). */
uint64_t sequence_tracker_count_missing(const struct sequence_tracker *t);

/*
 * Finds the first range of missing messages of a run that ends at message k or later. Returns false
 * if there is none. Requires sequence_tracker_finish().
 */
bool sequence_tracker_find_range(const struct sequence_tracker *t, const struct tracked_run *r,
                                 uint64_t k, struct gap *range);

void sequence_tracker_free(struct sequence_tracker *t);

#endif
