#ifndef SHNEK_JSON_ESCAPE_H
#define SHNEK_JSON_ESCAPE_H

#include "base/byte-scan.h"
#include "base/slice.h"

/* A byte becomes at most six, and blocks are stored whole: room for a string of n bytes. */
#define JSON_STRING_ROOM(n) (6 * (n) + 2 + SIMD_SIZE)

/*
 * The inside of a JSON string (RFC 8259, section 7): what must be escaped is, and each maximal
 * subpart of ill-formed UTF-8 becomes U+FFFD. Gives the end of what was written.
 */
char *json_escape(char *to, struct slice text);

/* The same between quotes. */
static inline char *json_quote(char *to, struct slice text)
{
    *to++ = '"';
    to = json_escape(to, text);
    *to++ = '"';
    return to;
}

/* Around n bytes that are there. */
static inline char *json_put_quotes(char *to, size_t n)
{
    to[0] = '"';
    to[1 + n] = '"';
    return to + 2 + n;
}

/* What json_quote_within leaves, once a block of the text is stored behind the quote. */
char *json_quote_block(char *to, struct slice text, const char *limit);

/* The same for a text that stands in something longer, which ends at `limit`. */
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

/* Bytes that are JSON already. */
static inline char *json_copy(char *to, struct slice bytes)
{
    copy_bytes(to, bytes.data, bytes.len);
    return to + bytes.len;
}

/* The same for a literal. */
#define json_literal(to, literal)                                                                  \
    ((char *)memcpy(to, literal, sizeof literal - 1) + sizeof literal - 1)

#endif
