#include "syslog/rfc5424-lenient.h"

#include "base/defect.h"
#include "syslog/field-parse.h"
#include "syslog/pri.h"
#include "syslog/rfc3164.h"

static const char *skip_spaces(const char *p, const char *end)
{
    while (p < end && *p == ' ')
        p++;
    return p;
}

static const char *word(const char *p, const char *end, struct slice *value)
{
    const char *sp = memchr(p, ' ', (size_t)(end - p));
    *value = slice_between(p, sp ? sp : end);
    if (value->len == 0 || (value->len == 1 && *p == '-'))
        *value = (struct slice){0};
    return sp ? sp : end;
}

static const char *timestamp(struct lenient_time *r, const char *p, const char *end,
                             struct slice *value)
{
    *value = (struct slice){0};
    if (p < end && *p == '-')
        p++;
    else
        p = lenient_time_read_iso(r, p, end, value);
    return p && (p == end || *p == ' ') && p[-1] != ':' ? p : NULL;
}

/* A header of RFC 3164 behind a VERSION: what should be HOSTNAME or APP-NAME is a TAG. */
static bool is_tag(struct slice name)
{
    return name.len && name.data[name.len - 1] == ':' &&
           (name.len == 1 || name.data[name.len - 2] != ':');
}

static const char *elements(const char *p, const char *end, struct structured_data *sd)
{
    struct defect defect;
    struct parse_input in = {p, end, &defect};
    const char *behind = p < end && *p == '[' ? structured_data_parse(&in, p, sd) : NULL;
    if (!behind)
        sd->element_count = sd->param_count = 0;
    return behind;
}

/* From the SP behind the TIMESTAMP to that before the MSG, or to the MSG. */
static const char *fields(const char *p, const char *end, struct syslog_message *m)
{
    struct slice *const values[] = {&m->hostname, &m->appname, &m->procid, &m->msgid};
    const char *behind = NULL;
    for (int i = 0; i < 4 && !behind; i++) {
        p = skip_spaces(p, end);
        behind = i >= 2 ? elements(p, end, &m->sd) : NULL;
        if (behind && m->sd.param_count == 0)
            behind = NULL; /* a PROCID in brackets */
        if (!behind)
            p = word(p, end, values[i]);
    }
    if (behind)
        return behind;
    p = skip_spaces(p, end);
    behind = elements(p, end, &m->sd);
    if (behind)
        return behind;
    bool none =
        p < end && *p == '-' && (p + 1 == end || p[1] == ' ' || skip_bom(p + 1, end) != p + 1);
    return none ? p + 1 : p;
}

/* From the SP before it, where there is one. */
static struct slice msg(const char *p, const char *end)
{
    if (p == end)
        return (struct slice){0};
    if (*p == ' ')
        p++;
    return slice_between(skip_bom(p, end), end);
}

bool rfc5424_lenient_parse(struct slice message, struct lenient_time *reckoning,
                           struct syslog_message *m)
{
    const char *end = message.data + message.len;
    unsigned pri;
    const char *p = pri_read(rfc3164_start(message), end, &pri);
    p = p ? skip_bom(p, end) : NULL;
    if (!p || end - p < 3 || p[0] != '1' || p[1] != ' ')
        return false;
    *m = (struct syslog_message){
        .bytes = message, .pri = pri, .version = 1, .sd = m->sd, .cache = m->cache};
    m->sd.element_count = m->sd.param_count = 0;
    p = timestamp(reckoning, skip_spaces(p + 1, end), end, &m->timestamp);
    p = p ? fields(p, end, m) : NULL;
    if (!p || is_tag(m->hostname) || is_tag(m->appname))
        return false;
    m->msg = msg(p, end);
    return true;
}
