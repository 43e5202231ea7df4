#ifndef SHNEK_BASE_INPUT_H
#define SHNEK_BASE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/signals.h"

/*
 * A descriptor that is read to its end, or, once a drain is asked for, to the end of what had
 * arrived: what the kernel holds by then, and the rest of the message that this ends in, byte by
 * byte, so that nothing is taken that will not be finished. Whoever reads says whether it stands
 * within a message.
 */
struct input {
    int fd;
    bool live;   /* a pipe, socket or terminal, not a file */
    bool paused; /* there is no room: it is not to be read now */
    int wake_fd; /* ends a wait as well, by INPUT_IDLE; -1: none */
    bool draining;
    bool limited;
    size_t quota;
    uint64_t deadline; /* clock_monotonic */
};

enum input_state { INPUT_READY, INPUT_IDLE, INPUT_ENDED };

void input_init(struct input *in, int fd);

/*
 * Waits until there is something to read, at most `timeout` milliseconds (-1: for ever). A drain
 * gives the writer of a pipe a second to end by itself, since it has most often been told to.
 */
enum input_state input_wait(struct input *in, struct signals *signals, bool mid_message,
                            int timeout_ms);

/* From now on only what has arrived is read. */
void input_limit(struct input *in);

/* Limited, and nothing is left to read. */
bool input_drained(const struct input *in, bool mid_message);

/* As read(2), never interrupted; 0 also where the input is drained. */
ssize_t input_read(struct input *in, char *to, size_t room, bool mid_message);

#endif
