#ifndef SHNEK_BASE_SLICE_H
#define SHNEK_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Bytes that belong to somebody else. data == NULL: there is no value, which is not an empty one.
 */
struct slice {
    const char *data;
    size_t len;
};

static inline struct slice slice_between(const char *at, const char *end)
{
    return (struct slice){at, (size_t)(end - at)};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

#endif
