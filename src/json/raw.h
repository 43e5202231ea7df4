#ifndef SHNEK_JSON_RAW_H
#define SHNEK_JSON_RAW_H

#include "json/escape.h"

/*
 * Writes the member ,"raw":"..." with the bytes of a message, or ,"raw_base64":"..." (RFC 4648,
 * section 4) if they are not UTF-8. `to` needs RAW_CAPACITY(raw.len). Returns the end.
 */
#define RAW_CAPACITY(n) (32 + JSON_STRING_CAPACITY(n))
char *raw_write(char *to, struct slice raw);

/* Writes bytes in base64. Returns the end. */
char *raw_base64(char *to, struct slice bytes);

#endif
