#include "syslog/rfc5424-lenient.h"

#include "base/defect.h"
#include "syslog/field-parse.h"
#include "syslog/pri.h"
#include "syslog/rfc3164-tag.h"
#include "syslog/rfc3164.h"
#include "syslog/sd-lenient.h"

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

/* 1*SD-ELEMENT of valid grammar. Returns the byte after it, or NULL with `sd` empty. */
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

/* Whether JSON, CEF or LEEF begins in place of a field. */
static bool rfc5424_lenient_is_msg(const char *p, const char *end)
{
    return p < end && (*p == '{' || tag_is_cef(p, end));
}

enum rfc5424_field { HOSTNAME, APP_NAME, PROCID, MSGID, FIELDS };

/* The fields between TIMESTAMP and STRUCTURED-DATA. */
struct rfc5424_fields {
    struct slice *values[FIELDS];
    const char *start[FIELDS]; /* NULL if the header ends before it */
};

static bool rfc5424_lenient_is_nil(const struct rfc5424_fields *f, enum rfc5424_field field)
{
    return f->start[field] && *f->start[field] == '-' && !f->values[field]->data;
}

static bool rfc5424_lenient_has_digit(struct slice value)
{
    for (size_t i = 0; i < value.len; i++)
        if (is_digit(value.data[i]))
            return true;
    return false;
}

/* Whether the fields after HOSTNAME are the words of a sentence, and STRUCTURED-DATA is missing. */
static bool rfc5424_lenient_is_sentence(const struct rfc5424_fields *f)
{
    struct slice procid = *f->values[PROCID];
    return f->values[APP_NAME]->data && !rfc5424_lenient_is_tag(*f->values[APP_NAME]) &&
           procid.data && !rfc5424_lenient_has_digit(procid) && !rfc5424_lenient_is_nil(f, MSGID);
}

/* Removes the ':' of Pulse Secure, which writes "NAME: - - -". */
static void rfc5424_lenient_trim_colon(const struct rfc5424_fields *f, const char *after_nil,
                                       const char *end)
{
    struct slice *name = f->values[APP_NAME];
    if (rfc5424_lenient_is_nil(f, PROCID) && rfc5424_lenient_is_nil(f, MSGID) &&
        (after_nil == end || *after_nil == ' ') && name->len > 1 && rfc5424_lenient_is_tag(*name))
        name->len--;
}

/* STRUCTURED-DATA, or MSG in its place. Returns the byte after it. */
static const char *rfc5424_lenient_sd(const char *p, const char *end,
                                      const struct rfc5424_fields *f, struct structured_data *sd)
{
    if (p < end && *p == '[') {
        const char *next = rfc5424_lenient_elements(p, end, sd);
        next = next ? next : sd_lenient_parse(p, end, sd);
        return next ? next : p;
    }
    sd->element_count = sd->param_count = 0;
    if (p < end && *p == '-' && (p + 1 == end || p[1] == ' ' || skip_bom(p + 1, end) != p + 1)) {
        rfc5424_lenient_trim_colon(f, p + 1, end);
        return p + 1;
    }
    if (skip_bom(p, end) != p || !rfc5424_lenient_is_sentence(f))
        return p;
    p = f->start[APP_NAME];
    for (int i = APP_NAME; i < FIELDS; i++)
        *f->values[i] = (struct slice){0};
    return p;
}

/*
 * HOSTNAME to STRUCTURED-DATA, from the SP after TIMESTAMP. MSG may begin early. STRUCTURED-DATA
 * may come early, after APP-NAME, and may be missing. Returns the SP before MSG, or MSG.
 */
static const char *rfc5424_lenient_fields(const char *p, const char *end, struct syslog_message *m)
{
    struct rfc5424_fields f = {{&m->hostname, &m->appname, &m->procid, &m->msgid}, {0}};
    for (int i = HOSTNAME; i < FIELDS; i++) {
        p = rfc5424_lenient_skip_sp(p, end);
        if (rfc5424_lenient_is_msg(p, end))
            return p;
        const char *after_sd = i >= PROCID ? rfc5424_lenient_elements(p, end, &m->sd) : NULL;
        if (after_sd && m->sd.param_count) /* without any, it is a name in brackets */
            return after_sd;
        f.start[i] = p < end ? p : NULL;
        p = rfc5424_lenient_word(p, end, f.values[i]);
    }
    return rfc5424_lenient_sd(rfc5424_lenient_skip_sp(p, end), end, &f, &m->sd);
}

bool rfc5424_lenient_parse(struct slice message, struct lenient_time *time,
                           struct syslog_message *m)
{
    const char *end = message.data + message.len;
    unsigned pri;
    const char *p = pri_read(rfc3164_start(message), end, &pri);
    p = p ? skip_bom(p, end) : NULL;
    if (!p || end - p < 3 || (p[0] != '0' && p[0] != '1') || p[1] != ' ')
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
