#ifndef SHNEK_SYSLOG_FIELD_PARSE_H
#define SHNEK_SYSLOG_FIELD_PARSE_H

#include "base/defect.h"
#include "base/slice.h"

/*
 * Input of the field parsers. Each accepts a position in [start, end], and returns the position
 * after what it parsed, or NULL after it has filled in the defect. It never reads a byte at `end`.
 * The offset of a defect is that of the first byte at which the message cannot be valid any more.
 */
struct parse_input {
    const char *start;
    const char *end;
    struct defect *defect;
};

/*
 * Reports a defect at `p` and returns NULL. `reason` must be static; at the end of the message it
 * is replaced by "message ends here".
 */
static inline const char *parse_fail(const struct parse_input *in, const char *field,
                                     const char *reason, const char *p)
{
    static const char truncated[] = "message ends here";
    *in->defect =
        (struct defect){field, p == in->end ? truncated : reason, (uint64_t)(p - in->start)};
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
