#ifndef SHNEK_JSON_UNESCAPE_H
#define SHNEK_JSON_UNESCAPE_H

#include "base/slice.h"

/*
 * Decodes the inside of a JSON string to UTF-8 and returns the end of the output, which is never
 * longer than text; `to` may equal text.data. The string must be valid (json_is_valid()). Half of
 * a surrogate pair becomes U+FFFD.
 */
char *json_unescape(char *to, struct slice text);

/* The inside of a JSON string, or other text, which json_next_piece() reads. */
struct json_pieces {
    const char *p;
    const char *end;
    char decoded[4];
};

/*
 * Returns the next piece of the decoded text in UTF-8: some of the bytes 32 to 127, or one other
 * character. Returns false at the end. Text that is not valid is safe: ill-formed UTF-8 becomes
 * U+FFFD, and a backslash that begins no escape is itself.
 */
bool json_next_piece(struct json_pieces *s, struct slice *piece);

#endif
