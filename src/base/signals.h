#ifndef SHNEK_BASE_SIGNALS_H
#define SHNEK_BASE_SIGNALS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/exit-status.h"
#include "base/stats.h"

/*
 * A thread that handles signals and prints the counters, also while the rest of the program is
 * blocked in a write. The first SIGTERM or SIGINT requests a drain; a second one at least 100 ms
 * later, or the shutdown timeout, calls on_abort and ends the process with STATUS_FAILED. If that
 * is not done within the abort timeout, or a third signal arrives, the process ends without it.
 * SIGUSR1 prints a line of counters. SIGHUP is reported by hangup_fd until signals_take_hangup() if
 * handle_hangup is set; otherwise it is only logged. SIGPIPE and SIGXFSZ are ignored. The service
 * manager is notified of a drain and of how long it may last.
 */
struct signals {
    struct stats *stats;
    uint64_t interval_ns;         /* between lines of counters, 0 for none */
    uint64_t shutdown_timeout_ns; /* from the first signal, 0 for none */
    uint64_t abort_timeout_ns;    /* for on_abort, 0 for five seconds */
    void (*on_drain)(void *);     /* called by this thread after the first signal, may be NULL */
    void (*on_hangup)(void *);    /* called by this thread after SIGHUP, may be NULL */
    void (*on_abort)(void *);     /* called before an immediate exit in a thread, may be NULL */
    void *argument;               /* passed to these */
    _Atomic(const char *)
        immediate_reason; /* if set, the first signal ends the process and logs it */
    bool handle_hangup;   /* the owner handles SIGHUP */
    int stop_fd;          /* eventfd, readable once a drain is requested */
    int hangup_fd;        /* eventfd, -1 unless handle_hangup */
    atomic_bool stopping;
    atomic_bool ending;
    atomic_bool hangup;  /* not yet taken */
    uint64_t stopped_ns; /* clock_monotonic() of the last signal that stops, 0 for none */
    pthread_t thread;
};

/* Starts the thread. Must be called before any other thread is created, because they inherit the
 * blocked signals. Returns false and logs the reason on failure. */
bool signals_open(struct signals *s, struct stats *stats, uint64_t interval_ns);

/* Ends the thread, and prints the totals if interval_ns is set. */
void signals_close(struct signals *s);

/* Requests a drain, as the first signal does. May be called from any thread. */
void signals_request_stop(struct signals *s);

/* Returns whether SIGHUP has arrived since the last call. Cheap enough for each read. */
bool signals_take_hangup(struct signals *s);

/* Whether a drain was requested. */
static inline bool signals_stopping(struct signals *s)
{
    return atomic_load_explicit(&s->stopping, memory_order_relaxed);
}

#endif
