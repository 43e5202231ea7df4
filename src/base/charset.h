#ifndef SHNEK_BASE_CHARSET_H
#define SHNEK_BASE_CHARSET_H

#include <iconv.h>
#include <stdbool.h>

#include "base/buffer.h"

/* Converts text to UTF-8 with iconv(3). */
struct charset {
    iconv_t descriptor;
    struct buffer text;
};

/* Opens the character set `name`. Returns false if it is unknown (errno is EINVAL) or cannot be
 * loaded, or if it is not a superset of the characters that syslog needs (errno is EDOM). */
bool charset_open(struct charset *c, const char *name);

void charset_close(struct charset *c);

/* Converts `text`. Returns false if it is not text in this character set. The result is valid until
 * the next call. */
bool charset_convert(struct charset *c, struct slice text, struct slice *utf8);

/* Returns the offset in `text` of the character at `offset` in its conversion. */
size_t charset_offset(struct charset *c, struct slice text, size_t offset);

#endif
