#ifndef SHNEK_VERIFY_READER_H
#define SHNEK_VERIFY_READER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/input.h"
#include "base/rate-limit.h"
#include "base/stats.h"
#include "syslog/frame.h"
#include "syslog/timestamp.h"
#include "verify/record-decode.h"
#include "verify/verify-report.h"

enum { READER_MAX_MESSAGE = 16 << 20 };

/* The messages read in an interval; all values are of the same moment. */
struct reader_interval {
    const struct histogram *latency; /* of this interval; valid until the next one is taken */
    uint64_t received;               /* messages since the start, duplicates included */
    uint64_t distinct;               /* without duplicates */
};

struct reader_config {
    bool require_checksum;     /* messages without a checksum are damaged */
    uint64_t connection_count; /* of the sender, for messages without a checksum */
    bool quiet;                /* do not log damaged messages */
};

/*
 * Reads messages back and compares them with what spamlog sends: decodes them, verifies checksums,
 * tracks sequence numbers and measures latency. The latency is measured from the time at which a
 * message was due, which is its TIMESTAMP, so that it is free of coordinated omission.
 */
struct reader {
    struct reader_config config;
    const char *only_run; /* other runs are ignored; NULL: none is */
    struct verify_report report;
    struct stats stats;
    struct record_decoder decoder;
    struct timestamp_reader timestamp_reader;
    struct rate_limit damage_limit;
    char *block;
    uint64_t block_time_ns;      /* clock_real() at the read; 0 if the input has no latency */
    struct histogram *intervals; /* two, or NULL */
    struct histogram *latency;   /* the one to record in: report.latency or one of `intervals` */
    pthread_mutex_t lock;        /* between reading and reader_take_interval() */
    bool failed;                 /* a read failed, which was logged */
};

/* Returns NULL and logs the reason if there is no memory. */
struct reader *reader_new(const struct reader_config *config);
void reader_destroy(struct reader *r);

/*
 * Resets the report; from now on, only messages of `run` count. The string must remain valid. Not
 * for use with intervals.
 */
void reader_start_run(struct reader *r, const char *run);

/*
 * Reads one block from an input that is ready, and counts its messages; `name` is for log lines.
 * Returns false if the input has ended, or if a read failed.
 */
bool reader_read_block(struct reader *r, struct input *in, struct framer *f, const char *name);

/* Counts a message that the end of the input terminates; it is damaged unless `complete`. */
void reader_end_input(struct reader *r, struct framer *f, bool complete, const char *name);

/* Enables reader_take_interval(). Returns false and logs the reason if there is no memory. */
bool reader_enable_intervals(struct reader *r);

/* Ends an interval; may be called from another thread than the reading one. */
struct reader_interval reader_take_interval(struct reader *r);

/* Completes the report after the last message; `expected` as for sequence_tracker_finish(). */
void reader_finish(struct reader *r, uint64_t expected);

#endif
