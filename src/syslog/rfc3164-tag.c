#include "syslog/rfc3164-tag.h"

#include "syslog/field-parse.h"
#include "syslog/level.h"
#include "syslog/rfc3164-word.h"

enum {
    PID_MAX = 128,
    TAG_CHARACTERS = WORD_LETTER | WORD_DIGIT | WORD_NAME_SIGN | WORD_HOST_SIGN | WORD_TAG_SIGN,
    TAG_BRACKETED = WORD_LETTER | WORD_DIGIT | WORD_NAME_SIGN
};

static bool tag_is_capital(char c)
{
    return (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_';
}

/* '%' or '%%', and a name of capitals. */
static const char *tag_skip_facility(const char *p, const char *end)
{
    if (p == end || *p++ != '%')
        return NULL;
    if (p < end && *p == '%')
        p++;
    const char *start = p;
    while (p < end && tag_is_capital(*p))
        p++;
    return p > start ? p : NULL;
}

bool tag_is_mnemonic(const char *p, const char *end)
{
    p = tag_skip_facility(p, end);
    return p && p < end && (*p == '-' || *p == '/');
}

/* Letters, digits and '_'. */
static const char *tag_skip_part(const char *p, const char *end)
{
    while (p < end && (word_has(*p, WORD_LETTER | WORD_DIGIT) || *p == '_'))
        p++;
    return p;
}

const char *tag_skip_strict_mnemonic(const char *p, const char *end)
{
    p = tag_skip_facility(p, end);
    while (p && p < end && *p == '-') {
        const char *part = ++p;
        p = tag_skip_part(p, end);
        if (p == part)
            return NULL;
        if (p - part > 1 || *part < '0' || *part > '7' || p == end || *p != '-')
            continue;
        const char *name = ++p;
        while (p < end && (tag_skip_part(p, end) > p || *p == '-'))
            p++;
        return p > name ? p : NULL;
    }
    return NULL;
}

bool tag_is_cef(const char *p, const char *end)
{
    if (p == end || (*p != 'C' && *p != 'L') ||
        !word_begins_with(p, end, *p == 'C' ? "CEF:" : "LEEF:"))
        return false;
    p += *p == 'C' ? 4 : 5;
    if (p < end && word_is_blank(*p))
        p++;
    return p < end && is_digit(*p);
}

bool tag_is_level(const struct tag *tag)
{
    unsigned severity;
    return tag->name.data[tag->name.len] == ':' && level_read(tag->name, &severity);
}

/* "[PID]" and a ':', a blank or the end. */
static const char *tag_read_pid(const char *p, const char *end, struct slice *value)
{
    const char *start = ++p;
    while (p < end && p - start < PID_MAX && (unsigned char)*p > ' ' && *p != '[' && *p != ']')
        p++;
    if (p == end || *p != ']')
        return NULL;
    *value = slice_between(start, p);
    if (value->len == 0)
        *value = (struct slice){0};
    p++;
    if (p < end && *p == ':')
        return p + 1;
    return word_ends(p, end) ? p : NULL;
}

/* "<0.12.0>" at the end of a name; or `p` itself. */
static const char *tag_skip_angle_brackets(const char *p, const char *end)
{
    if (p == end || *p != '<')
        return p;
    const char *start = p++;
    while (p < end && word_has(*p, TAG_BRACKETED))
        p++;
    return p < end && *p == '>' && p > start + 1 ? p + 1 : start;
}

/* Whether text, and not an URL, a path or a port, follows the ':' before `p`. */
static bool tag_is_before_text(const char *p, const char *end)
{
    return p < end && *p != '/' && *p != '\\' && *p != ':' && *p != '=' && !is_digit(*p);
}

/* The ':' that ends a TAG. */
static const char *tag_read_colon(const char *p, const char *end, bool percent, bool any_colon)
{
    if (percent && end - p >= 2 && word_is_blank(p[0]) && p[1] == ':')
        p++;
    if (p == end || *p != ':')
        return NULL;
    p++;
    if (percent || word_ends(p, end) || *p == '[' || *p == '{')
        return p;
    return any_colon && tag_is_before_text(p, end) ? p : NULL;
}

/* Whether `c` cannot be in a TAG of visible characters. */
static bool tag_is_excluded(char c)
{
    switch (c) {
    case '[':
    case ']':
    case '{':
    case '}':
    case '"':
    case '\'':
    case '=':
    case 127:
        return true;
    default:
        return (unsigned char)c <= ' ';
    }
}

static bool tag_has_letter(struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (word_has(name.data[i], WORD_LETTER))
            return true;
    return false;
}

/* A TAG of any visible characters before "[digits]:", of which those before `p` are usual ones. */
static const char *tag_read_visible(const char *start, const char *p, const char *end,
                                    struct tag *tag)
{
    if (!(word_has(*start, WORD_LETTER | WORD_DIGIT) || *start == '/'))
        return NULL;
    while (p < end && !tag_is_excluded(*p))
        p++;
    if (p == end || *p != '[')
        return NULL;
    tag->name = slice_between(start, p);
    const char *pid = ++p;
    while (p < end && is_digit(*p) && p - pid < PID_MAX)
        p++;
    tag->pid = slice_between(pid, p);
    if (p == pid || end - p < 2 || p[0] != ']' || p[1] != ':' || !word_ends(p + 2, end))
        return NULL;
    return tag_has_letter(tag->name) ? p + 2 : NULL;
}

bool tag_is_snare(struct slice name)
{
    static const struct slice snare = {"MSWinEventLog", 13};
    return slice_equal(name, snare);
}

/* A TAG of usual characters. */
static const char *tag_read_usual(const char *p, const char *end, struct tag *tag, bool any_colon)
{
    const char *start = p;
    unsigned classes = 0;
    for (; p < end && word_has(*p, TAG_CHARACTERS); p++)
        classes |= word_classes[(unsigned char)*p];
    *tag = (struct tag){.name = slice_between(start, p)};
    if (!(classes & WORD_LETTER))
        return NULL;
    p = tag_skip_angle_brackets(p, end);
    tag->name.len = (size_t)(p - start);
    if (p < end && *p == '[')
        return tag_read_pid(p, end, &tag->pid);
    if (p < end && *p == '\t' && tag_is_snare(tag->name))
        return p;
    const char *next = tag_read_colon(p, end, *start == '%', any_colon);
    if (next || *start != '%')
        return next;
    return p < end && word_is_blank(*p) && tag_skip_strict_mnemonic(start, end) == p ? p : NULL;
}

static const char *tag_read_kind(const char *p, const char *end, struct tag *tag, bool any_colon)
{
    if (tag_is_cef(p, end))
        return NULL;
    const char *next = tag_read_usual(p, end, tag, any_colon);
    const char *stop = tag->name.data + tag->name.len;
    if (next || stop == end || tag_is_excluded(*stop))
        return next;
    return tag_read_visible(p, stop, end, tag);
}

const char *tag_read(const char *p, const char *end, struct tag *tag)
{
    return tag_read_kind(p, end, tag, false);
}

const char *tag_read_any_colon(const char *p, const char *end, struct tag *tag)
{
    return tag_read_kind(p, end, tag, true);
}
