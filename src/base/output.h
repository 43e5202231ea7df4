#ifndef SHNEK_BASE_OUTPUT_H
#define SHNEK_BASE_OUTPUT_H

#include <stdbool.h>

#include "base/buffer.h"

enum { OUTPUT_BLOCK = 64 * 1024 }; /* buffered bytes that are worth a write */

/* A buffered descriptor. Writes block: a slow reader intentionally stops the program. */
struct output {
    struct buffer buffer;
    int fd;
    const char *name; /* for log messages */
    bool failed;      /* sticky */
};

/* Wraps a descriptor; enlarges the buffer of a pipe if the system allows it. */
void output_init(struct output *out, int fd, const char *name);

/* Opens a file for appending, creating it if necessary, readable only by its owner because it is
 * for messages. Returns false and logs the flag and the reason on failure. */
bool output_open_append(struct output *out, const char *flag, const char *path);

/* Opens and truncates a file, creating it if necessary. "-" is stdout; for NULL nothing is opened
 * and fd is -1. Returns false and logs the flag and the reason on failure. */
bool output_open_truncate(struct output *out, const char *flag, const char *path);

/* Opens the file of output_open_append() again, as after it was renamed. Has no effect on pipes and
 * devices. Returns false, logs the reason and keeps the open file on failure. */
bool output_reopen(struct output *out);

/* Writes buffered bytes. Returns false, sets errno and keeps the rest if not all can be written;
 * this failure is not sticky. */
bool output_try_flush(struct output *out);

/* Writes all buffered bytes. Returns false if this or an earlier write failed; logs the reason
 * once, except EPIPE on stdout. */
bool output_flush(struct output *out);

/* Flushes if at least OUTPUT_BLOCK bytes are buffered. Returns false as output_flush() does. */
static inline bool output_flush_full(struct output *out)
{
    return out->buffer.len < OUTPUT_BLOCK ? !out->failed : output_flush(out);
}

/* Flushes, closes and frees. Returns false if any byte was lost, now or earlier. */
bool output_close(struct output *out);

#endif
