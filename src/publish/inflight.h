#ifndef SHNEK_PUBLISH_INFLIGHT_H
#define SHNEK_PUBLISH_INFLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "publish/window.h"

/* The messages that were sent to a stream and not yet acknowledged, in the order of their lines. */

enum { INFLIGHT_MAX = 16 * 1024 };

enum inflight_state {
    INFLIGHT_SENT,
    INFLIGHT_RETRY,   /* to be resent */
    INFLIGHT_UNBOUND, /* the same; no stream may have the subject */
    INFLIGHT_REFUSED, /* permanently, because of error_text */
    INFLIGHT_DONE     /* acknowledged, or reported as refused */
};

struct inflight_message {
    struct window_mark end; /* of its line */
    uint64_t offset;        /* of its line */
    uint64_t sent_ns;       /* clock_monotonic; of its last transmission */
    uint64_t order;         /* of its last transmission */
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
    return &f->messages[sequence % INFLIGHT_MAX];
}

static inline bool inflight_is_open(const struct inflight_message *m)
{
    return m->state != INFLIGHT_DONE && m->state != INFLIGHT_REFUSED;
}

static inline bool inflight_is_empty(const struct inflight *f)
{
    return f->first == f->next;
}

/* Returns whether a message has to be resent. */
static inline bool inflight_has_waiting(const struct inflight *f)
{
    return f->counts[INFLIGHT_RETRY] || f->counts[INFLIGHT_UNBOUND];
}

void inflight_set_state(struct inflight *f, struct inflight_message *m, enum inflight_state state);

/* Ends a message, and moves `acknowledged` after all messages that have ended. */
void inflight_complete(struct inflight *f, struct inflight_message *m);

/* Keeps a message as refused until inflight_find_refused() returns it. `field` is borrowed. */
void inflight_refuse(struct inflight *f, struct inflight_message *m, const char *field,
                     const char *error_text, uint64_t error_offset);

/* Returns the first message that was refused, or NULL. */
struct inflight_message *inflight_find_refused(const struct inflight *f);

#endif
