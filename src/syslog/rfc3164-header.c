#include "syslog/rfc3164-header.h"

#include <arpa/inet.h>

#include "syslog/field-parse.h"

enum { PID_MAX = 128 };

/* Character classes. All bytes of UTF-8 outside US-ASCII count as letters. */
enum { LETTER = 1, DIGIT = 2, TAG_SIGN = 4, HOST_SIGN = 8, ADDRESS_SIGN = 16 };

static const unsigned char rfc3164_classes[256] = {['A' ... 'Z'] = LETTER,
                                                   ['a' ... 'z'] = LETTER,
                                                   [0x80 ... 0xFF] = LETTER,
                                                   ['0' ... '9'] = DIGIT,
                                                   ['.'] = TAG_SIGN | HOST_SIGN,
                                                   ['_'] = TAG_SIGN | HOST_SIGN,
                                                   ['-'] = TAG_SIGN | HOST_SIGN,
                                                   ['/'] = TAG_SIGN | HOST_SIGN,
                                                   ['@'] = TAG_SIGN | HOST_SIGN,
                                                   ['%'] = TAG_SIGN | ADDRESS_SIGN,
                                                   ['('] = TAG_SIGN,
                                                   [')'] = TAG_SIGN,
                                                   ['#'] = TAG_SIGN,
                                                   ['+'] = TAG_SIGN,
                                                   ['$'] = TAG_SIGN,
                                                   ['~'] = TAG_SIGN,
                                                   ['*'] = TAG_SIGN,
                                                   ['&'] = TAG_SIGN,
                                                   ['!'] = TAG_SIGN,
                                                   [','] = HOST_SIGN,
                                                   [':'] = ADDRESS_SIGN,
                                                   ['['] = ADDRESS_SIGN,
                                                   [']'] = ADDRESS_SIGN};

static bool rfc3164_has_class(char c, unsigned classes)
{
    return (rfc3164_classes[(unsigned char)c] & classes) != 0;
}

static bool rfc3164_is_word(char c)
{
    return rfc3164_has_class(c, LETTER | DIGIT);
}

static bool rfc3164_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

bool rfc3164_is_mnemonic(const char *p, const char *end)
{
    if (p == end || *p++ != '%')
        return false;
    if (p < end && *p == '%')
        p++;
    const char *start = p;
    while (p < end && ((*p >= 'A' && *p <= 'Z') || is_digit(*p) || *p == '_'))
        p++;
    return p > start && p < end && (*p == '-' || *p == '/');
}

/* "[PID]" and a ':', SP, TAB or the end. */
static const char *rfc3164_read_pid(const char *p, const char *end, struct slice *value)
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
    return p == end || rfc3164_is_blank(*p) ? p : NULL;
}

/* The ':' that ends a TAG. */
static const char *rfc3164_read_colon(const char *p, const char *end, bool mnemonic)
{
    if (mnemonic && end - p >= 2 && p[0] == ' ' && p[1] == ':')
        p++;
    if (p == end || *p != ':')
        return NULL;
    p++;
    return p == end || rfc3164_is_blank(*p) || mnemonic ? p : NULL;
}

static bool rfc3164_is_snare(struct slice name)
{
    static const char snare[] = "MSWinEventLog";
    return slice_equal(name, (struct slice){snare, sizeof snare - 1});
}

const char *rfc3164_read_tag(const char *p, const char *end, struct rfc3164_tag *tag)
{
    const char *start = p;
    unsigned seen = 0;
    for (; p < end && rfc3164_has_class(*p, LETTER | DIGIT | TAG_SIGN); p++)
        seen |= rfc3164_classes[(unsigned char)*p];
    if (!(seen & LETTER))
        return NULL;
    *tag = (struct rfc3164_tag){.name = slice_between(start, p)};
    if (p < end && *p == '[')
        return rfc3164_read_pid(p, end, &tag->pid);
    if (p < end && *p == '\t' && rfc3164_is_snare(tag->name))
        return p;
    return rfc3164_read_colon(p, end, *start == '%');
}

bool rfc3164_is_address(struct slice word)
{
    char text[INET6_ADDRSTRLEN];
    unsigned char address[sizeof(struct in6_addr)];
    if (word.len >= 2 && word.data[0] == '[' && word.data[word.len - 1] == ']')
        word = (struct slice){word.data + 1, word.len - 2};
    const char *zone = word.len ? memchr(word.data, '%', word.len) : NULL;
    if (zone)
        word = slice_between(word.data, zone);
    if (word.len == 0 || word.len >= sizeof text)
        return false;
    memcpy(text, word.data, word.len);
    text[word.len] = '\0';
    if (memchr(text, ':', word.len))
        return inet_pton(AF_INET6, text, address) == 1;
    return !zone && is_digit(*text) && inet_pton(AF_INET, text, address) == 1;
}

const char *rfc3164_read_host(const char *p, const char *end, struct slice *host)
{
    const char *start = p;
    unsigned seen = 0;
    for (; p < end && rfc3164_has_class(*p, LETTER | DIGIT | HOST_SIGN | ADDRESS_SIGN); p++)
        seen |= rfc3164_classes[(unsigned char)*p];
    *host = slice_between(start, p);
    if (p == start || (p < end && !rfc3164_is_blank(*p)))
        return NULL;
    if (!(seen & ADDRESS_SIGN))
        return rfc3164_is_word(*start) && rfc3164_is_word(p[-1]) ? p : NULL;
    return rfc3164_is_address(*host) ? p : NULL;
}

static bool rfc3164_begins_with(const char *p, const char *end, const char *text)
{
    if (p == end || *p != *text)
        return false;
    size_t n = strlen(text);
    return (size_t)(end - p) >= n && memcmp(p, text, n) == 0;
}

/* "1,", a list, or "name=", a pair. */
static bool rfc3164_is_data(const char *p, const char *end)
{
    const char *q = p;
    while (q < end && is_digit(*q))
        q++;
    if (q < end && q > p && *q == ',')
        return true;
    while (q < end && (rfc3164_is_word(*q) || *q == '_'))
        q++;
    return q < end && q > p && *q == '=';
}

bool rfc3164_is_content(const char *p, const char *end)
{
    static const char *const known[] = {"last message repeated ",
                                        "message repeated ",
                                        "-- MARK --",
                                        "CEF:",
                                        "LEEF:",
                                        "{",
                                        "%",
                                        ": %"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (rfc3164_begins_with(p, end, known[i]))
            return true;
    return rfc3164_is_data(p, end);
}
