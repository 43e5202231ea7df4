#ifndef SHNEK_BASE_INPUT_H
#define SHNEK_BASE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/retry.h"
#include "base/signals.h"

/*
 * A descriptor that is read until its end or, after a drain was requested, until the end of the
 * data that had arrived by then: the bytes in the kernel's buffer, and the rest of an unfinished
 * message byte by byte, so that nothing is consumed that is not processed. The caller passes
 * mid_message, whether the bytes read so far end within a message.
 */
struct input {
    int fd;
    bool live;          /* a pipe, socket or terminal, not a regular file */
    struct retry retry; /* of poll(2) */
    int error;          /* of poll(2), if that fails permanently, or 0 */
    bool paused;        /* set by the caller while it cannot accept data */
    int wake_fd;        /* if readable, input_wait() returns INPUT_IDLE; -1 for none */
    bool draining;
    bool limited;         /* see input_limit() */
    size_t quota;         /* bytes left to read while limited */
    uint64_t deadline_ns; /* of the drain, clock_monotonic() */
};

enum input_state { INPUT_READY, INPUT_IDLE, INPUT_ENDED };

void input_init(struct input *in, int fd);

/*
 * Waits for readable data. Returns INPUT_IDLE after timeout_ms (-1 for none), and until
 * signals_take_hangup() if SIGHUP has arrived and is handled. A drain waits up to one second for
 * the writer of a pipe to finish, because it is usually stopped at the same time. If poll(2) fails
 * permanently, returns INPUT_READY, and input_read() fails with that error.
 */
enum input_state input_wait(struct input *in, struct signals *signals, bool mid_message,
                            int timeout_ms);

/* Limits further reading to the bytes that have arrived. */
void input_limit(struct input *in);

/* Whether the input is limited and nothing is left to read. */
bool input_drained(const struct input *in, bool mid_message);

/* read(2) without EINTR. Also returns 0 if the input is drained. */
ssize_t input_read(struct input *in, char *to, size_t capacity, bool mid_message);

#endif
