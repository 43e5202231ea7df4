#ifndef SHNEK_VERIFY_TRIAL_H
#define SHNEK_VERIFY_TRIAL_H

#include "load/load.h"
#include "verify/verify.h"

/* A way out and back: run after run is sent over it, and read back from its far end. */
struct trial {
    struct verify_config verify_config;
    struct verify *verify;
    struct input in;
    struct framer framer;
    const char *input_name; /* of the far end, for reports */
    struct signals signals;
};

/* What became of a run. */
struct trial_result {
    uint64_t sent; /* messages, here and below */
    uint64_t lost;
    uint64_t duplicated;
    uint64_t damaged;
    uint64_t p50_us; /* microseconds from when a message was due, here and below */
    uint64_t p99_us;
    uint64_t max_us;
    uint64_t lag_ns;  /* nanoseconds, as in struct load_sent */
    bool sender_busy; /* its thread hardly ever had to wait */
    bool reader_busy; /* that of the far end, the same */
};

/*
 * Opens the far end, a file or, where it is NULL or "-", stdin, and takes the signals. False, and a
 * report, where that fails.
 */
bool trial_open(struct trial *r, const char *far_end, uint64_t stats_interval);

/*
 * Sends a run, whose name no other has had, and reads until all of it has come, or nothing has for
 * `idle` nanoseconds after it was sent. False where it failed, which is reported, or was
 * interrupted. Where the receiver takes nothing more and nothing comes, the process ends.
 */
bool trial_run(struct trial *r, const struct load_config *load, uint64_t idle,
               struct trial_result *trip);

void trial_close(struct trial *r);

#endif
