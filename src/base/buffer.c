#include "base/buffer.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/exit-status.h"
#include "base/log.h"

static void *buffer_realloc(void *old, size_t size)
{
    void *new_data = realloc(old, size);
    if (!new_data) {
        log_printf("out of memory (%zu bytes)", size);
        exit(STATUS_FAILED);
    }
    return new_data;
}

void buffer_grow(struct buffer *b, size_t n)
{
    size_t capacity = b->capacity ? b->capacity : 256;
    while (capacity - b->len < n)
        capacity *= 2;
    b->data = buffer_realloc(b->data, capacity);
    b->capacity = capacity;
}

void buffer_printf(struct buffer *b, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    int needed = vsnprintf(NULL, 0, format, values);
    va_end(values);
    if (needed <= 0)
        return;
    va_start(values, format);
    char *end = buffer_reserve(b, (size_t)needed + 1);
    vsnprintf(end, (size_t)needed + 1, format, values);
    va_end(values);
    buffer_commit(b, end + needed);
}

void buffer_free(struct buffer *b)
{
    free(b->data);
    *b = (struct buffer){0};
}

void *array_grow(void *array, size_t *capacity, size_t len, size_t element_size)
{
    if (len < *capacity)
        return array;
    *capacity = *capacity ? *capacity * 2 : 16;
    return buffer_realloc(array, *capacity * element_size);
}
