#include "syslog/rfc3164-word.h"

#include <arpa/inet.h>

#include "syslog/level.h"

enum { WORD_NAME = WORD_LETTER | WORD_DIGIT | WORD_NAME_SIGN };

const unsigned char word_classes[256] = {[0 ... 8] = WORD_OTHER,
                                         [10 ... 31] = WORD_OTHER,
                                         ['!'] = WORD_TAG_SIGN,
                                         ['"'] = WORD_OTHER,
                                         ['#' ... '$'] = WORD_TAG_SIGN,
                                         ['%'] = WORD_TAG_SIGN | WORD_ADDRESS_SIGN,
                                         ['&'] = WORD_TAG_SIGN,
                                         ['\''] = WORD_OTHER,
                                         ['(' ... '+'] = WORD_TAG_SIGN,
                                         [','] = WORD_COMMA,
                                         ['-' ... '.'] = WORD_NAME_SIGN,
                                         ['/'] = WORD_HOST_SIGN,
                                         ['0' ... '9'] = WORD_DIGIT,
                                         [':'] = WORD_ADDRESS_SIGN,
                                         [';' ... '?'] = WORD_OTHER,
                                         ['@'] = WORD_HOST_SIGN,
                                         ['A' ... 'Z'] = WORD_LETTER,
                                         ['['] = WORD_ADDRESS_SIGN,
                                         ['\\'] = WORD_OTHER,
                                         [']'] = WORD_ADDRESS_SIGN,
                                         ['^'] = WORD_OTHER,
                                         ['_'] = WORD_NAME_SIGN,
                                         ['`'] = WORD_OTHER,
                                         ['a' ... 'z'] = WORD_LETTER,
                                         ['{' ... '}'] = WORD_OTHER,
                                         ['~'] = WORD_TAG_SIGN,
                                         [127] = WORD_OTHER,
                                         [0x80 ... 0xFF] = WORD_LETTER};

struct word word_read(const char *p, const char *end)
{
    struct word w = {.text = {p, 0}};
    while (p < end && word_classes[(unsigned char)*p])
        w.classes |= word_classes[(unsigned char)*p++];
    w.text.len = (size_t)(p - w.text.data);
    w.after = word_skip_blanks(p, end);
    return w;
}

struct word word_without_colon(const struct word *w)
{
    size_t len = w->text.len;
    if (len == 0 || w->text.data[len - 1] != ':')
        return (struct word){.text = {w->text.data, 0}};
    struct word name = word_read(w->text.data, w->text.data + len - 1);
    name.after = w->after;
    return name;
}

/* Whether a word has a letter or a digit at both ends. */
static bool word_is_bounded(const struct word *w)
{
    return w->text.len && word_has(w->text.data[0], WORD_LETTER | WORD_DIGIT) &&
           word_has(w->text.data[w->text.len - 1], WORD_LETTER | WORD_DIGIT);
}

/* Whether the text before a zone has only characters of addresses: a check without copying. */
static bool word_is_hexadecimal(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = (char)(s.data[i] | 32);
        if (!word_has(s.data[i], WORD_DIGIT) && s.data[i] != ':' && s.data[i] != '.' &&
            (c < 'a' || c > 'f'))
            return false;
    }
    return s.len > 0;
}

bool word_is_address(const struct word *w)
{
    char text[INET6_ADDRSTRLEN];
    unsigned char address[sizeof(struct in6_addr)];
    struct slice s = w->text;
    bool v4 = (w->classes & ~(unsigned)(WORD_DIGIT | WORD_NAME_SIGN)) == 0;
    if (!v4 && !(w->classes & WORD_ADDRESS_SIGN))
        return false;
    if (s.len >= 2 && s.data[0] == '[' && s.data[s.len - 1] == ']')
        s = (struct slice){s.data + 1, s.len - 2};
    const char *zone = v4 || s.len == 0 ? NULL : memchr(s.data, '%', s.len);
    if (zone)
        s = slice_between(s.data, zone);
    if (s.len >= sizeof text || !word_is_hexadecimal(s))
        return false;
    memcpy(text, s.data, s.len);
    text[s.len] = '\0';
    if (memchr(text, ':', s.len))
        return inet_pton(AF_INET6, text, address) == 1;
    return !zone && word_has(text[0], WORD_DIGIT) && inet_pton(AF_INET, text, address) == 1;
}

bool word_may_be_host(const struct word *w)
{
    unsigned allowed = WORD_NAME | WORD_HOST_SIGN | WORD_COMMA;
    if (!(w->classes & ~allowed))
        return word_is_bounded(w);
    return word_is_address(w);
}

/* AM or PM of a twelve-hour clock. */
static bool word_is_half_day(struct slice s)
{
    return s.len == 2 && (s.data[1] | 32) == 'm' &&
           ((s.data[0] | 32) == 'a' || (s.data[0] | 32) == 'p');
}

static bool word_is_never_host(const struct word *w)
{
    unsigned unused;
    if (w->classes == WORD_LETTER)
        return level_read(w->text, &unused) || word_is_half_day(w->text);
    if (w->classes & WORD_COMMA)
        return level_is_topics(w->text);
    return (w->classes & WORD_NAME_SIGN) && level_read_pri(w->text, &unused);
}

bool word_is_host(const struct word *w)
{
    return word_may_be_host(w) && !word_is_never_host(w);
}

const char *word_read_host_colon(const char *p, const char *end, struct slice *host)
{
    struct word w = word_read(p, end);
    struct word name = word_without_colon(&w);
    *host = name.text;
    return word_is_host(&name) ? p + w.text.len : NULL;
}

bool word_looks_like_host(const struct word *w)
{
    return !(w->classes & ~(unsigned)WORD_NAME) && (w->classes & WORD_LETTER) &&
           (w->classes & (WORD_DIGIT | WORD_NAME_SIGN)) && word_is_bounded(w);
}

bool word_begins_with(const char *p, const char *end, const char *text)
{
    if (p == end || *p != *text)
        return false;
    size_t n = strlen(text);
    return (size_t)(end - p) >= n && memcmp(p, text, n) == 0;
}
