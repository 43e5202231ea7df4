#ifndef SHNEK_BASE_OUTPUT_H
#define SHNEK_BASE_OUTPUT_H

#include <stdbool.h>

#include "base/buffer.h"

enum { OUTPUT_BLOCK = 64 * 1024 }; /* what is worth a write, in bytes */

/* A buffer in front of a descriptor. Writes block: a slow reader stops the program, which is meant.
 */
struct output {
    struct buffer buffer;
    int fd;
    const char *name; /* for reports */
    bool failed;
};

/* Takes the descriptor as it is; a pipe is made larger where the system allows it. */
void output_init(struct output *out, int fd, const char *name);

/* Opens a file for appending, made where it is absent. False, and a report, where that fails. */
bool output_open_append(struct output *out, const char *flag, const char *path);

/* The same, but it is written anew; "-" is stdout, and NULL is no file: fd is -1 then. */
bool output_open_truncate(struct output *out, const char *flag, const char *path);

/* Writes all that is buffered. False where that failed, which was reported (but EPIPE on stdout).
 */
bool output_flush(struct output *out);

/* output_flush where a block's worth has come together. */
static inline bool output_flush_full(struct output *out)
{
    return out->buffer.len < OUTPUT_BLOCK ? !out->failed : output_flush(out);
}

/* Flushes, closes, frees. False where anything was lost, now or before. */
bool output_close(struct output *out);

#endif
