#ifndef SHNEK_SYSLOG_STRUCTURED_DATA_H
#define SHNEK_SYSLOG_STRUCTURED_DATA_H

#include <stdint.h>

#include "base/buffer.h"
#include "syslog/field-parse.h"

enum { SD_NAME_MAX = 32 }; /* RFC 5424, section 6.3.2 and 6.3.3 */

struct sd_param {
    struct slice name;
    struct slice value; /* between the quotes, with its escapes */
    bool plain;         /* the value is valid between the quotes of a JSON string as it is */
    bool escapes;       /* the value has a backslash; valid unless plain */
    bool repeats;       /* not the first of its name */
    bool more;          /* not the last of its name */
    uint32_t next;      /* index of the next of its name if `more` */
};

struct sd_element {
    struct slice id;
    uint32_t first; /* its params are [first, end) of structured_data.params */
    uint32_t end;
    bool repeats;  /* not the first of its SD-ID */
    bool more;     /* not the last of its SD-ID */
    uint32_t next; /* index of the next of its SD-ID if `more` */
};

/*
 * STRUCTURED-DATA (RFC 5424, section 6.3) after sd_merge(): repeated names are linked to their
 * first occurrence. These are PARAM-NAMEs in an element, and SD-IDs in a message; the params of
 * elements with one SD-ID count as those of one element. All zero is ready for use.
 */
struct structured_data {
    struct sd_element *elements;
    struct sd_param *params;
    uint32_t element_count; /* 0 for NILVALUE; the flags below then have no meaning */
    uint32_t param_count;
    /* SD-IDs and PARAM-NAMEs need no escape in JSON. False promises nothing. */
    bool names_verbatim;
    /* Also, nothing repeats, and SIMD_SIZE bytes can be read after the last ']'. */
    bool is_simple;
    size_t element_capacity;
    size_t param_capacity;
    struct name_hash *names; /* of sd_merge() */
};

/*
 * Parses STRUCTURED-DATA at `p`. Returns the byte after it, or NULL with the defect. The cost is
 * linear in the number of bytes.
 */
const char *structured_data_parse(const struct parse_input *in, const char *p,
                                  struct structured_data *sd);

/*
 * Parses PARAM-VALUE with its quotes at `p` into param->value and param->escapes, of which the
 * latter must be false before. Returns the byte after it, or NULL with the defect.
 */
const char *sd_parse_value(const struct parse_input *in, const char *p, struct sd_param *param);

/* Appends an element, which is not initialized. */
static inline struct sd_element *sd_new_element(struct structured_data *sd)
{
    if (sd->element_count == sd->element_capacity)
        sd->elements = array_grow(sd->elements, &sd->element_capacity, sd->element_count,
                                  sizeof *sd->elements);
    return &sd->elements[sd->element_count++];
}

/* Appends a param, which is not initialized. */
static inline struct sd_param *sd_new_param(struct structured_data *sd)
{
    if (sd->param_count == sd->param_capacity)
        sd->params =
            array_grow(sd->params, &sd->param_capacity, sd->param_count, sizeof *sd->params);
    return &sd->params[sd->param_count++];
}

void structured_data_free(struct structured_data *sd);

#endif
