#ifndef SHNEK_JSON_SCHEMA_TEXT_H
#define SHNEK_JSON_SCHEMA_TEXT_H

#include "json/escape.h"
#include "json/schema.h"

/*
 * Parts of the writers of all schemas. Each writes members that are preceded by a comma;
 * schema_close() replaces the first one.
 */

/* Capacity for a record with a message, whose text may occur twice, and its extras. */
#define SCHEMA_CAPACITY(w, m, raw)                                                                 \
    (2048 + 2 * JSON_STRING_CAPACITY((m)->bytes.len) + JSON_STRING_CAPACITY((raw).len) +           \
     (w)->meta.len +                                                                               \
     ((m)->sd.element_count ? 96 * ((size_t)(m)->sd.element_count + (m)->sd.param_count) : 0))

/* Copies whole blocks, also those after the text. */
static inline char *schema_put_text(char *to, const struct schema_text *text)
{
    memcpy(to, text->bytes, SCHEMA_TEXT_SIZE);
    return to + text->len;
}

/* The text of a HEADER field; with `verbatim`, which m->header_verbatim allows, as `size` bytes. */
#define schema_put_field(to, verbatim, value, size)                                                \
    ((verbatim) ? (char *)memcpy(to, (value).data, size) + (value).len : json_escape(to, value))

static inline char *schema_close(char *start, char *to)
{
    if (to == start)
        to++;
    *start = '{';
    return to;
}

/* Decimal digits of a number. */
char *schema_put_number(char *to, uint64_t n);

/* Decimal digits of a PRI. */
static inline char *schema_put_pri(char *to, const struct schema_writer *w, unsigned pri)
{
    memcpy(to, w->pri[pri], sizeof w->pri[pri]);
    return to + 1 + (pri > 9) + (pri > 99);
}

#endif
