#ifndef SHNEK_JSON_UNESCAPE_H
#define SHNEK_JSON_UNESCAPE_H

#include "base/slice.h"

/*
 * Decodes the inside of a JSON string to UTF-8 and returns the end of the output, which is never
 * longer than text; `to` may equal text.data. The string must be valid (json_is_valid()). Half of
 * a surrogate pair becomes U+FFFD.
 */
char *json_unescape(char *to, struct slice text);

#endif
