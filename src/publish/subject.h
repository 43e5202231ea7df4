#ifndef SHNEK_PUBLISH_SUBJECT_H
#define SHNEK_PUBLISH_SUBJECT_H

#include "base/simd.h"
#include "base/slice.h"

enum { SUBJECT_TOKEN_MAX = 64 /* bytes; of a token that subject_put_token() writes */ };

/* The space that subject_put_token() needs: blocks are written as a whole. */
#define SUBJECT_TOKEN_CAPACITY (SUBJECT_TOKEN_MAX + SIMD_SIZE)

/*
 * Returns NULL if messages can be published to `subject`: non-empty tokens separated by dots,
 * without white space, control characters and wildcards. Else returns what is wrong with it.
 */
const char *subject_defect(const char *subject);

/*
 * Writes `text`, the inside of a JSON string that is part of a longer text ending at `limit`, as a
 * token or a part of one: escapes are decoded, each '.', '*', '>', white space and control
 * character (of Unicode) becomes '_', and the result is cut at a character boundary to at most
 * SUBJECT_TOKEN_MAX bytes. Returns its end, which is `to` only if `text` is empty.
 */
char *subject_put_token(char *to, struct slice text, const char *limit);

#endif
