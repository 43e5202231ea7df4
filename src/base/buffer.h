#ifndef SHNEK_BASE_BUFFER_H
#define SHNEK_BASE_BUFFER_H

#include <stddef.h>
#include <string.h>

#include "base/slice.h"

/* A growing byte array. All zero is an empty buffer. */
struct buffer {
    char *data;
    size_t len;
    size_t capacity;
};

/* Grows the capacity to at least len + n. Exits with STATUS_FAILED if memory runs out. */
void buffer_grow(struct buffer *b, size_t n);

void buffer_free(struct buffer *b);

/* Returns the end of the data, with space for n more bytes; call buffer_commit() after writing. */
static inline char *buffer_reserve(struct buffer *b, size_t n)
{
    if (b->capacity - b->len < n)
        buffer_grow(b, n);
    return b->data + b->len;
}

/* Sets the length so that the data ends at `end`. */
static inline void buffer_commit(struct buffer *b, const char *end)
{
    b->len = (size_t)(end - b->data);
}

static inline void buffer_append(struct buffer *b, struct slice bytes)
{
    if (bytes.len == 0)
        return;
    memcpy(buffer_reserve(b, bytes.len), bytes.data, bytes.len);
    b->len += bytes.len;
}

static inline void buffer_puts(struct buffer *b, const char *text)
{
    buffer_append(b, (struct slice){text, strlen(text)});
}

/* Appends formatted text of any length, without a NUL. */
void buffer_printf(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Provides space for one more element after the len elements of a heap array; doubles its capacity
 * if it is full. Returns the array, which may have moved. Exits with STATUS_FAILED if memory runs
 * out. */
void *array_grow(void *array, size_t *capacity, size_t len, size_t element_size);

#endif
