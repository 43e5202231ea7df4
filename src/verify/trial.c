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
struct trial_sender {
    const struct load_config *load;
    struct signals *signals;
    int done_fd; /* readable once it has ended */
    struct load_sent sent;
    uint64_t cpu_ns; /* nanoseconds */
    bool ok;
};

static bool trial_open_input(struct trial *r, const char *path)
{
    bool from_stdin = !path || strcmp(path, "-") == 0;
    int fd = from_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    r->input_name = from_stdin ? "stdin" : path;
    r->in.fd = fd;
    if (fd < 0) {
        log_printf("%s: %m", path);
        return false;
    }
    input_init(&r->in, fd);
    if (!r->in.live) {
        log_printf("%s: it is a file, and nothing can come back there", r->input_name);
        return false;
    }
    r->in.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (r->in.wake_fd < 0)
        log_printf("eventfd: %m");
    return r->in.wake_fd >= 0;
}

static void trial_free(struct trial *r)
{
    framer_free(&r->framer);
    if (r->verify)
        verify_destroy(r->verify);
    if (r->in.wake_fd >= 0)
        close(r->in.wake_fd);
    if (r->in.fd > STDIN_FILENO)
        close(r->in.fd);
}

bool trial_open(struct trial *r, const char *far_end, uint64_t stats_interval)
{
    *r = (struct trial){.verify_config = {.quiet = true, .connection_count = 1},
                        .in = {.wake_fd = -1}};
    framer_init(&r->framer, FRAMING_AUTO, VERIFY_LINE_MAX, false);
    bool good = trial_open_input(r, far_end) && (r->verify = verify_new(&r->verify_config)) &&
                signals_open(&r->signals, verify_stats(r->verify), stats_interval);
    if (!good)
        trial_free(r);
    return good;
}

void trial_close(struct trial *r)
{
    signals_close(&r->signals);
    trial_free(r);
}

static void *trial_send_thread(void *argument)
{
    struct trial_sender *s = argument;
    s->ok = load_send(s->load, s->signals, &s->sent);
    s->cpu_ns = clock_read(CLOCK_THREAD_CPUTIME_ID);
    eventfd_write(s->done_fd, 1);
    return NULL;
}

/* A thread that is stuck in a write nobody can join. */
static _Noreturn void trial_abort(const struct trial_sender *s, const char *why)
{
    log_printf("%s: %s", s->load->destination.text, why);
    _exit(STATUS_FAILED);
}

/* Ends the sending before its time. */
static void trial_stop_sender(struct trial *r, const struct trial_sender *s, pthread_t thread,
                              uint64_t idle)
{
    uint64_t until = clock_real() + idle;
    struct timespec at = {(time_t)(until / NS_PER_S), (long)(until % NS_PER_S)};
    signals_request_stop(&r->signals);
    if (pthread_timedjoin_np(thread, NULL, &at) != 0)
        trial_abort(s, "it takes no more");
}

static uint64_t report_count_distinct(const struct verify_report *f)
{
    return f->received - f->duplicated;
}

/* Milliseconds. */
static int timeout_ms_until(uint64_t until)
{
    uint64_t now = clock_monotonic();
    uint64_t ms = until > now ? (until - now) / 1000000 + 1 : 0;
    return ms < INT32_MAX ? (int)ms : INT32_MAX;
}

/* While it is sent; its thread is joined then. False where it failed or was interrupted. */
static bool trial_read_back(struct trial *r, struct trial_sender *s, pthread_t thread,
                            uint64_t idle, const struct verify_report *f)
{
    bool sending = true;
    uint64_t heard =
        clock_monotonic() + s->load->duration_ns + s->load->destination.connect_timeout_ns;
    for (int wait; (wait = timeout_ms_until(heard + idle)) > 0;) {
        bool all = !sending && report_count_distinct(f) >= s->sent.generated;
        uint64_t received = f->received;
        eventfd_t ends;
        enum input_state state =
            input_wait(&r->in, &r->signals, framer_mid_message(&r->framer), all ? 0 : wait);
        bool stopped = signals_stopping(&r->signals);
        if (stopped || (state == INPUT_READY &&
                        !verify_read_block(r->verify, &r->in, &r->framer, r->input_name))) {
            if (sending)
                trial_stop_sender(r, s, thread, idle);
            if (!stopped && s->ok)
                log_printf("%s: it has ended, and the receiver with it", r->input_name);
            return false;
        }
        bool ended = sending && state == INPUT_IDLE && eventfd_read(s->done_fd, &ends) == 0;
        if (ended) {
            sending = false;
            pthread_join(thread, NULL);
            if (!s->ok)
                return false;
        } else if (all && state == INPUT_IDLE) {
            return true;
        }
        uint64_t now = clock_monotonic();
        if (ended || (f->received > received && now > heard))
            heard = now;
    }
    if (sending)
        trial_abort(s, "it takes no more, and nothing comes back");
    return true;
}

static bool cpu_is_busy(uint64_t cpu, uint64_t took)
{
    return cpu > took / 100 * BUSY;
}

bool trial_run(struct trial *r, const struct load_config *load, uint64_t idle,
               struct trial_result *trip)
{
    struct trial_sender s = {.load = load, .signals = &r->signals, .done_fd = r->in.wake_fd};
    const struct verify_report *f = verify_start_run(r->verify, load->message.run);
    pthread_t thread;
    uint64_t start = clock_monotonic();
    uint64_t cpu = clock_read(CLOCK_THREAD_CPUTIME_ID);
    errno = pthread_create(&thread, NULL, trial_send_thread, &s);
    if (errno) {
        log_printf("thread: %m");
        return false;
    }
    if (!trial_read_back(r, &s, thread, idle, f))
        return false;
    cpu = clock_read(CLOCK_THREAD_CPUTIME_ID) - cpu;
    uint64_t took = load->duration_ns + s.sent.min_lag_ns;
    *trip = (struct trial_result){.sent = s.sent.generated,
                                  .lost = s.sent.generated - report_count_distinct(f),
                                  .duplicated = f->duplicated,
                                  .damaged = f->damaged,
                                  .p50_us = histogram_percentile(&f->latency, 50),
                                  .p99_us = histogram_percentile(&f->latency, 99),
                                  .max_us = histogram_max(&f->latency),
                                  .lag_ns = s.sent.min_lag_ns,
                                  .sender_busy = cpu_is_busy(s.cpu_ns, took),
                                  .reader_busy = cpu_is_busy(cpu, clock_monotonic() - start)};
    return true;
}
