#ifndef SHNEK_BASE_GLOB_H
#define SHNEK_BASE_GLOB_H

#include <stdbool.h>

#include "base/slice.h"

/*
 * A pattern like those of fnmatch(3) without flags, a byte at a time: '*' is any text, '?' any
 * byte, [a-z] and [!a-z] sets, and '\' quotes the next character. It borrows the text of the
 * pattern.
 */
struct glob {
    struct slice prefix; /* what precedes the first special character */
    const char *rest;
    struct slice suffix; /* what follows if `rest` has no special character but one '*' */
    bool has_suffix;
};

/* Returns false if a '[' has no ']', or a '\' no character. */
bool glob_compile(struct glob *g, const char *pattern);

/* With `fold` the case of ASCII letters is ignored. The time is at most proportional to the product
 * of the lengths. */
bool glob_match(const struct glob *g, struct slice text, bool fold);

#endif
