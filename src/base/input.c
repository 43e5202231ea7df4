#include "base/input.h"

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

static const uint64_t drain_grace_ns = NS_PER_S;

void input_init(struct input *in, int fd)
{
    struct stat s;
    *in = (struct input){.fd = fd, .wake_fd = -1};
    in->live = fstat(fd, &s) != 0 || !S_ISREG(s.st_mode);
}

void input_limit(struct input *in)
{
    int available = 0;
    if (in->live && ioctl(in->fd, FIONREAD, &available) == 0 && available > 0)
        in->quota = (size_t)available;
    in->limited = true;
}

bool input_drained(const struct input *in, bool mid_message)
{
    return in->limited && in->quota == 0 && !mid_message;
}

static void input_start_drain(struct input *in)
{
    in->draining = true;
    in->deadline_ns = clock_monotonic() + drain_grace_ns;
    if (!in->live || isatty(in->fd))
        input_limit(in);
}

/* Returns 0 if the deadline has passed. */
static int input_grace_left_ms(const struct input *in)
{
    uint64_t now = clock_monotonic();
    return now < in->deadline_ns ? (int)((in->deadline_ns - now) / 1000000) + 1 : 0;
}

/* Returns false if the failure is permanent. */
static bool input_retry_poll(struct input *in)
{
    if (errno == EINTR)
        return true;
    if (retry_note(&in->retry))
        log_warning("poll: %m; retrying");
    retry_sleep();
    in->error = retry_is_over(&in->retry) ? errno : 0;
    return !in->error;
}

enum input_state input_wait(struct input *in, struct signals *signals, bool mid_message,
                            int timeout_ms)
{
    for (;;) {
        if (!in->draining && signals_stopping(signals))
            input_start_drain(in);
        if (input_drained(in, mid_message))
            return INPUT_ENDED;
        int poll_timeout_ms = timeout_ms;
        if (in->draining && !in->paused && in->quota == 0 && input_grace_left_ms(in) == 0) {
            if (in->limited)
                return INPUT_ENDED;
            input_limit(in);
            in->deadline_ns = clock_monotonic() + drain_grace_ns;
            continue;
        }
        if (in->draining && !in->paused && in->quota == 0 &&
            (timeout_ms < 0 || input_grace_left_ms(in) < timeout_ms))
            poll_timeout_ms = input_grace_left_ms(in);
        struct pollfd fds[] = {{.fd = in->paused ? -1 : in->fd, .events = POLLIN},
                               {.fd = in->wake_fd, .events = POLLIN},
                               {.fd = in->draining ? -1 : signals->stop_fd, .events = POLLIN},
                               {.fd = signals->hangup_fd, .events = POLLIN}};
        int n = poll(fds, 4, poll_timeout_ms);
        if (n >= 0)
            retry_reset(&in->retry);
        else if (!input_retry_poll(in))
            return INPUT_READY;
        if (n > 0 && fds[0].revents)
            return INPUT_READY;
        if (n > 0 && (fds[1].revents || fds[3].revents))
            return INPUT_IDLE;
        if (n == 0 && poll_timeout_ms == timeout_ms)
            return INPUT_IDLE;
    }
}

ssize_t input_read(struct input *in, char *to, size_t capacity, bool mid_message)
{
    if (input_drained(in, mid_message))
        return 0;
    if (in->limited)
        capacity = in->quota == 0 ? 1 : in->quota < capacity ? in->quota : capacity;
    if (in->error) {
        errno = in->error;
        return -1;
    }
    ssize_t n;
    do
        n = read(in->fd, to, capacity);
    while (n < 0 && errno == EINTR);
    if (n > 0 && in->limited && in->quota)
        in->quota -= (size_t)n;
    return n;
}
