#include "syslog/rfc3164-host.h"

#include <strings.h>

#include "syslog/field-parse.h"
#include "syslog/level.h"
#include "syslog/rfc3164-cisco.h"
#include "syslog/rfc3164-tag.h"
#include "syslog/rfc3164-word.h"

enum { MAC_DIGITS = 12, USER = 1 };

/*
 * The steps that host_parse() tries one after the other. Each returns the byte after what it has
 * parsed, or NULL if the text is something else. `w` is the word after TIMESTAMP.
 */

static void host_set_tag(struct syslog_message *m, const struct tag *tag)
{
    m->appname = tag->name;
    m->procid = tag->pid;
}

/* A TAG, if there is one. */
static const char *host_read_tag(const char *p, const char *end, struct syslog_message *m)
{
    struct tag tag;
    const char *next = tag_read(word_skip_blanks(p, end), end, &tag);
    if (next)
        host_set_tag(m, &tag);
    return next;
}

static void host_set_severity(const struct host_input *in, unsigned pri, struct syslog_message *m)
{
    if (!in->has_pri)
        m->pri = pri;
}

/* A ':' or a device context before a mnemonic. */
static const char *host_before_mnemonic(const struct host_input *in, const struct word *w,
                                        struct syslog_message *m)
{
    if (!(w->text.len == 1 && *w->text.data == ':') &&
        !word_begins_with(w->text.data, in->end, "%$"))
        return NULL;
    const char *mnemonic = cisco_find_mnemonic(w->text.data, in->end);
    if (!mnemonic)
        return NULL;
    const char *next = host_read_tag(mnemonic, in->end, m);
    return next ? next : mnemonic;
}

/* NILVALUE in place of HOSTNAME. */
static const char *host_dash(const struct host_input *in, const struct word *w,
                             struct syslog_message *m)
{
    if (w->text.len != 1 || *w->text.data != '-')
        return NULL;
    return host_read_tag(w->after, in->end, m);
}

/* "Message forwarded from HOST: ", which AIX writes before a TAG. */
static const char *host_forwarded(const struct host_input *in, const struct word *w,
                                  struct syslog_message *m)
{
    static const char message[] = "Message forwarded from ";
    static const char forwarded[] = "Forwarded from ";
    const char *p = w->text.data;
    if (p == in->end || (*p != 'M' && *p != 'F'))
        return NULL;
    if (word_begins_with(p, in->end, message))
        p += sizeof message - 1;
    else if (word_begins_with(p, in->end, forwarded))
        p += sizeof forwarded - 1;
    else
        return NULL;
    const char *colon = word_read_host_colon(p, in->end, &m->hostname);
    if (!colon) {
        m->hostname = (struct slice){0};
        return NULL;
    }
    const char *next = host_read_tag(colon, in->end, m);
    return next ? next : colon;
}

/* Whether HOSTNAME and TAG at `p` are plain text, such as "kqueue error: unknown". */
static bool host_is_sentence(bool has_host_form, const struct tag *tag)
{
    return !has_host_form && tag_is_level(tag);
}

static bool host_has_form(const struct word *w)
{
    return word_looks_like_host(w) || word_is_address(w);
}

/* HOSTNAME and TAG after facility.severity, or one of them. */
static const char *host_after_pri(const struct host_input *in, const char *p,
                                  struct syslog_message *m)
{
    struct tag tag;
    const char *next = tag_read(p, in->end, &tag);
    if (!next && in->mode != HOST_NEVER) {
        struct word w = word_read(p, in->end);
        next = word_is_host(&w) ? tag_read(w.after, in->end, &tag) : NULL;
        if (!next || host_is_sentence(host_has_form(&w), &tag))
            return p;
        m->hostname = w.text;
    }
    if (!next)
        return p;
    host_set_tag(m, &tag);
    return next;
}

static bool host_read_pri(const struct word *w, unsigned *pri)
{
    unsigned allowed = WORD_LETTER | WORD_DIGIT | WORD_NAME_SIGN;
    return (w->classes & WORD_NAME_SIGN) && !(w->classes & ~allowed) &&
           level_read_pri(w->text, pri);
}

static bool host_read_level(const struct word *w, unsigned *pri)
{
    unsigned severity;
    if (w->classes != WORD_LETTER || !level_read(w->text, &severity))
        return false;
    *pri = USER * 8 + severity;
    return true;
}

/* facility.severity. */
static const char *host_pri(const struct host_input *in, const struct word *w,
                            struct syslog_message *m)
{
    unsigned pri;
    if (!host_read_pri(w, &pri))
        return NULL;
    host_set_severity(in, pri, m);
    return host_after_pri(in, w->after, m);
}

/* A level and a TAG. */
static const char *host_level(const struct host_input *in, const struct word *w,
                              struct syslog_message *m)
{
    unsigned pri;
    const char *next = host_read_level(w, &pri) ? host_read_tag(w->after, in->end, m) : NULL;
    if (next)
        host_set_severity(in, pri, m);
    return next;
}

/* Returns the byte after 12 hexadecimal digits and a comma, or NULL. */
static const char *host_skip_mac(const char *p, const char *end)
{
    for (int i = 0; i < MAC_DIGITS; i++, p++)
        if (p == end || (!is_digit(*p) && ((*p | 32) < 'a' || (*p | 32) > 'f')))
            return NULL;
    return p < end && *p == ',' ? p + 1 : NULL;
}

/* Whether it is [MODEL,]MAC,VERSION of an access point. */
static bool host_is_access_point(const struct word *name)
{
    if (!(name->classes & WORD_COMMA) || (name->classes & (WORD_ADDRESS_SIGN | WORD_OTHER)))
        return false;
    const char *end = name->text.data + name->text.len;
    const char *p = host_skip_mac(name->text.data, end);
    if (!p) {
        p = memchr(name->text.data, ',', name->text.len);
        p = p > name->text.data ? host_skip_mac(p + 1, end) : NULL;
    }
    return p && p < end && !memchr(p, ',', (size_t)(end - p));
}

/* "[MODEL,]MAC,VERSION:", as UniFi access points name themselves, and perhaps ':' and a TAG. */
static const char *host_access_point(const struct host_input *in, const struct word *w,
                                     const struct word *name, struct syslog_message *m)
{
    if (!host_is_access_point(name))
        return NULL;
    m->hostname = name->text;
    const char *rest = word_skip_colon(w->after, in->end);
    const char *next = host_read_tag(rest, in->end, m);
    return next ? next : rest;
}

/* "NAME: NAME: ", as NetApp writes. */
static const char *host_twice(const struct host_input *in, const struct word *w,
                              const struct word *name, struct syslog_message *m)
{
    struct word second = word_read(w->after, in->end);
    if (!slice_equal(second.text, w->text) || !word_is_host(name))
        return NULL;
    m->hostname = name->text;
    return second.text.data + second.text.len;
}

/* "HOST:" before a mnemonic, which is not a TAG. */
static const char *host_colon(const struct host_input *in, const struct word *w,
                              const struct word *name, struct syslog_message *m)
{
    if (!tag_is_mnemonic(w->after, in->end) || !word_is_host(name))
        return NULL;
    m->hostname = name->text;
    const char *next = host_read_tag(w->after, in->end, m);
    return next ? next : w->after;
}

/*
 * The steps after a word that may be HOSTNAME. Each returns the byte after what it has parsed, or
 * NULL if the word is not HOSTNAME because of it; the caller then sets HOSTNAME.
 */
struct host_candidate {
    const struct host_input *in;
    struct word word;
    struct word second; /* the word after it */
    bool has_form;      /* it looks like a host name or is an address, or --host=always */
    bool may_be_mac;    /* of the second word; otherwise it is not a TAG */
};

/* A TAG at `p`, except if it and the candidate are a sentence. */
static const char *host_candidate_tag(const struct host_candidate *c, const char *p,
                                      struct syslog_message *m)
{
    struct tag tag;
    const char *next = tag_read(p, c->in->end, &tag);
    if (!next || host_is_sentence(c->has_form, &tag))
        return NULL;
    host_set_tag(m, &tag);
    return next;
}

/* Whether a name is the first label of the other one. */
static bool host_is_first_label(struct slice name, struct slice other)
{
    return name.len < other.len && other.data[name.len] == '.' &&
           !memchr(name.data, '.', name.len) && strncasecmp(name.data, other.data, name.len) == 0;
}

/* Whether the second word is the same machine again. */
static bool host_is_repeated(const struct host_candidate *c)
{
    struct slice a = c->word.text;
    struct slice b = c->second.text;
    if (word_is_address(&c->second))
        return true;
    if (!word_is_host(&c->second) || word_is_address(&c->word))
        return false;
    return (a.len == b.len && strncasecmp(a.data, b.data, a.len) == 0) ||
           host_is_first_label(a, b) || host_is_first_label(b, a);
}

static const char *host_repeated(const struct host_candidate *c, struct syslog_message *m)
{
    return host_is_repeated(c) ? host_candidate_tag(c, c->second.after, m) : NULL;
}

/* "MAC,MODEL-VERSION:" and a TAG. */
static const char *host_mac(const struct host_candidate *c, struct syslog_message *m)
{
    if (!(c->second.classes & WORD_COMMA))
        return NULL;
    struct word name = word_without_colon(&c->second);
    if (!host_skip_mac(name.text.data, name.text.data + name.text.len))
        return NULL;
    return host_read_tag(c->second.after, c->in->end, m);
}

static bool host_is_upper(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] < 'A' || s.data[i] > 'Z')
            return false;
    return true;
}

/* A level and a TAG, unless this is a sentence, such as "Got error code: 5". */
static const char *host_level_and_tag(const struct host_candidate *c, struct syslog_message *m)
{
    unsigned pri;
    struct tag tag;
    const char *next =
        host_read_level(&c->second, &pri) ? tag_read(c->second.after, c->in->end, &tag) : NULL;
    if (!next ||
        !(c->has_form || tag.pid.data || (c->in->has_pri && host_is_upper(c->second.text))))
        return NULL;
    host_set_tag(m, &tag);
    host_set_severity(c->in, pri, m);
    return next;
}

/* facility.severity, or a level before a TAG. */
static const char *host_severity(const struct host_candidate *c, struct syslog_message *m)
{
    unsigned pri;
    if (!host_read_pri(&c->second, &pri))
        return host_level_and_tag(c, m);
    host_set_severity(c->in, pri, m);
    const char *next = host_read_tag(c->second.after, c->in->end, m);
    return next ? next : c->second.after;
}

/* A second header, of the device that a relay received the message from. */
static const char *host_second_header(const struct host_candidate *c, struct syslog_message *m)
{
    struct tag tag;
    bool has_time;
    const char *next = cisco_read_second_header(&c->second, c->in->end, &tag, &has_time);
    if (next)
        host_set_tag(m, &tag);
    else if (has_time && (c->in->has_pri || c->has_form))
        next = c->word.after;
    return next;
}

/* "1,", a list, or "name=", a pair. */
static bool host_is_list_or_pair(const char *p, const char *end)
{
    const char *q = p;
    while (q < end && is_digit(*q))
        q++;
    if (q < end && q > p && *q == ',')
        return true;
    while (q < end && (word_has(*q, WORD_LETTER | WORD_DIGIT) || *q == '_'))
        q++;
    return q < end && q > p && *q == '=';
}

/* Whether the text at `p` is that of a daemon or an appliance after HOSTNAME. */
static bool host_is_content(const char *p, const char *end)
{
    if (p == end)
        return false;
    switch (*p) {
    case 'l':
        return word_begins_with(p, end, "last message repeated ");
    case 'm':
        return word_begins_with(p, end, "message repeated ");
    case '-':
        return word_begins_with(p, end, "-- MARK --");
    case 'C':
        return word_begins_with(p, end, "CEF:");
    case 'L':
        return word_begins_with(p, end, "LEEF:");
    default:
        return false;
    }
}

/* Whether the text at `p` is data, which an application may write after any other word. */
static bool host_is_data(const char *p, const char *end)
{
    if (p < end && (*p == '{' || *p == '%'))
        return true;
    const char *after_colon = word_skip_colon(p, end);
    if (after_colon > p)
        return after_colon < end && *after_colon == '%';
    return host_is_list_or_pair(p, end);
}

/* Whether the candidate itself begins CONTENT, such as "last message repeated". */
static bool host_begins_content(const struct host_candidate *c)
{
    const char *p = c->word.text.data;
    return host_is_content(p, c->in->end) || host_is_data(p, c->in->end);
}

/* CONTENT by which the word before it is known to be HOSTNAME. */
static const char *host_content(const struct host_candidate *c, struct syslog_message *m)
{
    const char *p = c->word.after;
    const char *end = c->in->end;
    bool data = (c->in->has_pri || c->has_form) && host_is_data(p, end);
    if (!(data || host_is_content(p, end)) || host_begins_content(c))
        return NULL;
    if (!data)
        return p;
    const char *mnemonic = cisco_find_mnemonic(p, end);
    p = mnemonic ? mnemonic : word_skip_colon(p, end);
    const char *next = host_read_tag(p, end, m);
    return next ? next : p;
}

/* Topics of RouterOS, which are CONTENT. */
static const char *host_topics(const struct host_candidate *c)
{
    if (!(c->in->has_pri || c->has_form) || !(c->second.classes & WORD_COMMA))
        return NULL;
    return level_is_topics(c->second.text) ? c->word.after : NULL;
}

/* Any text, if the word itself is known to be HOSTNAME. */
static const char *host_appearance(const struct host_candidate *c, struct syslog_message *m)
{
    struct tag tag;
    bool always = c->in->mode == HOST_ALWAYS;
    bool has_pri = c->in->has_pri || always;
    if (!c->has_form || !(has_pri || word_is_address(&c->word)) ||
        (always && host_begins_content(c)))
        return NULL;
    const char *next = has_pri ? tag_read_any_colon(c->word.after, c->in->end, &tag) : NULL;
    if (!next)
        return c->word.after;
    host_set_tag(m, &tag);
    return next;
}

static const char *host_after_candidate(const struct host_candidate *c, struct syslog_message *m)
{
    const char *next = host_repeated(c, m);
    next = next ? next : host_mac(c, m);
    next = next ? next : host_severity(c, m);
    next = next ? next : host_second_header(c, m);
    next = next || !c->may_be_mac ? next : host_candidate_tag(c, c->word.after, m);
    next = next ? next : host_content(c, m);
    next = next ? next : host_topics(c);
    return next ? next : host_appearance(c, m);
}

/* HOSTNAME, if what follows or the word itself shows that it is one. */
static const char *host_word(const struct host_input *in, const struct word *w,
                             struct syslog_message *m)
{
    bool always = in->mode == HOST_ALWAYS;
    if (!(always ? word_may_be_host(w) : word_is_host(w)))
        return NULL;
    struct host_candidate c = {.in = in, .word = *w, .has_form = always || host_has_form(w)};
    const char *next = NULL;
    /* Most often a TAG follows. Of the other steps only that of a MAC could accept one, too. */
    c.may_be_mac = host_skip_mac(w->after, in->end) != NULL;
    if (!c.may_be_mac)
        next = host_candidate_tag(&c, w->after, m);
    if (!next) {
        c.second = word_read(w->after, in->end);
        next = host_after_candidate(&c, m);
    }
    if (next)
        m->hostname = w->text;
    return next;
}

/* A word that ends with ':' or ']', or begins with '%'; or that of Snare, which ends with a TAB. */
static const char *host_marked_word(const struct host_input *in, const struct word *w,
                                    struct syslog_message *m)
{
    const char *next = NULL;
    bool colon = w->text.data[w->text.len - 1] == ':';
    if (colon && *w->text.data != '%' && in->mode != HOST_NEVER) {
        struct word name = word_without_colon(w);
        next = host_access_point(in, w, &name, m);
        next = next ? next : host_twice(in, w, &name, m);
        next = next ? next : host_colon(in, w, &name, m);
    }
    return next ? next : host_read_tag(w->text.data, in->end, m);
}

/* The steps for which the first word is enough. */
static const char *host_known_word(const struct host_input *in, const struct word *w,
                                   struct syslog_message *m)
{
    const char *next = host_before_mnemonic(in, w, m);
    next = next ? next : host_dash(in, w, m);
    if (!next && in->mode != HOST_NEVER)
        next = host_forwarded(in, w, m);
    if (next || in->mode == HOST_ALWAYS)
        return next;
    next = host_pri(in, w, m);
    return next ? next : host_level(in, w, m);
}

const char *host_parse(const struct host_input *in, const char *p, struct syslog_message *m)
{
    struct word w = word_read(word_skip_blanks(p, in->end), in->end);
    const char *next = host_known_word(in, &w, m);
    if (!next && ((w.classes & WORD_ADDRESS_SIGN) || tag_is_snare(w.text)))
        next = host_marked_word(in, &w, m);
    if (!next && in->mode != HOST_NEVER)
        next = host_word(in, &w, m);
    return next ? next : p;
}
