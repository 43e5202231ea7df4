#ifndef SHNEK_VERIFY_TRIAL_H
#define SHNEK_VERIFY_TRIAL_H

#include "load/load.h"
#include "verify/reader.h"

/*
 * Sends runs of messages to a destination and reads each back from an input, which the receiver
 * under test writes.
 */
struct trial {
    struct reader *reader;
    struct input in;
    struct framer framer;
    const char *input_name; /* for log lines */
    struct signals signals;
};

/* The results of one run. */
struct trial_result {
    uint64_t sent; /* messages, here and below */
    uint64_t lost;
    uint64_t duplicated;
    uint64_t damaged;
    uint64_t p50_us; /* latency from when a message was due, here and below */
    uint64_t p99_us;
    uint64_t max_us;
    uint64_t lag_ns;  /* of the sender, as min_lag_ns of struct load_sent */
    bool sender_busy; /* the sending thread used nearly all of its CPU time */
    bool reader_busy; /* the reading thread did */
};

/*
 * Opens the input (a FIFO, device or socket; NULL or "-" is stdin) and starts signal handling.
 * Returns false and logs the reason on failure.
 */
bool trial_open(struct trial *t, const char *input_path, uint64_t stats_interval_ns);

/*
 * Sends a run in a second thread and reads until all messages have arrived, or none has for
 * `idle_timeout_ns` after the last one was sent. The name of the run must be unique. Returns false
 * after a failure, which is logged, or a signal. Exits with STATUS_FAILED if the sending thread
 * remains blocked in a write.
 */
bool trial_run(struct trial *t, const struct load_config *load, uint64_t idle_timeout_ns,
               struct trial_result *result);

void trial_close(struct trial *t);

#endif
