#include "syslog/rfc5424-lenient.h"

#include "base/defect.h"
#include "syslog/field-parse.h"
#include "syslog/pri.h"
#include "syslog/rfc3164.h"

static const char *rfc5424_lenient_skip_sp(const char *p, const char *end)
{
    while (p < end && *p == ' ')
        p++;
    return p;
}

/* A field of any length and characters, up to SP or the end. */
static const char *rfc5424_lenient_word(const char *p, const char *end, struct slice *value)
{
    const char *sp = memchr(p, ' ', (size_t)(end - p));
    *value = slice_between(p, sp ? sp : end);
    if (value->len == 0 || (value->len == 1 && *p == '-'))
        *value = (struct slice){0};
    return sp ? sp : end;
}

static const char *rfc5424_lenient_timestamp(struct lenient_time *time, const char *p,
                                             const char *end, struct slice *value)
{
    *value = (struct slice){0};
    if (p < end && *p == '-')
        p++;
    else
        p = lenient_time_read_iso(time, p, end, value);
    return p && (p == end || *p == ' ') && p[-1] != ':' ? p : NULL;
}

/* A TAG in place of HOSTNAME or APP-NAME means that an RFC 3164 header follows VERSION. */
static bool rfc5424_lenient_is_tag(struct slice name)
{
    return name.len && name.data[name.len - 1] == ':' &&
           (name.len == 1 || name.data[name.len - 2] != ':');
}

/* 1*SD-ELEMENT. Returns the byte after it, or NULL with `sd` empty. */
static const char *rfc5424_lenient_elements(const char *p, const char *end,
                                            struct structured_data *sd)
{
    struct defect unused;
    struct parse_input in = {p, end, &unused};
    const char *next = p < end && *p == '[' ? structured_data_parse(&in, p, sd) : NULL;
    if (!next)
        sd->element_count = sd->param_count = 0;
    return next;
}

/*
 * HOSTNAME to STRUCTURED-DATA, from the SP after TIMESTAMP. STRUCTURED-DATA may come early, after
 * APP-NAME, and may be missing. Returns the SP before MSG, or MSG.
 */
static const char *rfc5424_lenient_fields(const char *p, const char *end, struct syslog_message *m)
{
    struct slice *const values[] = {&m->hostname, &m->appname, &m->procid, &m->msgid};
    const char *after_sd = NULL;
    for (int i = 0; i < 4 && !after_sd; i++) {
        p = rfc5424_lenient_skip_sp(p, end);
        after_sd = i >= 2 ? rfc5424_lenient_elements(p, end, &m->sd) : NULL;
        if (after_sd && m->sd.param_count == 0)
            after_sd = NULL; /* a PROCID in brackets */
        if (!after_sd)
            p = rfc5424_lenient_word(p, end, values[i]);
    }
    if (after_sd)
        return after_sd;
    p = rfc5424_lenient_skip_sp(p, end);
    after_sd = rfc5424_lenient_elements(p, end, &m->sd);
    if (after_sd)
        return after_sd;
    bool nil =
        p < end && *p == '-' && (p + 1 == end || p[1] == ' ' || skip_bom(p + 1, end) != p + 1);
    return nil ? p + 1 : p;
}

bool rfc5424_lenient_parse(struct slice message, struct lenient_time *time,
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
    p = rfc5424_lenient_timestamp(time, rfc5424_lenient_skip_sp(p + 1, end), end, &m->timestamp);
    p = p ? rfc5424_lenient_fields(p, end, m) : NULL;
    if (!p || rfc5424_lenient_is_tag(m->hostname) || rfc5424_lenient_is_tag(m->appname))
        return false;
    if (p < end)
        m->msg = slice_between(skip_bom(*p == ' ' ? p + 1 : p, end), end);
    return true;
}
