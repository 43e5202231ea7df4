#include "base/glob.h"

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

bool glob_match(const char *pattern, struct slice text, bool fold)
{
    const char *p = text.data;
    const char *end = p + text.len;
    const char *retry_pattern = NULL; /* after the last '*' */
    const char *retry = NULL;         /* the bytes before it belong to that */
    const char *next;
    while (p < end || *pattern) {
        if (*pattern == '*') {
            retry_pattern = ++pattern;
            retry = p;
        } else if (p < end && (next = glob_item(pattern, *p, fold))) {
            pattern = next;
            p++;
        } else if (retry && retry < end) {
            pattern = retry_pattern;
            p = ++retry;
        } else {
            return false;
        }
    }
    return true;
}

bool glob_valid(const char *pattern)
{
    for (const char *p = pattern; *p; p++) {
        if (*p == '\\' && !*++p)
            return false;
        if (p[0] == '[' && (p == pattern || p[-1] != '\\')) {
            const char *end = glob_set_end(p + 1);
            if (!end)
                return false;
            p = end - 1;
        }
    }
    return true;
}
