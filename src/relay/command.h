#ifndef SHNEK_RELAY_COMMAND_H
#define SHNEK_RELAY_COMMAND_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/signals.h"
#include "base/stats-share.h"
#include "relay/sink.h"

/* For an abort in which the command writes its unconfirmed lines: shnek-pub waits for 20 s first.
 */
#define COMMAND_ABORT_NS (30 * NS_PER_S)

/*
 * The command of --exec, which reads the records from its stdin. It runs in a process group of its
 * own, so that a signal from the terminal or from timeout(1) does not end it before it has read
 * everything: it ends because its input does. A thread waits for it and for adopted processes,
 * which a process 1 must reap.
 */
struct command {
    const char *text;
    struct stats_share *share;
    struct signals *signals;
    struct sink *sink;
    pid_t pid; /* and its process group; 0 without a command */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool input_ended;
    bool ended;
    bool was_early;  /* it ended before its input */
    int wait_status; /* as of waitpid(2), once `ended` */
};

/* Starts the command with a pipe that becomes stdout. Must be called before any thread is created.
 * Returns false and logs the reason on failure. Without `text` nothing is started. */
bool command_open(struct command *c, const char *text);

/* Starts the thread. If the command ends before its input, the sink fails and a stop is requested.
 * Returns false and logs the reason on failure. */
bool command_watch(struct command *c, struct sink *sink, struct signals *signals);

/* Passes SIGHUP on to the command if it is shnek-pub. From any thread. */
void command_hang_up(struct command *c);

/* Ends the command with SIGTERM and waits for it. From any thread. */
void command_terminate(struct command *c);

/* Must be called before stdout is closed, so that the command ends as expected. */
void command_end_input(struct command *c);

/* Waits until the command has ended. Returns STATUS_OK or STATUS_REJECTED if the command
 * did; otherwise STATUS_FAILED after logging the reason. */
int command_wait(struct command *c);

/* Frees the counters of the command: they must not be printed any more. */
void command_close(struct command *c);

#endif
