#include "syslog/rfc5424.h"

#include "base/scan.h"
#include "syslog/timestamp.h"

static const char *pri(const struct parse *in, const char *p, struct syslog_message *m)
{
    static const char field[] = "PRI";
    unsigned number = 0;
    if (p == in->end || *p != '<')
        return parse_fail(in, field, "expected '<'", p);
    const char *digits = ++p;
    for (; p < in->end && is_digit(*p); p++) {
        if (p > digits && number == 0)
            return parse_fail(in, field, "leading zero", p);
        number = number * 10 + (unsigned)(*p - '0');
        if (number > 191)
            return parse_fail(in, field, "over 191", p);
    }
    if (p == digits)
        return parse_fail(in, field, "expected a digit", p);
    if (p == in->end || *p != '>')
        return parse_fail(in, field, "expected '>'", p);
    m->facility = number / 8;
    m->severity = number % 8;
    return p + 1;
}

static const char *version(const struct parse *in, const char *p)
{
    static const char field[] = "VERSION";
    if (p == in->end || *p != '1')
        return parse_fail(in, field, "must be 1", p);
    p++;
    if (p == in->end)
        return parse_fail(in, "TIMESTAMP", "", p);
    return *p == ' ' ? p + 1 : parse_fail(in, field, "must be 1", p);
}

/* "<34>1 ", the usual way in; NULL where somebody has to look closer. */
static inline const char *usual_start(const char *p, const char *end, struct syslog_message *m)
{
    if (end - p < 8 || p[0] != '<')
        return NULL;
    unsigned number = (unsigned char)(p[1] - '0');
    unsigned second = (unsigned char)(p[2] - '0');
    unsigned third = (unsigned char)(p[3] - '0');
    if (number == 0 || number > 9 || second > 9)
        return NULL;
    number = number * 10 + second;
    p += 3;
    if (third <= 9) {
        number = number * 10 + third;
        p++;
    }
    if (number > 191 || p[0] != '>' || p[1] != '1' || p[2] != ' ')
        return NULL;
    m->facility = number / 8;
    m->severity = number % 8;
    return p + 3;
}

/* Up to the SP behind it, or the end of the message. */
static const char *timestamp(const struct parse *in, const char *p, struct syslog_message *m)
{
    static const char field[] = "TIMESTAMP";
    const char *start = p;
    if (p < in->end && *p == ' ')
        return parse_fail(in, field, "is empty", p);
    if (p < in->end && *p == '-') {
        m->timestamp = (struct slice){0};
        p++;
    } else {
        p = timestamp_parse(in, p, m->minute);
        if (!p)
            return NULL;
        m->timestamp = slice_between(start, p);
    }
    return p == in->end || *p == ' ' ? p : parse_fail(in, field, "expected SP", p);
}

struct header_field {
    const char *name;
    ptrdiff_t limit;
    const char *too_long;
};

static const struct header_field hostname = {"HOSTNAME", 255, "longer than 255 characters"};
static const struct header_field appname = {"APP-NAME", 48, "longer than 48 characters"};
static const struct header_field procid = {"PROCID", 128, "longer than 128 characters"};
static const struct header_field msgid = {"MSGID", 32, "longer than 32 characters"};

/* The same, and what is wrong where it is not valid. */
static const char *check_field(const struct parse *in, const char *p,
                               const struct header_field *field, struct slice *value)
{
    if (p == in->end || ++p == in->end)
        return parse_fail(in, field->name, "", p);
    const char *start = p;
    p = scan_print(p, in->end);
    if (p - start > field->limit)
        return parse_fail(in, field->name, field->too_long, start + field->limit);
    if (p < in->end && *p != ' ')
        return parse_fail(in, field->name, "not printable US-ASCII", p);
    if (p == start)
        return parse_fail(in, field->name, "is empty", p);
    *value = slice_between(start, p);
    if (value->len == 1 && *start == '-')
        *value = (struct slice){0};
    return p;
}

/* From the SP before the field to the one behind it, or the end of the message. */
static inline const char *header_field(const struct parse *in, const char *p,
                                       const struct header_field *field, struct slice *value,
                                       bool *bare)
{
    if (!p)
        return NULL;
    /* Most fields end within a block, and messages well behind it. */
    if (in->end - p > BLOCK) {
        block b = block_load(p + 1);
        uint64_t mask = block_not_print(b);
        size_t length = mask ? block_first(mask) : 0;
        if (length && p[1 + length] == ' ') {
            *value = (struct slice){length == 1 && p[1] == '-' ? NULL : p + 1, length};
            return p + 1 + length;
        }
    }
    *bare = false;
    return check_field(in, p, field, value);
}

/* In the fields up to `end`; nothing before them can have one. */
static inline bool has_quote(const struct parse *in, const char *p, const char *end)
{
    uint64_t found = 0;
    if (end - in->start < BLOCK)
        return true;
    for (; end - p > BLOCK; p += BLOCK)
        found |= block_is_quote(block_load(p));
    return (found | block_is_quote(block_load(end - BLOCK))) != 0;
}

/* From the SP before it, or the end of the message. */
static inline const char *structured_data(const struct parse *in, const char *p,
                                          struct structured_data *sd)
{
    if (in->end - p > 2 && p[1] == '-' && p[2] == ' ') {
        sd->element_count = sd->param_count = 0;
        return p + 2;
    }
    return structured_data_parse(in, p == in->end ? p : p + 1, sd);
}

/* The same for MSG. */
static inline struct slice msg(const char *p, const char *end)
{
    struct slice none = {0};
    if (p++ == end)
        return none;
    return slice_between(skip_bom(p, end), end);
}

bool rfc5424_parse(struct slice message, struct syslog_message *m, struct defect *defect)
{
    struct parse in = {message.at, message.at + message.len, defect};
    m->bytes = message;
    const char *p = usual_start(in.start, in.end, m);
    if (!p) {
        p = pri(&in, in.start, m);
        p = p ? version(&in, p) : NULL;
    }
    p = p ? timestamp(&in, p, m) : NULL;
    bool bare = true;
    const char *fields = p;
    p = header_field(&in, p, &hostname, &m->hostname, &bare);
    p = header_field(&in, p, &appname, &m->appname, &bare);
    p = header_field(&in, p, &procid, &m->procid, &bare);
    p = header_field(&in, p, &msgid, &m->msgid, &bare);
    if (!p)
        return false;
    m->bare = bare && !has_quote(&in, fields, p);
    p = structured_data(&in, p, &m->sd);
    if (!p)
        return false;
    m->version = 1;
    m->msg = msg(p, in.end);
    return true;
}
