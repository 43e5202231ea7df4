#ifndef SHNEK_JSON_ESCAPE_H
#define SHNEK_JSON_ESCAPE_H

#include "base/byte-scan.h"
#include "base/slice.h"

/* Output capacity for a string of n bytes: at most six bytes for one, two quotes, and the excess of
 * a whole block store. */
#define JSON_STRING_CAPACITY(n) (6 * (n) + 2 + SIMD_SIZE)

/*
 * Writes text as the inside of a JSON string (RFC 8259, section 7): escapes what must be escaped
 * and replaces each maximal subpart of ill-formed UTF-8 by U+FFFD. `to` needs the capacity
 * JSON_STRING_CAPACITY(text.len). Returns the end of the output.
 */
char *json_escape(char *to, struct slice text);

/* Writes text as a JSON string with its quotes; otherwise as json_escape(). */
static inline char *json_quote(char *to, struct slice text)
{
    *to++ = '"';
    to = json_escape(to, text);
    *to++ = '"';
    return to;
}

/* Adds the quotes around n bytes that are already at to + 1. Returns the end. */
static inline char *json_put_quotes(char *to, size_t n)
{
    to[0] = '"';
    to[1 + n] = '"';
    return to + 2 + n;
}

/* Slow path of json_quote_within(), after a block of text was stored at to + 1. */
char *json_quote_block(char *to, struct slice text, const char *limit);

/* json_quote() for text inside a longer input that ends at `limit`: may read up to there. */
static inline char *json_quote_within(char *to, struct slice text, const char *limit)
{
    if (text.len - 1 < SIMD_SIZE && limit - text.data >= SIMD_SIZE) {
        simd_block b = simd_load(text.data);
        simd_store(to + 1, b);
        if (simd_none(simd_not_plain(b), text.len))
            return json_put_quotes(to, text.len);
        return json_quote_block(to, text, limit);
    }
    return json_quote(to, text);
}

/* Copies bytes that are already JSON. Returns the end. */
static inline char *json_copy(char *to, struct slice bytes)
{
    copy_bytes(to, bytes.data, bytes.len);
    return to + bytes.len;
}

/* Copies a string literal. Returns the end. */
#define json_literal(to, literal)                                                                  \
    ((char *)memcpy(to, literal, sizeof literal - 1) + sizeof literal - 1)

#endif
