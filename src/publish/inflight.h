#ifndef SHNEK_PUBLISH_INFLIGHT_H
#define SHNEK_PUBLISH_INFLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "publish/span.h"

/*
 * The messages that were sent to a stream and not yet acknowledged, in the order of their
 * transmission. A batch that was refused is split: its message then consists of parts, which are
 * sent one after the other.
 */

enum {
    INFLIGHT_SIZE = 16 * 1024,
    INFLIGHT_MAX = INFLIGHT_SIZE - 2 /* of messages, when another line is taken: it may send two */
};

enum inflight_state {
    INFLIGHT_SENT,
    INFLIGHT_RETRY,   /* to be resent */
    INFLIGHT_UNBOUND, /* no stream received it; it is refused, or resent */
    INFLIGHT_GAP,     /* later ones were acknowledged; the same */
    INFLIGHT_SPLIT,   /* the next part is to be sent */
    INFLIGHT_REFUSED, /* permanently, because of error_text */
    INFLIGHT_DONE     /* acknowledged, or reported as refused */
};

struct inflight_message {
    struct window_mark settled; /* all lines before it are in this message or in earlier ones */
    struct span part;           /* what is sent now: all, or a part */
    struct span rest;           /* after the part */
    uint32_t part_max;          /* records in the next part */
    bool is_batch;
    uint64_t sent_ns;    /* clock_monotonic; of its last transmission */
    uint64_t order;      /* of its last transmission */
    uint64_t part_order; /* of the first transmission of the part */
    const char *error_field;
    char *error_text; /* owned; NULL if there is no memory */
    uint64_t error_offset;
    enum inflight_state state;
    bool resent; /* the stream may have it already */
};

struct inflight {
    struct inflight_message *messages; /* a ring, indexed by sequence */
    uint64_t first;                    /* sequences in [first, next) are in flight */
    uint64_t next;
    struct window_mark acknowledged;
    unsigned counts[INFLIGHT_DONE + 1]; /* of messages in flight, by their state */
};

/* Returns false if there is no memory. */
bool inflight_init(struct inflight *f);

void inflight_free(struct inflight *f);

static inline struct inflight_message *inflight_at(const struct inflight *f, uint64_t sequence)
{
    return &f->messages[sequence % INFLIGHT_SIZE];
}

static inline bool inflight_is_open(const struct inflight_message *m)
{
    return m->state != INFLIGHT_DONE && m->state != INFLIGHT_REFUSED;
}

static inline bool inflight_is_empty(const struct inflight *f)
{
    return f->first == f->next;
}

/* Returns whether it is to be looked up if a stream has the subject of the message. */
static inline bool inflight_is_unknown(const struct inflight_message *m)
{
    return m->state == INFLIGHT_UNBOUND || m->state == INFLIGHT_GAP;
}

static inline bool inflight_has_unknown(const struct inflight *f)
{
    return f->counts[INFLIGHT_UNBOUND] || f->counts[INFLIGHT_GAP];
}

/* Returns whether a message has to be resent. */
static inline bool inflight_has_waiting(const struct inflight *f)
{
    return f->counts[INFLIGHT_RETRY] || inflight_has_unknown(f);
}

void inflight_set_state(struct inflight *f, struct inflight_message *m, enum inflight_state state);

/* Ends the part of a message, and the message if there is no other part. Moves `acknowledged` after
 * all messages that have ended. */
void inflight_complete(struct inflight *f, struct inflight_message *m);

/* Keeps a message as refused until inflight_find_refused() returns it. `field` is borrowed. */
void inflight_refuse(struct inflight *f, struct inflight_message *m, const char *field,
                     const char *error_text, uint64_t error_offset);

/* Divides the part, of more than one record, into parts of up to `part_max` records. */
void inflight_split(struct inflight *f, struct inflight_message *m, uint32_t part_max);

/* Returns the first message that was refused, or NULL. */
struct inflight_message *inflight_find_refused(const struct inflight *f);

#endif
