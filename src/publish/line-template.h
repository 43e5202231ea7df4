#ifndef SHNEK_PUBLISH_LINE_TEMPLATE_H
#define SHNEK_PUBLISH_LINE_TEMPLATE_H

#include "json/member-scan.h"
#include "publish/subject.h"

/*
 * A text with fields of a line in braces, compiled once and expanded for each line:
 *
 *     {hostname}              a member of the line
 *     {hostname|none}         with a default in place of '_' if it is null, missing or empty
 *     {sd.ID.NAME}            a nested member
 *     {sd["a.b@1"].x}         the same, with a name that contains special characters
 *     {["name"]}              a member that shnek-parse does not write
 *     {#16:hostname,appname}  the partition, 0 to 15, of these fields
 *     {{ and }}               braces
 */
enum line_template_kind {
    LINE_TEMPLATE_SUBJECT, /* fields are tokens, see subject_put_token() */
    LINE_TEMPLATE_HEADER,  /* fields lose CR, LF and NUL */
    LINE_TEMPLATE_ID       /* any name is a field; there is no id if a value cannot be in one */
};

enum {
    LINE_TEMPLATE_TEXT_MAX = 256,    /* of an error_text */
    LINE_TEMPLATE_SUBJECT_MAX = 256, /* bytes of the result */
    LINE_TEMPLATE_HEADER_MAX = 1024,
    LINE_TEMPLATE_ID_MAX = 1023
};

/* The size of the memory to which each kind is expanded. */
#define LINE_TEMPLATE_CAPACITY (LINE_TEMPLATE_HEADER_MAX + SUBJECT_TOKEN_CAPACITY + 1)

struct line_template {
    enum line_template_kind kind;
    struct line_template_part *parts;
    size_t part_count;
    size_t part_capacity;
    char *text; /* of the literals and defaults */
    size_t field_count;
    bool starts_with_field; /* not with a literal */
    bool fields_in_first_token;
};

/*
 * Compiles `source` and adds its fields to `scan`. Returns false if it is invalid, and writes the
 * reason to error_text; line_template_free() must be called then, too.
 */
bool line_template_init(struct line_template *t, enum line_template_kind kind, const char *source,
                        struct member_scan *scan, char *error_text);

/*
 * Writes the template with the values in `scan` of a line that ends at `limit` to `to`, followed by
 * a NUL. Returns the length. A result that is too long is cut at a character boundary, except that
 * of LINE_TEMPLATE_ID: that is 0 if it is too long or empty, if a field without a default is null
 * or missing, or if a value contains a control character.
 */
size_t line_template_expand(const struct line_template *t, const struct member_scan *scan,
                            const char *limit, char *to);

/* Writes the subject with the wildcard '*' in place of each token with fields; returns the length.
 */
size_t line_template_filter(const struct line_template *t, char *to);

void line_template_free(struct line_template *t);

#endif
