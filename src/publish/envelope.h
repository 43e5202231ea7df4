#ifndef SHNEK_PUBLISH_ENVELOPE_H
#define SHNEK_PUBLISH_ENVELOPE_H

#include "base/buffer.h"
#include "json/locate-error.h"
#include "publish/line-template.h"
#include "publish/nats-conn.h"

enum { ENVELOPE_HEADERS_MAX = 32 };

/*
 * The subject and the headers of a message, which depend on nothing but its line and the templates.
 * All zero is ready for use.
 */
struct envelope {
    char subject[LINE_TEMPLATE_CAPACITY]; /* of the last line; ends with a NUL */
    size_t subject_len;
    struct nats_conn_header headers[ENVELOPE_HEADERS_MAX]; /* of the last line */
    size_t header_count;
    bool checks_lines; /* lines may be invalid; these have no fields */
    const char *subject_source;

    struct line_template subject_template;
    struct line_template header_templates[ENVELOPE_HEADERS_MAX];
    char *header_values[ENVELOPE_HEADERS_MAX];
    struct member_scan scan;
    struct json_checker checker;
};

/* Sets the template of the subject. Returns false and logs the reason if it is invalid. */
bool envelope_set_subject(struct envelope *e, const char *source);

/* Adds the header of a text "NAME: VALUE", whose value is a template; otherwise the same. */
bool envelope_add_header(struct envelope *e, const char *text);

/* Returns whether a header has this name; headers are case-sensitive. */
bool envelope_has_header(const struct envelope *e, const char *name);

/* Returns whether the subject depends on the line. */
static inline bool envelope_has_subjects(const struct envelope *e)
{
    return e->subject_template.field_count > 0;
}

/* Returns whether the subject or a header does. */
static inline bool envelope_has_fields(const struct envelope *e)
{
    return e->scan.path_count > 0;
}

/* envelope_fill() of templates with fields. */
void envelope_expand(struct envelope *e, struct slice line);

/* Sets the subject and the headers to those of `line`. */
static inline void envelope_fill(struct envelope *e, struct slice line)
{
    if (envelope_has_fields(e))
        envelope_expand(e, line);
}

/*
 * Sets them, too, and returns them as one text that lines with the same subject and headers have in
 * common. It is written to `to`; data == NULL if it is the same for all lines. `envelope` is a
 * struct envelope.
 */
struct slice envelope_key(void *envelope, struct slice line, struct buffer *to);

void envelope_free(struct envelope *e);

#endif
