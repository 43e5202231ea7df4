#ifndef SHNEK_BASE_BUFFER_H
#define SHNEK_BASE_BUFFER_H

#include <stddef.h>
#include <string.h>

#include "base/slice.h"

/* Bytes that grow. All zero is an empty one. */
struct buffer {
    char *data;
    size_t len;
    size_t capacity;
};

/* Makes the capacity at least len + n. The process ends with status 2 where memory does. */
void buffer_grow(struct buffer *b, size_t n);

void buffer_free(struct buffer *b);

/* Where n more bytes may be written; buffer_commit then counts them in. */
static inline char *buffer_reserve(struct buffer *b, size_t n)
{
    if (b->capacity - b->len < n)
        buffer_grow(b, n);
    return b->data + b->len;
}

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

/* Appends formatted text, of any length; no NUL is counted. */
void buffer_printf(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* An array of `count` elements made to hold one more, at least doubling; it may move. */
void *array_grow(void *array, size_t *capacity, size_t count, size_t element);

#endif
