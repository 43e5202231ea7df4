#include "base/buffer.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/log.h"

static void *resize(void *at, size_t size)
{
    void *moved = realloc(at, size);
    if (!moved) {
        report("out of memory (%zu bytes)", size);
        exit(STATUS_FAILED);
    }
    return moved;
}

void buffer_grow(struct buffer *b, size_t n)
{
    size_t cap = b->cap ? b->cap : 256;
    while (cap - b->len < n)
        cap *= 2;
    b->at = resize(b->at, cap);
    b->cap = cap;
}

void buffer_free(struct buffer *b)
{
    free(b->at);
    *b = (struct buffer){0};
}

void *array_grow(void *array, size_t *capacity, size_t count, size_t element)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity ? *capacity * 2 : 16;
    return resize(array, *capacity * element);
}
