#ifndef SHNEK_BASE_REJECT_FILE_H
#define SHNEK_BASE_REJECT_FILE_H

#include <stdint.h>

#include "base/output.h"

/*
 * The file of --rejects. A failure stops nothing: it is logged, lines are kept, up to 1 MiB, and
 * writing is retried every second. Lines that cannot be kept are counted.
 */
struct reject_file {
    struct output output; /* fd -1: there is none */
    bool failing;         /* the last write failed, which was logged */
    uint64_t retry_ns;    /* clock_monotonic, if failing */
    uint64_t lost;        /* lines */
};

/* Opens `path`; for NULL there is no file, and only reject_file_close() may be called. Returns
 * false and logs the reason on failure. */
bool reject_file_open(struct reject_file *f, const char *path);

/* Adds lines that reject_file_write() writes, and removes them from `lines`. */
void reject_file_append(struct reject_file *f, struct buffer *lines);

/* Writes all lines, unless that failed less than a second ago. */
void reject_file_write(struct reject_file *f);

/* Whether reject_file_write() has something to do immediately. */
bool reject_file_is_pending(const struct reject_file *f);

/* Opens the file again, as after it was renamed. */
void reject_file_reopen(struct reject_file *f);

/* Returns false and logs the number if lines could not be written. A second call has no effect. */
bool reject_file_close(struct reject_file *f);

#endif
