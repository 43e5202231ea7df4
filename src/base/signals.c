#include "base/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exit-status.h"
#include "base/log.h"
#include "base/service.h"

/* timeout(1) signals the process and then its group, so one signal arrives twice. */
static const uint64_t duplicate_window_ns = NS_PER_S / 10;

static const uint64_t default_abort_timeout_ns = 5 * NS_PER_S;

/* To exit after the drain or the abort. */
static const uint64_t exit_timeout_ns = 5 * NS_PER_S;

static sigset_t signals_handled_set(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGHUP);
    return set;
}

static void *signals_write_abort(void *argument)
{
    struct signals *s = argument;
    if (s->on_abort)
        s->on_abort(s->argument);
    if (!atomic_load(&s->immediate_reason) || s->interval_ns)
        stats_print(s->stats, STATS_ABORT);
    _exit(STATUS_FAILED);
}

/* Waits for a signal until a time of clock_monotonic(), 0 for none. Returns 0 if it has come. */
static int signals_wait(uint64_t until_ns)
{
    sigset_t set = signals_handled_set();
    if (until_ns == 0)
        return sigwaitinfo(&set, NULL);
    uint64_t now_ns = clock_monotonic();
    uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
    struct timespec wait = {(time_t)(left_ns / NS_PER_S), (long)(left_ns % NS_PER_S)};
    int signal = sigtimedwait(&set, NULL, &wait);
    return signal < 0 && errno == EAGAIN ? 0 : signal;
}

static bool signals_is_stop(int signal)
{
    return signal == SIGTERM || signal == SIGINT;
}

static uint64_t signals_abort_timeout_ns(const struct signals *s)
{
    return s->abort_timeout_ns ? s->abort_timeout_ns : default_abort_timeout_ns;
}

/* Ends the process. What on_abort writes to may be blocked, so it has a thread of its own and a
 * deadline, and another signal ends it. */
static void signals_abort(struct signals *s, const char *reason)
{
    pthread_t thread;
    uint64_t now_ns = clock_monotonic();
    uint64_t deadline_ns = now_ns + signals_abort_timeout_ns(s);
    bool again = false;
    log_try("%s", reason);
    s->stopped_ns = now_ns;
    if (!s->on_abort || pthread_create(&thread, NULL, signals_write_abort, s) != 0)
        signals_write_abort(s);
    while (!again && now_ns < deadline_ns) {
        again = signals_is_stop(signals_wait(deadline_ns));
        now_ns = clock_monotonic();
        again = again && now_ns - s->stopped_ns > duplicate_window_ns;
    }
    log_try("%s before all output was written", again ? "stopped by a third signal" : "stopped");
    _exit(STATUS_FAILED);
}

static void signals_start_drain(struct signals *s)
{
    uint64_t limit_ns = s->shutdown_timeout_ns;
    eventfd_write(s->stop_fd, 1);
    service_notify_stopping(limit_ns ? limit_ns + signals_abort_timeout_ns(s) + exit_timeout_ns
                                     : 0);
    if (s->on_drain)
        s->on_drain(s->argument);
}

static void signals_stop(struct signals *s)
{
    uint64_t now = clock_monotonic();
    bool first = !atomic_exchange(&s->stopping, true);
    const char *reason = first ? atomic_load(&s->immediate_reason) : "stopped by a second signal";
    if (first && !reason) {
        s->stopped_ns = now;
        signals_start_drain(s);
    } else if (first || now - s->stopped_ns > duplicate_window_ns) {
        signals_abort(s, reason);
    }
}

/* In this order, because a descriptor that stays readable without the flag would end every wait. */
static void signals_hang_up(struct signals *s)
{
    if (!s->handle_hangup) {
        log_warning("SIGHUP ignored; there is nothing to reload");
        return;
    }
    if (s->on_hangup)
        s->on_hangup(s->argument);
    eventfd_write(s->hangup_fd, 1);
    atomic_store(&s->hangup, true);
}

bool signals_take_hangup(struct signals *s)
{
    eventfd_t count;
    if (!atomic_load_explicit(&s->hangup, memory_order_relaxed))
        return false;
    atomic_store(&s->hangup, false);
    eventfd_read(s->hangup_fd, &count);
    return true;
}

/* The time at which the drain must be complete, 0 for none. */
static uint64_t signals_deadline_ns(const struct signals *s)
{
    return s->stopped_ns && s->shutdown_timeout_ns ? s->stopped_ns + s->shutdown_timeout_ns : 0;
}

static void signals_check_deadline(struct signals *s)
{
    char reason[80];
    uint64_t deadline_ns = signals_deadline_ns(s);
    if (!deadline_ns || clock_monotonic() < deadline_ns)
        return;
    snprintf(reason, sizeof reason, "not drained within %g s (--shutdown-timeout), stopped",
             (double)s->shutdown_timeout_ns / (double)NS_PER_S);
    signals_abort(s, reason);
}

/* Waits for a signal. Returns 0 if a line of counters or the end of the drain is due first. */
static int signals_next(const struct signals *s, uint64_t due_ns)
{
    uint64_t deadline_ns = signals_deadline_ns(s);
    if (!s->interval_ns || (deadline_ns && deadline_ns < due_ns))
        due_ns = deadline_ns;
    return signals_wait(due_ns);
}

/* Prints the line of counters that is due and returns when the next one is. */
static uint64_t signals_print_interval(struct signals *s, uint64_t due_ns)
{
    uint64_t now_ns = clock_monotonic();
    if (!s->interval_ns || now_ns < due_ns)
        return due_ns;
    stats_print(s->stats, STATS_INTERVAL);
    now_ns = clock_monotonic();
    return due_ns + s->interval_ns > now_ns ? due_ns + s->interval_ns : now_ns + s->interval_ns;
}

static void *signals_run(void *argument)
{
    struct signals *s = argument;
    uint64_t due_ns = clock_monotonic() + s->interval_ns;
    for (;;) {
        int signal = signals_next(s, due_ns);
        if (atomic_load(&s->ending))
            return NULL;
        if (signals_is_stop(signal))
            signals_stop(s);
        else if (signal == SIGHUP)
            signals_hang_up(s);
        else if (signal == SIGUSR1)
            stats_print(s->stats, STATS_TOTAL);
        else if (signal == 0)
            due_ns = signals_print_interval(s, due_ns);
        signals_check_deadline(s);
    }
}

bool signals_open(struct signals *s, struct stats *stats, uint64_t interval_ns)
{
    s->stats = stats;
    s->interval_ns = interval_ns;
    atomic_init(&s->stopping, false);
    atomic_init(&s->ending, false);
    atomic_init(&s->hangup, false);
    s->stopped_ns = 0;
    stats_init(stats);
    sigset_t set = signals_handled_set();
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGXFSZ, SIG_IGN); /* write(2) fails with EFBIG, which is logged */
    s->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    s->hangup_fd = s->handle_hangup ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : -1;
    if (s->stop_fd < 0 || (s->handle_hangup && s->hangup_fd < 0)) {
        log_printf("eventfd: %m");
        return false;
    }
    errno = pthread_create(&s->thread, NULL, signals_run, s);
    if (errno)
        log_printf("thread: %m");
    return errno == 0;
}

void signals_request_stop(struct signals *s)
{
    atomic_store(&s->stopping, true);
    eventfd_write(s->stop_fd, 1);
}

void signals_close(struct signals *s)
{
    atomic_store(&s->ending, true);
    pthread_kill(s->thread, SIGUSR1);
    pthread_join(s->thread, NULL);
    close(s->stop_fd);
    if (s->hangup_fd >= 0)
        close(s->hangup_fd);
    log_status_end();
    if (s->interval_ns)
        stats_print(s->stats, STATS_TOTAL);
}
