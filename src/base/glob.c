#include "base/glob.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static unsigned char glob_fold(char c, bool fold)
{
    return (unsigned char)(fold && c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Returns the end of the set after a '[', or NULL if there is none. */
static const char *glob_set_end(const char *p)
{
    p += *p == '!' || *p == '^';
    for (const char *start = p; *p; p++)
        if (*p == ']' && p != start)
            return p + 1;
    return NULL;
}

static bool glob_set_has(const char *p, unsigned char c, bool fold)
{
    bool negated = *p == '!' || *p == '^';
    bool found = false;
    p += negated;
    for (const char *start = p; *p != ']' || p == start; p++) {
        unsigned char low = glob_fold(*p, fold);
        if (p[1] == '-' && p[2] != ']')
            p += 2;
        found = found || (c >= low && c <= glob_fold(*p, fold));
    }
    return found != negated;
}

/* Matches the first item of a pattern, which is not '*', against a byte. Returns the next item, or
 * NULL. */
static const char *glob_item(const char *p, char byte, bool fold)
{
    unsigned char c = glob_fold(byte, fold);
    const char *end;
    if (*p == '[' && (end = glob_set_end(p + 1)))
        return glob_set_has(p + 1, c, fold) ? end : NULL;
    if (*p == '?')
        return p + 1;
    p += *p == '\\' && p[1];
    return *p && glob_fold(*p, fold) == c ? p + 1 : NULL;
}

/* Returns the first place from p on at which the pattern after a '*' may match, or end. */
static const char *glob_find(const char *pattern, const char *p, const char *end, bool fold)
{
    char first = *pattern;
    if (first == '*' || first == '?' || first == '[' || first == '\\')
        return p;
    if (!fold || !isalpha((unsigned char)first)) {
        const char *found = memchr(p, first, (size_t)(end - p));
        return found ? found : end;
    }
    while (p < end && ((*p ^ first) & ~('a' ^ 'A')) != 0)
        p++;
    return p;
}

static bool glob_match_rest(const char *pattern, struct slice text, bool fold)
{
    const char *p = text.data;
    const char *end = p + text.len;
    const char *retry_pattern = NULL; /* after the last '*' */
    const char *retry = NULL;         /* the bytes before it belong to that */
    const char *next;
    while (p < end || *pattern) {
        if (*pattern == '*') {
            if (*++pattern == '\0')
                return true;
            retry_pattern = pattern;
            p = retry = glob_find(pattern, p, end, fold);
        } else if (p < end && (next = glob_item(pattern, *p, fold))) {
            pattern = next;
            p++;
        } else if (retry && retry < end) {
            pattern = retry_pattern;
            p = retry = glob_find(pattern, retry + 1, end, fold);
        } else {
            return false;
        }
    }
    return true;
}

static bool glob_valid(const char *p)
{
    while (*p) {
        if (*p == '[')
            p = glob_set_end(p + 1);
        else if (*p == '\\')
            p = p[1] ? p + 2 : NULL;
        else
            p++;
        if (!p)
            return false;
    }
    return true;
}

bool glob_compile(struct glob *g, const char *pattern)
{
    static const char special[] = "*?[\\";
    size_t prefix = strcspn(pattern, special);
    *g = (struct glob){.prefix = {pattern, prefix}, .rest = pattern + prefix};
    if (*g->rest == '*') {
        g->suffix = (struct slice){g->rest + 1, strlen(g->rest + 1)};
        g->has_suffix = strcspn(g->suffix.data, special) == g->suffix.len;
    }
    return glob_valid(g->rest);
}

static inline bool glob_equals(const char *p, struct slice text, bool fold)
{
    return (fold ? strncasecmp(p, text.data, text.len) : memcmp(p, text.data, text.len)) == 0;
}

bool glob_match(const struct glob *g, struct slice text, bool fold)
{
    if (text.len < g->prefix.len || !glob_equals(text.data, g->prefix, fold))
        return false;
    struct slice rest = {text.data + g->prefix.len, text.len - g->prefix.len};
    if (g->has_suffix)
        return rest.len >= g->suffix.len &&
               glob_equals(rest.data + rest.len - g->suffix.len, g->suffix, fold);
    return *g->rest ? glob_match_rest(g->rest, rest, fold) : rest.len == 0;
}
