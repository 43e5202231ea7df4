#include "syslog/rfc3164-cisco.h"

#include "syslog/field-parse.h"
#include "syslog/rfc3164-word.h"

enum { COUNTERS_MAX = 3, SEARCH_LEN = 200, NODE_SLASHES = 2 };

/* A sequence number, "42: ". */
static const char *cisco_skip_counter(const char *p, const char *end)
{
    const char *start = p;
    while (p < end && is_digit(*p))
        p++;
    if (p == start || end - p < 2 || p[0] != ':' || !word_is_blank(p[1]))
        return NULL;
    return word_skip_blanks(p + 1, end);
}

/* Each relay may add its own counter. */
static const char *cisco_skip_counters(const char *p, const char *end)
{
    const char *next;
    for (int i = 0; i < COUNTERS_MAX && (next = cisco_skip_counter(p, end)); i++)
        p = next;
    return p;
}

/* Skips the mark of a clock that is not synchronized. */
static const char *cisco_skip_mark(const char *p, const char *end)
{
    return p < end && (*p == '*' || *p == '.') ? p + 1 : p;
}

static const char *cisco_skip_time(const char *p, const char *end)
{
    return lenient_time_skip(cisco_skip_mark(p, end), end);
}

static const char *cisco_read_time(struct lenient_time *time, const char *p, const char *end,
                                   struct syslog_message *m)
{
    return lenient_time_read(time, cisco_skip_mark(p, end), end, &m->timestamp);
}

/* The virtual device context of a Nexus, "%$VDC-2%$ ", or `p`. */
static const char *cisco_skip_context(const char *p, const char *end)
{
    static const char vdc[] = "%$VDC-";
    if (!word_begins_with(p, end, vdc))
        return p;
    const char *digits = p + sizeof vdc - 1;
    const char *q = digits;
    while (q < end && is_digit(*q))
        q++;
    if (q == digits || end - q < 3 || q[0] != '%' || q[1] != '$' || !word_is_blank(q[2]))
        return p;
    return word_skip_blanks(q + 2, end);
}

const char *cisco_find_mnemonic(const char *p, const char *end)
{
    if (p == end || (*p != ':' && *p != '%'))
        return NULL;
    p = cisco_skip_context(word_skip_colon(p, end), end);
    return tag_is_mnemonic(p, end) ? p : NULL;
}

/* After a time that ends at `p`: the text after its ':', which may be separate, or NULL. */
static const char *cisco_after_colon(const char *p, const char *end)
{
    bool colon = p[-1] == ':';
    p = word_skip_blanks(p, end);
    const char *next = word_skip_colon(p, end);
    return colon || next > p ? next : NULL;
}

/* Whether the time that ends at `p` has a ':', and a mnemonic, or TAG[PID] and one, follow. */
static bool cisco_is_before_mnemonic(const char *p, const char *end)
{
    struct tag tag;
    p = cisco_after_colon(p, end);
    if (!p)
        return false;
    if (cisco_find_mnemonic(p, end))
        return true;
    p = tag_read(p, end, &tag);
    return p && tag.pid.data && p[-1] == ':' && tag_is_mnemonic(word_skip_blanks(p, end), end);
}

/* cisco_read_time() if cisco_is_before_mnemonic() applies to it. */
static const char *cisco_read_time_and_mnemonic(struct lenient_time *time, const char *p,
                                                const char *end, struct syslog_message *m)
{
    const char *next = cisco_skip_time(p, end);
    return next && cisco_is_before_mnemonic(next, end) ? cisco_read_time(time, p, end, m) : NULL;
}

/* "HOST: " before a time, as with `logging origin-id`. */
static const char *cisco_parse_origin(struct lenient_time *time, const char *p, const char *end,
                                      struct syslog_message *m)
{
    struct slice host;
    const char *next = word_read_host_colon(p, end, &host);
    if (!next)
        return NULL;
    next = word_skip_blanks(next, end);
    const char *counted = cisco_skip_counter(next, end);
    const char *start = counted ? counted : next;
    next = cisco_skip_time(start, end);
    next = next ? cisco_after_colon(next, end) : NULL;
    if (!next || !cisco_find_mnemonic(next, end))
        return NULL;
    m->hostname = host;
    return cisco_read_time(time, start, end, m);
}

/* "*TASK: " before a time, perhaps after "HOST: ", of a wireless LAN controller. */
static const char *cisco_parse_task(struct lenient_time *time, const char *p, const char *end,
                                    struct syslog_message *m)
{
    struct slice host = {0};
    const char *next = word_read_host_colon(p, end, &host);
    struct word task = word_read(next ? word_skip_blanks(next, end) : p, end);
    struct word name = word_without_colon(&task);
    if (name.text.len < 2 || *name.text.data != '*')
        return NULL;
    p = cisco_read_time_and_mnemonic(time, task.after, end, m);
    if (p && next)
        m->hostname = host;
    return p;
}

/* "NODE:", such as "RP/0/RSP0/CPU0:" of IOS XR. Returns the byte after it, or NULL. */
static const char *cisco_skip_node(const char *p, const char *end)
{
    int slashes = 0;
    const char *start = p;
    for (; p < end && word_has(*p, WORD_LETTER | WORD_DIGIT | WORD_NAME_SIGN | WORD_HOST_SIGN); p++)
        slashes += *p == '/';
    return p > start && slashes >= NODE_SLASHES && p < end && *p == ':' ? p + 1 : NULL;
}

static const char *cisco_parse_node(struct lenient_time *time, const char *p, const char *end,
                                    struct syslog_message *m)
{
    p = cisco_skip_node(p, end);
    return p ? cisco_read_time_and_mnemonic(time, p, end, m) : NULL;
}

/* A separate colon and a TAG after a counter. */
static const char *cisco_parse_separate_tag(const char *p, const char *end,
                                            struct syslog_message *m)
{
    struct tag tag;
    const char *start = word_skip_colon(p, end);
    const char *next = start > p ? tag_read_any_colon(start, end, &tag) : NULL;
    if (!next || next[-1] != ':')
        return NULL;
    m->appname = tag.name;
    m->procid = tag.pid;
    return next;
}

/* Whether a strict mnemonic with a ':' is at `p`. */
static bool cisco_is_strict_tag(const char *p, const char *end)
{
    p = tag_skip_strict_mnemonic(p, end);
    if (p && p < end && word_is_blank(*p))
        p++;
    return p && p < end && *p == ':';
}

/* The word that a search has reached, and the one before it. */
struct cisco_words {
    const char *start;
    struct word previous;
};

/* A time in the word, perhaps after a node. */
static const char *cisco_search_word(struct lenient_time *time, const struct cisco_words *words,
                                     const char *limit, const char *end, struct syslog_message *m)
{
    const char *node = cisco_skip_node(words->start, end);
    for (const char *p = words->start; p < limit && !word_ends(p, end); p++) {
        if (p > words->start && p[-1] != ':')
            continue;
        const char *next = cisco_read_time_and_mnemonic(time, p, end, m);
        if (!next)
            continue;
        if (p == node && word_is_host(&words->previous))
            m->hostname = words->previous.text;
        return next;
    }
    return NULL;
}

/*
 * After a counter: looks for a strict mnemonic, or for a time and a mnemonic, at the begin of a
 * word, and drops the text before it.
 */
static const char *cisco_search(struct lenient_time *time, const char *p, const char *end,
                                struct syslog_message *m)
{
    struct slice host;
    const char *limit = end - p < SEARCH_LEN ? end : p + SEARCH_LEN;
    const char *origin = word_read_host_colon(p, end, &host);
    struct cisco_words words = {.start = p};
    while (words.start < limit) {
        if (cisco_is_strict_tag(words.start, end))
            return words.start;
        const char *next = cisco_search_word(time, &words, limit, end, m);
        if (next) {
            if (origin)
                m->hostname = host;
            return next;
        }
        words.previous = word_read(words.start, end);
        words.start = words.previous.after;
    }
    return NULL;
}

const char *cisco_parse_prefix(struct lenient_time *time, const char *p, const char *end,
                               struct syslog_message *m)
{
    if (p < end && *p == ':')
        p = word_skip_blanks(p + 1, end);
    const char *start = p;
    p = cisco_skip_counters(p, end);
    const char *next = cisco_read_time(time, p, end, m);
    if (!next)
        next = cisco_parse_origin(time, p, end, m);
    if (next)
        return next;
    if (tag_is_mnemonic(p, end))
        return p;
    if (p > start) {
        next = cisco_parse_separate_tag(p, end, m);
        return next ? next : cisco_search(time, p, end, m);
    }
    next = cisco_parse_task(time, p, end, m);
    return next ? next : cisco_parse_node(time, p, end, m);
}

/* The mnemonic at `p`, perhaps after a HOSTNAME. */
static const char *cisco_skip_second_host(const char *p, const char *end)
{
    const char *next = cisco_find_mnemonic(p, end);
    if (next)
        return next;
    struct word w = word_read(p, end);
    struct word name = word_without_colon(&w);
    return word_is_host(&w) || word_is_host(&name) ? cisco_find_mnemonic(w.after, end) : NULL;
}

/* A time, perhaps after "HOST:" or a module. */
static const char *cisco_skip_second_time(const char *p, const char *end)
{
    struct slice host;
    const char *next = cisco_skip_time(p, end);
    if (next)
        return next;
    next = word_read_host_colon(p, end, &host);
    if (next)
        return cisco_skip_time(word_skip_blanks(next, end), end);
    next = cisco_skip_node(p, end);
    return next ? cisco_skip_time(next, end) : NULL;
}

const char *cisco_read_second_header(const struct word *w, const char *end, struct tag *tag,
                                     bool *has_time)
{
    bool has_colon = (w->classes & WORD_ADDRESS_SIGN) != 0; /* or another such character */
    const char *start = has_colon ? word_skip_colon(w->text.data, end) : w->text.data;
    const char *p = has_colon ? cisco_skip_counters(start, end) : start;
    const char *next = has_colon ? cisco_skip_second_time(p, end) : cisco_skip_time(p, end);
    *has_time = next != NULL;
    if (next)
        next = cisco_skip_second_host(word_skip_blanks(next, end), end);
    else if (p > start && tag_is_mnemonic(p, end))
        next = p;
    return next ? tag_read(next, end, tag) : NULL;
}
