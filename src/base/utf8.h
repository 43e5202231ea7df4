#ifndef SHNEK_BASE_UTF8_H
#define SHNEK_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

/*
 * The length of what begins at p < end: a well-formed UTF-8 sequence (*valid), or the maximal
 * subpart of an ill-formed one (Unicode 15, section 3.9, table 3-7), which is at least one byte.
 */
size_t utf8_step(const char *p, const char *end, bool *valid);

/* The first byte of the first ill-formed sequence in [p, end), or end. */
const char *utf8_invalid(const char *p, const char *end);

/* The longest prefix of at most `limit` bytes that does not end within a well-formed sequence. */
size_t utf8_cut(struct slice text, size_t limit);

#endif
