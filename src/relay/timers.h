#ifndef SHNEK_RELAY_TIMERS_H
#define SHNEK_RELAY_TIMERS_H

#include <stddef.h>
#include <stdint.h>

/* A place in a queue of deadlines; all zero is in none. */
struct deadline {
    struct deadline *previous;
    struct deadline *next;
    uint64_t at; /* clock_monotonic */
};

/* Deadlines that all lie equally far from when they were set, so that the oldest is the next. */
struct deadlines {
    struct deadline ends; /* next: the first, previous: the last */
    uint64_t duration;    /* nanoseconds */
};

static inline void deadlines_start(struct deadlines *q, uint64_t duration)
{
    q->duration = duration;
    q->ends.next = q->ends.previous = &q->ends;
}

static inline void deadline_clear(struct deadline *d)
{
    if (!d->next)
        return;
    d->previous->next = d->next;
    d->next->previous = d->previous;
    d->next = d->previous = NULL;
}

/* Sets it, or sets it anew. */
static inline void deadline_set(struct deadlines *q, struct deadline *d, uint64_t now)
{
    deadline_clear(d);
    d->at = now + q->duration;
    d->next = &q->ends;
    d->previous = q->ends.previous;
    d->previous->next = d;
    q->ends.previous = d;
}

/* The first whose time has come, or NULL. */
static inline struct deadline *deadlines_passed(const struct deadlines *q, uint64_t now)
{
    struct deadline *first = q->ends.next;
    return first != &q->ends && first->at <= now ? first : NULL;
}

/* Nanoseconds to the first; UINT64_MAX where there is none. */
static inline uint64_t deadlines_left(const struct deadlines *q, uint64_t now)
{
    const struct deadline *first = q->ends.next;
    if (first == &q->ends)
        return UINT64_MAX;
    return first->at > now ? first->at - now : 0;
}

#endif
