#include "syslog/rfc3164.h"

#include "base/defect.h"
#include "syslog/field-parse.h"
#include "syslog/pri.h"
#include "syslog/rfc3164-cisco.h"
#include "syslog/rfc3164-word.h"

enum { USER_NOTICE = 13 };

const char *rfc3164_start(struct slice message)
{
    unsigned pri;
    const char *end = message.data + message.len;
    const char *p = skip_bom(message.data, end);
    const char *next = p;
    while (next < end && *next == ' ')
        next++;
    return next > p && pri_read(next, end, &pri) ? next : p;
}

/* VERSION and a time, of a message that is RFC 3164 otherwise. */
static const char *rfc3164_version(const struct rfc3164_options *options, struct lenient_time *time,
                                   const char *p, const char *end, struct syslog_message *m)
{
    if (end - p < 2 || p[1] != ' ' || (*p != '1' && !(*p == '0' && options->version_0)))
        return NULL;
    return lenient_time_read(time, word_skip_blanks(p + 1, end), end, &m->timestamp);
}

/* TIMESTAMP, and after PRI what may be before it or in its place. */
static const char *rfc3164_timestamp(const struct rfc3164_options *options, bool has_pri,
                                     struct lenient_time *time, const char *p, const char *end,
                                     struct syslog_message *m)
{
    const char *start = p < end && (*p == '*' || *p == '.') ? p + 1 : p;
    const char *next = lenient_time_read(time, start, end, &m->timestamp);
    if (next || !has_pri)
        return next;
    next = rfc3164_version(options, time, p, end, m);
    return next ? next : cisco_parse_prefix(time, p, end, m);
}

/* A TAG, if there is one; a ':' of Cisco before it is removed. */
static const char *rfc3164_tag(const char *p, const char *end, struct syslog_message *m)
{
    struct tag tag;
    const char *first = word_skip_blanks(p, end);
    const char *mnemonic = m->timestamp.data ? cisco_find_mnemonic(first, end) : NULL;
    const char *next = tag_read(mnemonic ? mnemonic : first, end, &tag);
    if (!next)
        return p;
    m->appname = tag.name;
    m->procid = tag.pid;
    return next;
}

/* HOSTNAME and TAG. */
static const char *rfc3164_header(const struct host_input *in, const char *p,
                                  struct syslog_message *m)
{
    if (m->appname.data)
        return p;
    if (m->timestamp.data && !m->hostname.data)
        return host_parse(in, p, m);
    return m->timestamp.data || in->has_pri ? rfc3164_tag(p, in->end, m) : p;
}

bool rfc3164_parse(struct slice message, const struct rfc3164_options *options,
                   struct lenient_time *time, struct syslog_message *m, struct defect *defect)
{
    const char *end = message.data + message.len;
    unsigned pri = USER_NOTICE;
    const char *p = rfc3164_start(message);
    const char *next = pri_read(p, end, &pri);
    bool has_pri = next != NULL;
    p = next ? skip_bom(next, end) : p;
    const char *first = word_skip_blanks(p, end);
    if (first == end) {
        *defect = (struct defect){"MSG", "is empty", message.len};
        return false;
    }
    *m = (struct syslog_message){.bytes = message, .pri = pri, .sd = m->sd, .cache = m->cache};
    m->sd.element_count = m->sd.param_count = 0;
    time->no_host = options->host == HOST_NEVER;

    next = rfc3164_timestamp(options, has_pri, time, first, end, m);
    p = next ? next : p;
    p = rfc3164_header(&(struct host_input){end, has_pri, options->host}, p, m);
    if (p < end && word_is_blank(*p) && (m->timestamp.data || m->appname.data))
        p++;
    m->msg = slice_between(skip_bom(p, end), end);
    if (options->host == HOST_NEVER)
        m->hostname = (struct slice){0};
    return true;
}
