#include "syslog/rfc3164.h"

#include "base/defect.h"
#include "syslog/field-parse.h"
#include "syslog/pri.h"
#include "syslog/rfc3164-header.h"

enum { USER_NOTICE = 13, COUNTERS_MAX = 3 };

static const char *rfc3164_skip(const char *p, const char *end, char c)
{
    while (p < end && *p == c)
        p++;
    return p;
}

static const char *rfc3164_skip_blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    return p;
}

static const char *rfc3164_skip_text(const char *p, const char *end, const char *text)
{
    if (p == end || *p != *text)
        return NULL;
    size_t n = strlen(text);
    return (size_t)(end - p) >= n && memcmp(p, text, n) == 0 ? p + n : NULL;
}

const char *rfc3164_start(struct slice message)
{
    unsigned pri;
    const char *end = message.data + message.len;
    const char *p = skip_bom(message.data, end);
    const char *next = rfc3164_skip(p, end, ' ');
    return next > p && pri_read(next, end, &pri) ? next : p;
}

/* A sequence number of Cisco, "42: "; each relay may add its own. */
static const char *rfc3164_counter(const char *p, const char *end)
{
    const char *start = p;
    while (p < end && is_digit(*p))
        p++;
    return p > start ? rfc3164_skip_text(p, end, ": ") : NULL;
}

/* A time, perhaps with a '*' or '.' of Cisco, which means that the clock is not synchronized. */
static const char *rfc3164_time(struct lenient_time *time, const char *p, const char *end,
                                struct slice *timestamp)
{
    if (p < end && (*p == '*' || *p == '.'))
        p++;
    return lenient_time_read(time, p, end, timestamp);
}

/* "HOST:", followed by SP or the end. */
static const char *rfc3164_host_colon(const char *p, const char *end, struct slice *host)
{
    const char *blank = p;
    while (blank < end && *blank != ' ')
        blank++;
    if (blank == p || blank[-1] != ':')
        return NULL;
    return rfc3164_read_host(p, blank - 1, host) == blank - 1 ? blank : NULL;
}

/* "HOST: " before a time, as Cisco writes with `logging origin-id`. */
static const char *rfc3164_origin(struct lenient_time *time, const char *p, const char *end,
                                  struct syslog_message *m)
{
    struct slice host;
    const char *next = rfc3164_host_colon(p, end, &host);
    if (!next)
        return NULL;
    next = rfc3164_skip(next, end, ' ');
    const char *number = rfc3164_counter(next, end);
    next = rfc3164_time(time, number ? number : next, end, &m->timestamp);
    if (!next || next[-1] != ':' || !rfc3164_is_mnemonic(rfc3164_skip(next, end, ' '), end)) {
        m->timestamp = (struct slice){0};
        return NULL;
    }
    m->hostname = host;
    return next;
}

/*
 * A time after something else: VERSION, ":", sequence numbers, or an origin. Without a time, these
 * must precede a mnemonic.
 */
static const char *rfc3164_prefix(struct lenient_time *time, const char *p, const char *end,
                                  struct syslog_message *m)
{
    const char *next = rfc3164_skip_text(p, end, "1 ");
    if (next)
        return lenient_time_read(time, rfc3164_skip(next, end, ' '), end, &m->timestamp);
    if (p < end && *p == ':')
        p = rfc3164_skip(p + 1, end, ' ');
    for (int i = 0; i < COUNTERS_MAX && (next = rfc3164_counter(p, end)); i++)
        p = rfc3164_skip(next, end, ' ');
    next = rfc3164_time(time, p, end, &m->timestamp);
    next = next ? next : rfc3164_origin(time, p, end, m);
    return next ? next : rfc3164_is_mnemonic(p, end) ? p : NULL;
}

/* "Message forwarded from HOST: ", which AIX writes before a TAG. */
static const char *rfc3164_forwarded(const char *p, const char *end, struct slice *host)
{
    const char *word = rfc3164_skip_text(p, end, "Message forwarded from ");
    word = word ? word : rfc3164_skip_text(p, end, "Forwarded from ");
    return word ? rfc3164_host_colon(word, end, host) : NULL;
}

static void rfc3164_set_tag(struct syslog_message *m, const struct rfc3164_tag *tag)
{
    m->appname = tag->name;
    m->procid = tag->pid;
}

/* A TAG, if there is one. */
static const char *rfc3164_parse_tag(const char *p, const char *end, struct syslog_message *m)
{
    struct rfc3164_tag tag;
    const char *next = rfc3164_read_tag(rfc3164_skip_blanks(p, end), end, &tag);
    if (!next)
        return p;
    rfc3164_set_tag(m, &tag);
    return next;
}

/* Whether `word`, which ends at `next`, is a "HOST:" before a mnemonic, which looks like a TAG. */
static bool rfc3164_is_host_tag(const struct rfc3164_tag *word, const char *next, const char *end)
{
    return *word->name.data != '%' && !word->pid.data && next[-1] == ':' &&
           rfc3164_is_mnemonic(rfc3164_skip(next, end, ' '), end);
}

/* After a time: a TAG, or a HOSTNAME, if what follows shows that it is one, and its TAG. */
static const char *rfc3164_host_and_tag(const char *p, const char *end, struct syslog_message *m)
{
    struct rfc3164_tag tag;
    struct slice word;
    const char *first = rfc3164_skip_blanks(p, end);
    const char *next = rfc3164_forwarded(first, end, &word);
    if (next) {
        m->hostname = word;
        return rfc3164_parse_tag(next, end, m);
    }
    next = rfc3164_read_tag(first, end, &tag);
    if (next && rfc3164_is_host_tag(&tag, next, end)) {
        m->hostname = tag.name;
        return rfc3164_parse_tag(next, end, m);
    }
    if (next) {
        rfc3164_set_tag(m, &tag);
        return next;
    }
    const char *after_host = rfc3164_read_host(first, end, &word);
    if (!after_host) {
        next = rfc3164_host_colon(first, end, &word); /* an address, which cannot be a TAG */
        if (!next || !rfc3164_is_mnemonic(rfc3164_skip(next, end, ' '), end))
            return p;
        m->hostname = word;
        return rfc3164_parse_tag(next, end, m);
    }
    const char *second = rfc3164_skip_blanks(after_host, end);
    next = rfc3164_read_tag(second, end, &tag);
    if (!next && (rfc3164_is_content(first, end) ||
                  (!rfc3164_is_content(second, end) && !rfc3164_is_address(word))))
        return p;
    m->hostname = word;
    if (next) {
        rfc3164_set_tag(m, &tag);
        return next;
    }
    next = rfc3164_skip_text(second, end, ": ");
    return next ? rfc3164_parse_tag(next, end, m) : rfc3164_skip_blanks(after_host, end);
}

bool rfc3164_parse(struct slice message, struct lenient_time *time, struct syslog_message *m,
                   struct defect *defect)
{
    const char *end = message.data + message.len;
    unsigned pri = USER_NOTICE;
    const char *p = rfc3164_start(message);
    const char *next = pri_read(p, end, &pri);
    bool has_pri = next != NULL;
    p = next ? skip_bom(next, end) : p;
    const char *first = rfc3164_skip_blanks(p, end);
    if (first == end) {
        *defect = (struct defect){"MSG", "is empty", message.len};
        return false;
    }
    *m = (struct syslog_message){.bytes = message, .pri = pri, .sd = m->sd, .cache = m->cache};
    m->sd.element_count = m->sd.param_count = 0;

    next = rfc3164_time(time, first, end, &m->timestamp);
    if (!next && has_pri)
        next = rfc3164_prefix(time, first, end, m);
    p = next ? next : p;
    if (m->timestamp.data && !m->hostname.data)
        p = rfc3164_host_and_tag(p, end, m);
    else if (m->timestamp.data || has_pri)
        p = rfc3164_parse_tag(p, end, m);
    if (p < end && (*p == ' ' || *p == '\t') && (m->timestamp.data || m->appname.data))
        p++;
    m->msg = slice_between(skip_bom(p, end), end);
    return true;
}
