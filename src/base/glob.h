#ifndef SHNEK_BASE_GLOB_H
#define SHNEK_BASE_GLOB_H

#include "base/slice.h"

/*
 * Matches text against a pattern like fnmatch(3) without flags, a byte at a time: '*' is any text,
 * '?' any byte, [a-z] and [!a-z] sets, and '\' quotes the next character. With `fold` the case of
 * ASCII letters is ignored. The time is at most proportional to the product of the
 * lengths.
 */
bool glob_match(const char *pattern, struct slice text, bool fold);

/* Whether each '[' of a pattern has its ']', and each '\' a character. */
bool glob_valid(const char *pattern);

#endif
