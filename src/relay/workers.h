#ifndef SHNEK_RELAY_WORKERS_H
#define SHNEK_RELAY_WORKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/defect.h"
#include "syslog/frame.h"

enum { JOBS_MOST = 64, BATCH_FRAMES = 1024, BATCH_BYTES = 64 * 1024 };

/* Where what is in a batch came from, and when. The strings must stay. */
struct batch_origin {
    const char *source;
    const char *transport;
    uint64_t arrived; /* clock_real, or 0 */
};

/* Kept small: what one thread writes and another reads has to go from core to core. */
struct batch_frame {
    uint64_t number;
    uint32_t length;
    bool refused; /* it has a defect */
};

/* Frames with a copy of their bytes, and what a thread makes of them. */
struct batch {
    struct batch_origin origin;
    size_t count;
    size_t refused;
    struct batch_frame frames[BATCH_FRAMES];
    struct defect defects[BATCH_FRAMES]; /* of frames that are refused */
    /* Of all frames, one behind the other; more than BATCH_BYTES only where one alone has more. */
    struct buffer bytes;
    struct buffer records;
    struct buffer rejects;
    bool done;
};

/*
 * Threads that work on batches side by side, while one more collects frames into the next ones.
 * Batches are written in the order in which they were collected, by whichever thread is done when
 * their turn has come. There are two for each thread and two more, used again and again: where
 * writing is slow, collecting waits.
 */
struct jobs;

struct jobs_tasks {
    /* Runs in each of the threads: takes batches, and gives them back, until there are none. */
    void (*work)(void *argument, struct jobs *jobs);
    /* Called by one thread at a time, batch by batch. False: no more can be written. */
    bool (*write)(void *argument, struct batch *batch);
    void *argument;
};

/* To be called after signals_open. NULL, and a report, where there is no room for so many. */
struct jobs *jobs_start(unsigned threads, const struct jobs_tasks *tasks);

/* For the thread that collects: where what it adds from now on came from. */
void jobs_origin(struct jobs *j, const struct batch_origin *origin);

/*
 * For the same; false: no more can be written. jobs_hand_over gives away what was collected, which
 * jobs_add does only where a batch is full; jobs_settle waits, too, until all is written.
 */
bool jobs_add(struct jobs *j, enum frame_kind kind, const struct frame *frame);
bool jobs_hand_over(struct jobs *j);
bool jobs_settle(struct jobs *j);

/* Settles, and ends the threads. */
bool jobs_end(struct jobs *j);

/* Whether anything was collected that was not handed over. */
bool jobs_collecting(const struct jobs *j);

/* Whether all that was handed over is written; never, where no more can be. */
bool jobs_written(struct jobs *j);
bool jobs_failed(struct jobs *j);

/* These two are for the threads: the next batch, or NULL where there will be none; and back. */
struct batch *jobs_take(struct jobs *j);
void jobs_done(struct jobs *j, struct batch *b);

#endif
