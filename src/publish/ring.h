#ifndef SHNEK_PUBLISH_RING_H
#define SHNEK_PUBLISH_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Offsets in the input, each the number of bytes before it. */
struct ring_cursors {
    uint64_t read;
    uint64_t checked;   /* lines before it were checked, and reported if they were rejected */
    uint64_t confirmed; /* lines before it are not needed any more */
    uint64_t skipping;  /* 1: the next bytes are the rest of a line that was too long */
};

/*
 * The memory of a window: `capacity` bytes that are mapped twice in a row, so that no piece of the
 * ring is ever split. It is anonymous, or a file (--spool) that outlives the process together with
 * the cursors.
 */
struct ring {
    char *data;
    size_t capacity;
    uint64_t id;                /* random; of the file, or of this run */
    struct ring_header *header; /* of the file; NULL without one */
    int fd;                     /* of the file, or -1 */
};

/* The largest capacity in bytes. */
#define RING_MAX (UINT64_C(1) << 40)

/*
 * Opens a ring in memory, of `size` bytes, 0 for the default, rounded up to 64 KiB. Returns false
 * and logs the reason on failure.
 */
bool ring_open(struct ring *r, uint64_t size);

/*
 * Opens the ring in the file `path`, and creates the file if it does not exist. `size` 0 is the
 * size of the file, or the default for a new one. *cursors are those of the previous process;
 * *unsaved is the number of bytes after cursors->read that it had read without saving its cursors.
 * Returns false, logs the reason and leaves the file unchanged if it is in use, not a spool,
 * damaged, or of another size.
 */
bool ring_open_file(struct ring *r, const char *path, uint64_t size, struct ring_cursors *cursors,
                    size_t *unsaved);

/* Saves the cursors to the file. Does nothing without one. */
void ring_save_cursors(struct ring *r, const struct ring_cursors *cursors);

/*
 * Prepares a read of up to `n` bytes to `offset`, so that ring_open_file() finds them if the
 * process is killed before ring_save_cursors(). Does nothing without a file.
 */
void ring_prepare_read(struct ring *r, uint64_t offset, size_t n);

/* Writes the file to disk. Returns false and logs the reason on failure. */
bool ring_sync(struct ring *r);

void ring_close(struct ring *r);

static inline char *ring_byte(const struct ring *r, uint64_t offset)
{
    return r->data + offset % r->capacity;
}

#endif
