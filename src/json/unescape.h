#ifndef SHNEK_JSON_UNESCAPE_H
#define SHNEK_JSON_UNESCAPE_H

#include "base/slice.h"

/*
 * What the inside of a JSON string says, as UTF-8, into as many bytes as it has; gives the end. The
 * string must be one that json_is_valid lets through. Half of a surrogate pair becomes U+FFFD.
 */
char *json_unescape(char *to, struct slice text);

#endif
