#ifndef SHNEK_BASE_SIGNALS_H
#define SHNEK_BASE_SIGNALS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/exit-status.h"
#include "base/stats.h"

/*
 * A thread that takes the signals and prints the counters, so that both work while the rest of the
 * program is blocked in a write. The first SIGTERM or SIGINT asks for a drain, a second one, a
 * tenth of a second later or more, ends the process with STATUS_FAILED. SIGUSR1 prints a line of
 * counters. SIGHUP, where it is taken, makes hangup_fd readable. SIGPIPE is ignored.
 */
struct signals {
    struct stats *stats;
    uint64_t interval_ns;     /* nanoseconds between lines of counters, 0: none */
    void (*on_abort)(void *); /* what to do before a second signal ends it; NULL: nothing */
    void *abort_argument;
    _Atomic(const char *)
        immediate_reason; /* not NULL: the first one ends it, too, and this says why */
    bool handle_hangup;
    int stop_fd;   /* readable once a drain is asked for */
    int hangup_fd; /* an eventfd; -1 where SIGHUP is not taken */
    atomic_bool stopping;
    atomic_bool ending;
    uint64_t stopped_at; /* clock_monotonic */
    pthread_t thread;
};

/* To be called before any other thread is started: they inherit the blocked signals. */
bool signals_open(struct signals *s, struct stats *stats, uint64_t interval);

/* Ends the thread; the last line of counters is printed where an interval was asked for. */
void signals_close(struct signals *s);

/* Asks for a drain, as the first signal does. Another thread may be told so of its end. */
void signals_request_stop(struct signals *s);

static inline bool signals_stopping(struct signals *s)
{
    return atomic_load_explicit(&s->stopping, memory_order_relaxed);
}

#endif
