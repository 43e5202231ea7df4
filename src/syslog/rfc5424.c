#include "syslog/rfc5424.h"

#include "base/byte-scan.h"
#include "base/defect.h"
#include "syslog/pri.h"
#include "syslog/timestamp.h"

static const char *rfc5424_pri(const struct parse_input *in, const char *p,
                               struct syslog_message *m)
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
        if (number > PRI_MAX)
            return parse_fail(in, field, "over 191", p);
    }
    if (p == digits)
        return parse_fail(in, field, "expected a digit", p);
    if (p == in->end || *p != '>')
        return parse_fail(in, field, "expected '>'", p);
    m->pri = number;
    return p + 1;
}

/* VERSION and the SP after it. */
static const char *rfc5424_version(const struct parse_input *in, const char *p, int version)
{
    static const char field[] = "VERSION";
    if (p == in->end || *p != version)
        return parse_fail(in, field, "must be 1", p);
    p++;
    if (p == in->end)
        return parse_fail(in, "TIMESTAMP", "", p);
    return *p == ' ' ? p + 1 : parse_fail(in, field, "must be 1", p);
}

/* Returns the SP after TIMESTAMP, or the end. */
static const char *rfc5424_timestamp(const struct parse_input *in, const char *p,
                                     struct syslog_message *m)
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

/* A field from the SP before it. Returns the SP after it, or the end. */
static const char *rfc5424_field(const struct parse_input *in, const char *p, const char *name,
                                 ptrdiff_t max_len, const char *too_long, struct slice *value)
{
    if (!p)
        return NULL;
    if (p == in->end || ++p == in->end)
        return parse_fail(in, name, "", p);
    const char *start = p;
    p = scan_print(p, in->end);
    if (p - start > max_len)
        return parse_fail(in, name, too_long, start + max_len);
    if (p < in->end && *p != ' ')
        return parse_fail(in, name, "not printable US-ASCII", p);
    if (p == start)
        return parse_fail(in, name, "is empty", p);
    *value = slice_between(start, p);
    if (value->len == 1 && *start == '-')
        *value = (struct slice){0};
    return p;
}

/* HEADER. Returns the SP after it, or the end. */
static const char *rfc5424_header(const struct parse_input *in, int version,
                                  struct syslog_message *m)
{
    const char *p = rfc5424_pri(in, in->start, m);
    p = p ? rfc5424_version(in, p, version) : NULL;
    p = p ? rfc5424_timestamp(in, p, m) : NULL;
    p = rfc5424_field(in, p, "HOSTNAME", HOSTNAME_MAX, "longer than 255 characters", &m->hostname);
    p = rfc5424_field(in, p, "APP-NAME", APP_NAME_MAX, "longer than 48 characters", &m->appname);
    p = rfc5424_field(in, p, "PROCID", PROCID_MAX, "longer than 128 characters", &m->procid);
    return rfc5424_field(in, p, "MSGID", MSGID_MAX, "longer than 32 characters", &m->msgid);
}

bool rfc5424_parse_version(struct slice message, int version, struct syslog_message *m,
                           struct defect *defect)
{
    struct parse_input in = {message.data, message.data + message.len, defect};
    m->bytes = message;
    m->version = 1;
    m->header_verbatim = false;
    const char *p = rfc5424_header(&in, version, m);
    if (p)
        p = structured_data_parse(&in, p == in.end ? p : p + 1, &m->sd);
    if (!p)
        return false;
    m->msg = (struct slice){0};
    if (p < in.end)
        m->msg = slice_between(skip_bom(p + 1, in.end), in.end);
    return true;
}

bool rfc5424_parse_reference(struct slice message, struct syslog_message *m, struct defect *defect)
{
    return rfc5424_parse_version(message, '1', m, defect);
}
