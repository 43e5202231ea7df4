#ifndef SHNEK_PUBLISH_RING_H
#define SHNEK_PUBLISH_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The memory of a window: `capacity` bytes that stand twice in a row, so that whatever begins in
 * the ring ends in one piece. Without a file it goes with the process; with one (--spool) it, and
 * the cursors, outlive it.
 */
struct ring_cursors {
    uint64_t read;      /* bytes taken in */
    uint64_t checked;   /* lines before it were looked at, and reported where they are refused */
    uint64_t confirmed; /* the server has all before it */
    uint64_t skipping;  /* what comes next is the rest of a line that was too long */
};

struct ring {
    char *data;
    size_t capacity;
    uint64_t id;                /* of the file, or of this run */
    struct ring_header *header; /* NULL without a file */
    int fd;                     /* of the file, or -1 */
};

/* The largest ring. */
#define RING_MAX (UINT64_C(1) << 40)

/* A ring in memory, of `size` bytes rounded up to pages. False, and a report, where none can be. */
bool ring_open(struct ring *r, uint64_t size);

/*
 * The ring of a file, which is made where it is absent; `size` 0 is that of the file, else the
 * default. `cursors` are what the last process left, and *found the bytes behind cursors->read that
 * it had read without a chance to count them in. False, and a report, where the file is in use,
 * is not a spool, is damaged, or has another size; it is then left as it was.
 */
bool ring_open_file(struct ring *r, const char *path, uint64_t size, struct ring_cursors *cursors,
                    size_t *found);

/* Makes the cursors outlive the process. Does nothing without a file. */
void ring_save_cursors(struct ring *r, const struct ring_cursors *cursors);

/*
 * To be called before `n` bytes are read to offset `from`: a process that is killed between the
 * read and ring_keep leaves them to be found. Does nothing without a file.
 */
void ring_prepare_read(struct ring *r, uint64_t from, size_t n);

/* Forces the file to disk. False, and a report, where that fails. */
bool ring_sync(struct ring *r);

void ring_close(struct ring *r);

static inline char *ring_byte(const struct ring *r, uint64_t offset)
{
    return r->data + offset % r->capacity;
}

#endif
