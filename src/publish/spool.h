#ifndef SHNEK_PUBLISH_SPOOL_H
#define SHNEK_PUBLISH_SPOOL_H

#include "publish/spool-file.h"

/*
 * The file of a window (--spool). All functions but spool_open() do nothing if the window has no
 * file.
 */
struct spool {
    struct spool_file file;
    struct spool_cursor cursor;
    uint64_t mark_block; /* of the last mark */
    unsigned mark_count; /* in that block, including the place for an incomplete line */
    bool is_private;
};

struct spool_state {
    uint64_t confirmed; /* offset of the first unconfirmed line */
    uint64_t read;      /* offset of the end of the input */
    size_t unsaved;     /* bytes after it that the previous process did not append */
    bool skipping;      /* the next bytes are the rest of a line that was too long */
    bool same_input;    /* stdin is the pipe that the previous process read */
    bool has_loss;      /* lines are missing, or may be; this was logged */
};

/*
 * Opens the file `path`, which is borrowed, and the ring `r` in it. Creates the file if it does not
 * exist, with `size` bytes for the ring; 0 is the size of the file, or the default. If
 * `is_private`, the file must exist and does not change. Returns false, logs the reason and leaves
 * the file unchanged if it is in use, not a spool, or of another size. Later errors when the file
 * is accessed (SIGBUS) end the process with STATUS_FAILED.
 */
bool spool_open(struct spool *s, struct ring *r, const char *path, uint64_t size, bool is_private,
                struct spool_state *state);

/* Prepares a read of up to `n` bytes to the end of the input, so that spool_open() finds them if
 * the process is killed before spool_append(). */
void spool_prepare_read(struct spool *s, size_t n);

/* Adds `n` bytes to the input, which are in the ring after its end. */
void spool_append(struct spool *s, size_t n, bool skipping);

/* Saves the offset of the first unconfirmed line. */
void spool_confirm(struct spool *s, uint64_t confirmed);

/* Returns the offset before which the ring may be overwritten. */
uint64_t spool_released(const struct spool *s, uint64_t confirmed);

/* Saves that the line at `offset` must not be sent, if there is space for that. */
void spool_mark(struct spool *s, uint64_t offset);

/* Returns whether mark number i, from 0, of the block exists, and its *offset. */
bool spool_get_mark(const struct spool *s, uint64_t block, unsigned i, uint64_t *offset);

/*
 * Saves that the `count` records from `offset` on are one message. Returns false if there is no
 * space for that, or if the count is too large.
 */
bool spool_mark_batch(struct spool *s, uint64_t offset, uint32_t count);

/* Returns the count that was saved last for the record at `offset`, or 0. */
uint32_t spool_find_batch(const struct spool *s, uint64_t offset);

/* Writes the file to disk. Returns false and logs the reason on failure. */
bool spool_sync(struct spool *s);

/* Writes the file to disk and closes it. Returns false and logs the reason on failure. */
bool spool_close(struct spool *s);

#endif
