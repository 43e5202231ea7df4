#ifndef SHNEK_PUBLISH_RING_H
#define SHNEK_PUBLISH_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The memory of a window: `capacity` bytes that are mapped twice in a row, so that no piece of the
 * ring is ever split. It is anonymous, or part of a file (spool.h).
 */
struct ring {
    char *data;
    size_t capacity;
    uint64_t id; /* random; of the file, or of this run */
};

enum { RING_UNIT = 64 * 1024 /* bytes; a capacity is a multiple of it */ };

/* The largest capacity in bytes. */
#define RING_MAX (UINT64_C(1) << 40)

/* Rounds `size` up to a capacity; 0 is the default. */
size_t ring_round_size(uint64_t size);

uint64_t ring_random_id(void);

/*
 * Opens a ring in memory, of `size` bytes, rounded by ring_round_size(). Returns false and logs the
 * reason on failure.
 */
bool ring_open(struct ring *r, uint64_t size);

/* Opens a ring in the file `fd`, from `offset` on. Returns false and sets errno on failure. */
bool ring_open_file(struct ring *r, int fd, uint64_t offset, size_t capacity);

void ring_close(struct ring *r);

static inline char *ring_byte(const struct ring *r, uint64_t offset)
{
    return r->data + offset % r->capacity;
}

#endif
