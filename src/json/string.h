#ifndef SHNEK_JSON_STRING_H
#define SHNEK_JSON_STRING_H

#include "base/scan.h"
#include "base/slice.h"

/* A byte becomes at most six, and blocks are stored whole: room for a string of n bytes. */
#define JSON_STRING_ROOM(n) (6 * (n) + 2 + BLOCK)

/*
 * The inside of a JSON string (RFC 8259, section 7): what must be escaped is, and each maximal
 * subpart of ill-formed UTF-8 becomes U+FFFD. Gives the end of what was written.
 */
char *json_text(char *to, struct slice text);

/* The same between quotes. */
static inline char *json_string(char *to, struct slice text)
{
    *to++ = '"';
    to = json_text(to, text);
    *to++ = '"';
    return to;
}

static inline char *json_raw(char *to, struct slice bytes)
{
    memcpy(to, bytes.at, bytes.len);
    return to + bytes.len;
}

/* The same for a literal. */
#define json_literal(to, literal)                                                                  \
    ((char *)memcpy(to, literal, sizeof literal - 1) + sizeof literal - 1)

#endif
