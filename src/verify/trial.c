#include "verify/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exit-status.h"
#include "base/log.h"

enum { BUSY_PERCENT = 90 };

/* Shared with the sending thread; it writes the results before `done_fd` becomes readable. */
struct trial_sender {
    const struct load_config *load;
    struct signals *signals;
    int done_fd;
    struct load_sent sent;
    uint64_t cpu_ns;
    bool ok;
};

static bool trial_open_input(struct trial *t, const char *path)
{
    bool is_stdin = !path || strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    t->input_name = is_stdin ? "stdin" : path;
    t->in.fd = fd;
    if (fd < 0) {
        log_printf("%s: %m", path);
        return false;
    }
    input_init(&t->in, fd);
    if (!t->in.live) {
        log_printf("%s: is a regular file; --find-max reads messages back from a pipe or FIFO",
                   t->input_name);
        return false;
    }
    t->in.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (t->in.wake_fd < 0)
        log_printf("eventfd: %m");
    return t->in.wake_fd >= 0;
}

static void trial_free(struct trial *t)
{
    framer_free(&t->framer);
    if (t->reader)
        reader_destroy(t->reader);
    if (t->in.wake_fd >= 0)
        close(t->in.wake_fd);
    if (t->in.fd > STDIN_FILENO)
        close(t->in.fd);
}

bool trial_open(struct trial *t, const char *input_path, uint64_t stats_interval_ns)
{
    struct reader_config config = {.connection_count = 1, .quiet = true};
    *t = (struct trial){.in = {.wake_fd = -1}};
    framer_init(&t->framer, FRAMING_AUTO, READER_MAX_MESSAGE, false);
    bool ok = trial_open_input(t, input_path) && (t->reader = reader_new(&config)) &&
              signals_open(&t->signals, &t->reader->stats, stats_interval_ns);
    if (!ok)
        trial_free(t);
    return ok;
}

void trial_close(struct trial *t)
{
    signals_close(&t->signals);
    trial_free(t);
}

static void *trial_send_thread(void *argument)
{
    struct trial_sender *s = argument;
    s->ok = load_send(s->load, s->signals, &s->sent);
    s->cpu_ns = clock_read(CLOCK_THREAD_CPUTIME_ID);
    eventfd_write(s->done_fd, 1);
    return NULL;
}

/* A thread that is blocked in a write cannot be joined, so the process ends. */
static _Noreturn void trial_abort(const struct trial_sender *s, const char *error_text)
{
    log_printf("%s: %s", s->load->destination.text, error_text);
    _exit(STATUS_FAILED);
}

static void trial_stop_sender(struct trial *t, const struct trial_sender *s, pthread_t thread,
                              uint64_t timeout_ns)
{
    uint64_t deadline_ns = clock_real() + timeout_ns;
    struct timespec deadline = {(time_t)(deadline_ns / NS_PER_S), (long)(deadline_ns % NS_PER_S)};
    signals_request_stop(&t->signals);
    if (pthread_timedjoin_np(thread, NULL, &deadline) != 0)
        trial_abort(s, "receiver accepts no more data");
}

static int trial_timeout_ms(uint64_t deadline_ns)
{
    uint64_t now = clock_monotonic();
    uint64_t ms = deadline_ns > now ? (deadline_ns - now) / 1000000 + 1 : 0;
    return ms < INT32_MAX ? (int)ms : INT32_MAX;
}

/* Reads during and after the run, and joins the sending thread. */
static bool trial_read_back(struct trial *t, struct trial_sender *s, pthread_t thread,
                            uint64_t idle_timeout_ns)
{
    const struct verify_report *report = &t->reader->report;
    bool sending = true;
    uint64_t last_data_ns =
        clock_monotonic() + s->load->duration_ns + s->load->destination.connect_timeout_ns;
    for (int timeout_ms; (timeout_ms = trial_timeout_ms(last_data_ns + idle_timeout_ns)) > 0;) {
        bool complete = !sending && verify_report_count_distinct(report) >= s->sent.generated;
        uint64_t received = report->received;
        eventfd_t done;
        /* With all messages received, only data that has arrived by now is read: duplicates. */
        enum input_state state = input_wait(&t->in, &t->signals, framer_mid_message(&t->framer),
                                            complete ? 0 : timeout_ms);
        bool stopped = signals_stopping(&t->signals);
        if (stopped || (state == INPUT_READY &&
                        !reader_read_block(t->reader, &t->in, &t->framer, t->input_name))) {
            if (sending)
                trial_stop_sender(t, s, thread, idle_timeout_ns);
            if (!stopped && s->ok)
                log_printf("%s: unexpected end of input; has the receiver exited?", t->input_name);
            return false;
        }
        bool sent = sending && state == INPUT_IDLE && eventfd_read(s->done_fd, &done) == 0;
        if (sent) {
            sending = false;
            pthread_join(thread, NULL);
            if (!s->ok)
                return false;
        } else if (complete && state == INPUT_IDLE) {
            return true;
        }
        uint64_t now = clock_monotonic();
        if (sent || (report->received > received && now > last_data_ns))
            last_data_ns = now;
    }
    if (sending)
        trial_abort(s, "receiver accepts no more data, and no messages come back");
    return true;
}

static bool trial_is_busy(uint64_t cpu_ns, uint64_t elapsed_ns)
{
    return cpu_ns > elapsed_ns / 100 * BUSY_PERCENT;
}

bool trial_run(struct trial *t, const struct load_config *load, uint64_t idle_timeout_ns,
               struct trial_result *result)
{
    struct trial_sender s = {.load = load, .signals = &t->signals, .done_fd = t->in.wake_fd};
    const struct verify_report *report = &t->reader->report;
    pthread_t thread;
    uint64_t start_ns = clock_monotonic();
    uint64_t cpu_ns = clock_read(CLOCK_THREAD_CPUTIME_ID);
    reader_start_run(t->reader, load->message.run);
    errno = pthread_create(&thread, NULL, trial_send_thread, &s);
    if (errno) {
        log_printf("thread: %m");
        return false;
    }
    if (!trial_read_back(t, &s, thread, idle_timeout_ns))
        return false;
    cpu_ns = clock_read(CLOCK_THREAD_CPUTIME_ID) - cpu_ns;
    uint64_t arrived = verify_report_count_distinct(report);
    *result = (struct trial_result){
        .sent = s.sent.generated,
        .lost = s.sent.generated > arrived ? s.sent.generated - arrived : 0,
        .duplicated = report->duplicated,
        .damaged = report->damaged,
        .p50_us = histogram_percentile(&report->latency, 50),
        .p99_us = histogram_percentile(&report->latency, 99),
        .max_us = histogram_max(&report->latency),
        .lag_ns = s.sent.min_lag_ns,
        .sender_busy = trial_is_busy(s.cpu_ns, load->duration_ns + s.sent.min_lag_ns),
        .reader_busy = trial_is_busy(cpu_ns, clock_monotonic() - start_ns)};
    return true;
}
