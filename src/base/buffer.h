#ifndef SHNEK_BASE_BUFFER_H
#define SHNEK_BASE_BUFFER_H

#include <stddef.h>
#include <string.h>

#include "base/slice.h"

/* Bytes that grow. All zero is an empty one. */
struct buffer {
    char *at;
    size_t len;
    size_t cap;
};

/* Makes the capacity at least len + n. The process ends with status 2 where memory does. */
void buffer_grow(struct buffer *b, size_t n);

void buffer_free(struct buffer *b);

/* Where n more bytes may be written; buffer_wrote then counts them in. */
static inline char *buffer_room(struct buffer *b, size_t n)
{
    if (b->cap - b->len < n)
        buffer_grow(b, n);
    return b->at + b->len;
}

static inline void buffer_wrote(struct buffer *b, const char *end)
{
    b->len = (size_t)(end - b->at);
}

static inline void buffer_add(struct buffer *b, struct slice bytes)
{
    if (bytes.len == 0)
        return;
    memcpy(buffer_room(b, bytes.len), bytes.at, bytes.len);
    b->len += bytes.len;
}

/* An array of `count` elements made to hold one more, at least doubling; it may move. */
void *array_grow(void *array, size_t *capacity, size_t count, size_t element);

#endif
