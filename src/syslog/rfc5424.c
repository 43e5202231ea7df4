#include "syslog/rfc5424.h"

#include "base/byte-scan.h"
#include "base/defect.h"
#include "syslog/timestamp.h"

static const char *pri(const struct parse_input *in, const char *p, struct syslog_message *m)
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
    m->pri = number;
    return p + 1;
}

static const char *version(const struct parse_input *in, const char *p)
{
    static const char field[] = "VERSION";
    if (p == in->end || *p != '1')
        return parse_fail(in, field, "must be 1", p);
    p++;
    if (p == in->end)
        return parse_fail(in, "TIMESTAMP", "", p);
    return *p == ' ' ? p + 1 : parse_fail(in, field, "must be 1", p);
}

/* Up to the SP behind it, or the end of the message. */
static const char *timestamp(const struct parse_input *in, const char *p, struct syslog_message *m)
{
    static const char field[] = "TIMESTAMP";
    const char *start = p;
    if (p < in->end && *p == ' ')
        return parse_fail(in, field, "is empty", p);
    if (p < in->end && *p == '-') {
        m->timestamp = (struct slice){0};
        p++;
    } else {
        p = timestamp_parse(in, p);
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

static const struct header_field hostname = {"HOSTNAME", HOSTNAME_MAX,
                                             "longer than 255 characters"};
static const struct header_field appname = {"APP-NAME", APP_NAME_MAX, "longer than 48 characters"};
static const struct header_field procid = {"PROCID", PROCID_MAX, "longer than 128 characters"};
static const struct header_field msgid = {"MSGID", MSGID_MAX, "longer than 32 characters"};

/* From the SP before the field to the one behind it, or the end of the message. */
static const char *header_field(const struct parse_input *in, const char *p,
                                const struct header_field *field, struct slice *value)
{
    if (!p)
        return NULL;
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

static const char *header(const struct parse_input *in, struct syslog_message *m)
{
    const char *p = pri(in, in->start, m);
    p = p ? version(in, p) : NULL;
    p = p ? timestamp(in, p, m) : NULL;
    p = header_field(in, p, &hostname, &m->hostname);
    p = header_field(in, p, &appname, &m->appname);
    p = header_field(in, p, &procid, &m->procid);
    return header_field(in, p, &msgid, &m->msgid);
}

bool rfc5424_parse_from(struct slice message, const char *p, struct syslog_message *m,
                        struct defect *defect)
{
    struct parse_input in = {message.data, message.data + message.len, defect};
    m->bytes = message;
    m->version = 1;
    if (!p) {
        m->bare = false;
        p = header(&in, m);
    }
    if (p)
        p = structured_data_parse(&in, p == in.end ? p : p + 1, &m->sd);
    if (!p)
        return false;
    m->msg = (struct slice){0};
    if (p < in.end)
        m->msg = slice_between(skip_bom(p + 1, in.end), in.end);
    return true;
}
