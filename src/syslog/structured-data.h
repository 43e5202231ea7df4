#ifndef SHNEK_SYSLOG_STRUCTURED_DATA_H
#define SHNEK_SYSLOG_STRUCTURED_DATA_H

#include <stdint.h>

#include "syslog/field-parse.h"

/*
 * STRUCTURED-DATA of RFC 5424, section 6.3, with what repeats chained to its first occurrence: a
 * PARAM-NAME within an element, and an SD-ID within a message, whose later elements count as part
 * of the first. The arrays are kept from message to message; all zero is ready for use.
 */
struct sd_param {
    struct slice name;
    struct slice value; /* between the quotes, escapes as they stand */
    bool plain;         /* the value is known to be as it is in JSON, with its \" and \\ */
    bool escapes;       /* it is not, and has a backslash */
    bool repeats;       /* not the first of its name */
    bool more;          /* not the last of its name */
    uint32_t next;      /* where there is one, the next of its name */
};

struct sd_element {
    struct slice id;
    uint32_t first; /* its params are [first, end) */
    uint32_t end;
    bool repeats;  /* not the first of its SD-ID */
    bool more;     /* not the last of it */
    uint32_t next; /* where there is one, the next of it */
};

struct structured_data {
    struct sd_element *elements;
    struct sd_param *params;
    uint32_t element_count;
    uint32_t param_count;
    bool bare;  /* SD-IDs and PARAM-NAMEs are as they are in JSON */
    bool usual; /* that, none of them repeats, and there is a block behind all of it */
    size_t element_capacity;
    size_t param_capacity;
    struct name_hash *table;
};

/* From `p`, where NILVALUE or 1*SD-ELEMENT must stand. Cost is linear in the number of bytes. */
const char *structured_data_parse(const struct parse_input *in, const char *p,
                                  struct structured_data *sd);

/* 1*SD-ELEMENT alone, as it is read where the straight way does not see that all is well. */
const char *structured_data_parse_reference(const struct parse_input *in, const char *p,
                                            struct structured_data *sd);

void structured_data_free(struct structured_data *sd);

#endif
