#include "base/signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exit-status.h"
#include "base/log.h"

/* timeout(1) signals the process and then its group, so one signal arrives twice. */
static const uint64_t duplicate_window_ns = NS_PER_S / 10;

static sigset_t signals_handled_set(const struct signals *s)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGUSR1);
    if (s->handle_hangup)
        sigaddset(&set, SIGHUP);
    return set;
}

static void signals_stop(struct signals *s)
{
    uint64_t now = clock_monotonic();
    bool first = !atomic_exchange(&s->stopping, true);
    const char *reason = first ? atomic_load(&s->immediate_reason) : "stopped by a second signal";
    if (first && !reason) {
        s->stopped_ns = now;
        eventfd_write(s->stop_fd, 1);
    } else if (first || now - s->stopped_ns > duplicate_window_ns) {
        log_try("%s", reason);
        if (s->on_abort)
            s->on_abort(s->abort_argument);
        if (!first || s->interval_ns)
            stats_print(s->stats, STATS_ABORT);
        _exit(STATUS_FAILED);
    }
}

/* Waits for a signal. Returns 0 if the next line of counters is due first. */
static int signals_next(const struct signals *s, uint64_t due_ns)
{
    sigset_t set = signals_handled_set(s);
    if (s->interval_ns == 0)
        return sigwaitinfo(&set, NULL);
    uint64_t now_ns = clock_monotonic();
    uint64_t left_ns = due_ns > now_ns ? due_ns - now_ns : 0;
    struct timespec wait = {(time_t)(left_ns / NS_PER_S), (long)(left_ns % NS_PER_S)};
    int signal = sigtimedwait(&set, NULL, &wait);
    return signal < 0 && errno == EAGAIN ? 0 : signal;
}

static void *signals_run(void *argument)
{
    struct signals *s = argument;
    uint64_t due_ns = clock_monotonic() + s->interval_ns;
    for (;;) {
        int signal = signals_next(s, due_ns);
        if (atomic_load(&s->ending))
            return NULL;
        if (signal == SIGTERM || signal == SIGINT)
            signals_stop(s);
        else if (signal == SIGHUP)
            eventfd_write(s->hangup_fd, 1);
        else if (signal == SIGUSR1)
            stats_print(s->stats, STATS_TOTAL);
        else if (signal == 0) {
            stats_print(s->stats, STATS_INTERVAL);
            uint64_t now_ns = clock_monotonic();
            due_ns = due_ns + s->interval_ns > now_ns ? due_ns + s->interval_ns
                                                      : now_ns + s->interval_ns;
        }
    }
}

bool signals_open(struct signals *s, struct stats *stats, uint64_t interval_ns)
{
    s->stats = stats;
    s->interval_ns = interval_ns;
    atomic_init(&s->stopping, false);
    atomic_init(&s->ending, false);
    stats_init(stats);
    sigset_t set = signals_handled_set(s);
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
