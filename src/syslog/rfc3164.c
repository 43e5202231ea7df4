#include "syslog/rfc3164.h"

#include "base/defect.h"
#include "syslog/field-parse.h"
#include "syslog/pri.h"
#include "syslog/rfc3164-header.h"

enum { USER_NOTICE = 13, COUNTERS = 3 };

static const char *skip(const char *p, const char *end, char c)
{
    while (p < end && *p == c)
        p++;
    return p;
}

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    return p;
}

static const char *skip_text(const char *p, const char *end, const char *text)
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
    const char *behind = skip(p, end, ' ');
    return behind > p && pri_read(behind, end, &pri) ? behind : p;
}

/* Digits, ':' and SP: Cisco counts its messages, and its relays do once more. */
static const char *counter(const char *p, const char *end)
{
    const char *start = p;
    while (p < end && is_digit(*p))
        p++;
    return p > start ? skip_text(p, end, ": ") : NULL;
}

/* With the mark that Cisco sets before a time which it is not sure of. */
static const char *marked_time(struct lenient_time *r, const char *p, const char *end,
                               struct slice *timestamp)
{
    if (p < end && (*p == '*' || *p == '.'))
        p++;
    return lenient_time_read(r, p, end, timestamp);
}

/* "HOST:" and what is behind it, a SP or the end. */
static const char *host_and_colon(const char *p, const char *end, struct slice *host)
{
    const char *blank = p;
    while (blank < end && *blank != ' ')
        blank++;
    if (blank == p || blank[-1] != ':')
        return NULL;
    return host_read(p, blank - 1, host) == blank - 1 ? blank : NULL;
}

/* "HOST: " before a time, which Cisco writes where it is told to. */
static const char *origin(struct lenient_time *r, const char *p, const char *end,
                          struct syslog_message *m)
{
    struct slice host;
    const char *behind = host_and_colon(p, end, &host);
    if (!behind)
        return NULL;
    behind = skip(behind, end, ' ');
    const char *number = counter(behind, end);
    behind = marked_time(r, number ? number : behind, end, &m->timestamp);
    if (!behind || behind[-1] != ':' || !mnemonic_begins(skip(behind, end, ' '), end)) {
        m->timestamp = (struct slice){0};
        return NULL;
    }
    m->hostname = host;
    return behind;
}

/* What precedes a time, and the time; or, without one, what precedes a mnemonic. */
static const char *unusual_beginning(struct lenient_time *r, const char *p, const char *end,
                                     struct syslog_message *m)
{
    const char *next = skip_text(p, end, "1 ");
    if (next)
        return lenient_time_read(r, skip(next, end, ' '), end, &m->timestamp);
    if (p < end && *p == ':')
        p = skip(p + 1, end, ' ');
    for (int i = 0; i < COUNTERS && (next = counter(p, end)); i++)
        p = skip(next, end, ' ');
    next = marked_time(r, p, end, &m->timestamp);
    next = next ? next : origin(r, p, end, m);
    return next ? next : mnemonic_begins(p, end) ? p : NULL;
}

/* "Message forwarded from HOST: ", which AIX sets before a TAG. */
static const char *forwarded(const char *p, const char *end, struct slice *host)
{
    const char *word = skip_text(p, end, "Message forwarded from ");
    word = word ? word : skip_text(p, end, "Forwarded from ");
    return word ? host_and_colon(word, end, host) : NULL;
}

static const char *take_tag(const char *behind, const struct tag *tag, struct syslog_message *m)
{
    m->appname = tag->name;
    m->procid = tag->pid;
    return behind;
}

static const char *tag(const char *p, const char *end, struct syslog_message *m)
{
    struct tag found;
    const char *behind = tag_read(skip_blanks(p, end), end, &found);
    return behind ? take_tag(behind, &found, m) : p;
}

/* "HOST: " before a mnemonic looks like a TAG. */
static bool is_machine(const struct tag *word, const char *behind, const char *end)
{
    return *word->name.data != '%' && !word->pid.data && behind[-1] == ':' &&
           mnemonic_begins(skip(behind, end, ' '), end);
}

/* Behind a time: a TAG, or a HOST where what follows it says that it is one, and its TAG. */
static const char *host_and_tag(const char *p, const char *end, struct syslog_message *m)
{
    struct tag found;
    struct slice word;
    const char *first = skip_blanks(p, end);
    const char *behind = forwarded(first, end, &word);
    if (behind) {
        m->hostname = word;
        return tag(behind, end, m);
    }
    behind = tag_read(first, end, &found);
    if (behind && !is_machine(&found, behind, end))
        return take_tag(behind, &found, m);
    if (behind) {
        m->hostname = found.name;
        return tag(behind, end, m);
    }
    behind = host_read(first, end, &word);
    if (!behind) {
        behind = host_and_colon(first, end, &word); /* an address, which could be no TAG */
        if (!behind || !mnemonic_begins(skip(behind, end, ' '), end))
            return p;
        m->hostname = word;
        return tag(behind, end, m);
    }
    const char *next = skip_blanks(behind, end);
    behind = tag_read(next, end, &found);
    if (!behind &&
        (content_begins(first, end) || (!content_begins(next, end) && !host_is_address(word))))
        return p;
    m->hostname = word;
    if (behind)
        return take_tag(behind, &found, m);
    next = skip_text(next, end, ": ");
    return next ? tag(next, end, m) : skip_blanks(word.data + word.len, end);
}

bool rfc3164_parse(struct slice message, struct lenient_time *reckoning, struct syslog_message *m,
                   struct defect *defect)
{
    const char *end = message.data + message.len;
    unsigned pri = USER_NOTICE;
    const char *p = rfc3164_start(message);
    const char *behind = pri_read(p, end, &pri);
    bool has_pri = behind != NULL;
    p = behind ? skip_bom(behind, end) : p;
    const char *first = skip_blanks(p, end);
    if (first == end) {
        *defect = (struct defect){"MSG", "there is none", message.len};
        return false;
    }
    *m = (struct syslog_message){.bytes = message, .pri = pri, .sd = m->sd, .cache = m->cache};
    m->sd.element_count = m->sd.param_count = 0;

    behind = marked_time(reckoning, first, end, &m->timestamp);
    if (!behind && has_pri)
        behind = unusual_beginning(reckoning, first, end, m);
    p = behind ? behind : p;
    if (m->timestamp.data && !m->hostname.data)
        p = host_and_tag(p, end, m);
    else if (m->timestamp.data || has_pri)
        p = tag(p, end, m);
    if (p < end && (*p == ' ' || *p == '\t') && (m->timestamp.data || m->appname.data))
        p++;
    m->msg = slice_between(skip_bom(p, end), end);
    return true;
}
