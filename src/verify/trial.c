#include "verify/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exit-status.h"
#include "base/log.h"

enum { BUSY = 90 /* percent of the time */ };

/* What the thread that sends is given and gives. */
struct sending {
    const struct load_config *load;
    struct signals *signals;
    int ended_fd; /* readable once it has ended */
    struct load_sent sent;
    uint64_t cpu; /* nanoseconds */
    bool good;
};

static bool open_far_end(struct round_trip *r, const char *path)
{
    bool from_stdin = !path || strcmp(path, "-") == 0;
    int fd = from_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    r->name = from_stdin ? "stdin" : path;
    r->in.fd = fd;
    if (fd < 0) {
        log_printf("%s: %m", path);
        return false;
    }
    input_init(&r->in, fd);
    if (!r->in.live) {
        log_printf("%s: it is a file, and nothing can come back there", r->name);
        return false;
    }
    r->in.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (r->in.wake_fd < 0)
        log_printf("eventfd: %m");
    return r->in.wake_fd >= 0;
}

static void free_all(struct round_trip *r)
{
    framer_free(&r->framer);
    if (r->verify)
        verify_free(r->verify);
    if (r->in.wake_fd >= 0)
        close(r->in.wake_fd);
    if (r->in.fd > STDIN_FILENO)
        close(r->in.fd);
}

bool round_trip_start(struct round_trip *r, const char *far_end, uint64_t stats_interval)
{
    *r = (struct round_trip){.verify_config = {.quiet = true, .connections = 1},
                             .in = {.wake_fd = -1}};
    framer_init(&r->framer, FRAMING_AUTO, VERIFY_LINE_MAX, false);
    bool good = open_far_end(r, far_end) && (r->verify = verify_new(&r->verify_config)) &&
                signals_open(&r->signals, verify_stats(r->verify), stats_interval);
    if (!good)
        free_all(r);
    return good;
}

void round_trip_end(struct round_trip *r)
{
    signals_close(&r->signals);
    free_all(r);
}

static void *send_run(void *argument)
{
    struct sending *s = argument;
    s->good = load_send(s->load, s->signals, &s->sent);
    s->cpu = clock_read(CLOCK_THREAD_CPUTIME_ID);
    eventfd_write(s->ended_fd, 1);
    return NULL;
}

/* A thread that is stuck in a write nobody can join. */
static _Noreturn void give_up(const struct sending *s, const char *why)
{
    log_printf("%s: %s", s->load->destination.text, why);
    _exit(STATUS_FAILED);
}

/* Ends the sending before its time. */
static void cut_short(struct round_trip *r, const struct sending *s, pthread_t thread,
                      uint64_t idle)
{
    uint64_t until = clock_real() + idle;
    struct timespec at = {(time_t)(until / NS_PER_S), (long)(until % NS_PER_S)};
    signals_request_stop(&r->signals);
    if (pthread_timedjoin_np(thread, NULL, &at) != 0)
        give_up(s, "it takes no more");
}

static uint64_t came(const struct findings *f)
{
    return f->received - f->duplicated;
}

/* Milliseconds. */
static int left(uint64_t until)
{
    uint64_t now = clock_monotonic();
    uint64_t ms = until > now ? (until - now) / 1000000 + 1 : 0;
    return ms < INT32_MAX ? (int)ms : INT32_MAX;
}

/* While it is sent; its thread is joined then. False where it failed or was interrupted. */
static bool read_back(struct round_trip *r, struct sending *s, pthread_t thread, uint64_t idle,
                      const struct findings *f)
{
    bool sending = true;
    uint64_t heard =
        clock_monotonic() + s->load->duration_ns + s->load->destination.connect_timeout_ns;
    for (int wait; (wait = left(heard + idle)) > 0;) {
        bool all = !sending && came(f) >= s->sent.generated;
        uint64_t received = f->received;
        eventfd_t ends;
        enum input_state state =
            input_wait(&r->in, &r->signals, framer_mid_message(&r->framer), all ? 0 : wait);
        bool stopped = signals_stopping(&r->signals);
        if (stopped ||
            (state == INPUT_READY && !verify_block(r->verify, &r->in, &r->framer, r->name))) {
            if (sending)
                cut_short(r, s, thread, idle);
            if (!stopped && s->good)
                log_printf("%s: it has ended, and the receiver with it", r->name);
            return false;
        }
        bool ended = sending && state == INPUT_IDLE && eventfd_read(s->ended_fd, &ends) == 0;
        if (ended) {
            sending = false;
            pthread_join(thread, NULL);
            if (!s->good)
                return false;
        } else if (all && state == INPUT_IDLE) {
            return true;
        }
        uint64_t now = clock_monotonic();
        if (ended || (f->received > received && now > heard))
            heard = now;
    }
    if (sending)
        give_up(s, "it takes no more, and nothing comes back");
    return true;
}

static bool is_busy(uint64_t cpu, uint64_t took)
{
    return cpu > took / 100 * BUSY;
}

bool round_trip_send(struct round_trip *r, const struct load_config *load, uint64_t idle,
                     struct trip *trip)
{
    struct sending s = {.load = load, .signals = &r->signals, .ended_fd = r->in.wake_fd};
    const struct findings *f = verify_only(r->verify, load->message.run);
    pthread_t thread;
    uint64_t start = clock_monotonic();
    uint64_t cpu = clock_read(CLOCK_THREAD_CPUTIME_ID);
    errno = pthread_create(&thread, NULL, send_run, &s);
    if (errno) {
        log_printf("thread: %m");
        return false;
    }
    if (!read_back(r, &s, thread, idle, f))
        return false;
    cpu = clock_read(CLOCK_THREAD_CPUTIME_ID) - cpu;
    uint64_t took = load->duration_ns + s.sent.min_lag_ns;
    *trip = (struct trip){.made = s.sent.generated,
                          .lost = s.sent.generated - came(f),
                          .duplicated = f->duplicated,
                          .damaged = f->damaged,
                          .p50 = histogram_percentile(&f->latency, 50),
                          .p99 = histogram_percentile(&f->latency, 99),
                          .max = histogram_greatest(&f->latency),
                          .behind = s.sent.min_lag_ns,
                          .sender_busy = is_busy(s.cpu, took),
                          .reader_busy = is_busy(cpu, clock_monotonic() - start)};
    return true;
}
