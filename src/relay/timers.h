#ifndef SHNEK_RELAY_TIMERS_H
#define SHNEK_RELAY_TIMERS_H

#include <stddef.h>
#include <stdint.h>

/* A node in a timer queue. All zero means that it is not armed. */
struct timer {
    struct timer *previous;
    struct timer *next;
    uint64_t deadline_ns; /* clock_monotonic */
};

/* Timers of one duration, so that the order in which they were armed is that of their deadlines. */
struct timer_queue {
    struct timer head; /* next: the first timer, previous: the last one */
    uint64_t duration_ns;
};

static inline void timer_queue_init(struct timer_queue *q, uint64_t duration_ns)
{
    q->duration_ns = duration_ns;
    q->head.next = q->head.previous = &q->head;
}

static inline void timer_disarm(struct timer *t)
{
    if (!t->next)
        return;
    t->previous->next = t->next;
    t->next->previous = t->previous;
    t->next = t->previous = NULL;
}

/* Arms or rearms a timer, which may be in another queue. */
static inline void timer_arm(struct timer_queue *q, struct timer *t, uint64_t now_ns)
{
    timer_disarm(t);
    t->deadline_ns = now_ns + q->duration_ns;
    t->next = &q->head;
    t->previous = q->head.previous;
    t->previous->next = t;
    q->head.previous = t;
}

/* Returns the first timer that has expired, or NULL. */
static inline struct timer *timer_queue_expired(const struct timer_queue *q, uint64_t now_ns)
{
    struct timer *first = q->head.next;
    return first != &q->head && first->deadline_ns <= now_ns ? first : NULL;
}

/* Returns the time to the first deadline in ns, or UINT64_MAX if no timer is armed. */
static inline uint64_t timer_queue_remaining_ns(const struct timer_queue *q, uint64_t now_ns)
{
    const struct timer *first = q->head.next;
    if (first == &q->head)
        return UINT64_MAX;
    return first->deadline_ns > now_ns ? first->deadline_ns - now_ns : 0;
}

#endif
