#ifndef SHNEK_SYSLOG_FIELD_PARSE_H
#define SHNEK_SYSLOG_FIELD_PARSE_H

#include "base/defect.h"
#include "base/slice.h"

/*
 * What the parsers of this folder share. Each takes a cursor and gives the one behind what it
 * recognised, or NULL with the defect filled in; bytes are never read at or past `end`. A defect's
 * offset is that of the first byte at which the message can no longer be valid.
 */
struct parse_input {
    const char *start;
    const char *end;
    struct defect *defect;
};

static inline const char *parse_fail(const struct parse_input *in, const char *field,
                                     const char *reason, const char *at)
{
    static const char ended[] = "message ends here";
    *in->defect =
        (struct defect){field, at == in->end ? ended : reason, (uint64_t)(at - in->start)};
    return NULL;
}

/* Returns the byte after a BOM at `p`, or `p` if there is none. */
static inline const char *skip_bom(const char *p, const char *end)
{
    return end - p >= 3 && p[0] == '\xEF' && p[1] == '\xBB' && p[2] == '\xBF' ? p + 3 : p;
}

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

#endif
