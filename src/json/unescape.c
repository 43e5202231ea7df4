#include "json/unescape.h"

#include "base/byte-scan.h"
#include "base/utf8.h"

static const char unescape_named[] = "b\bf\fn\nr\rt\t";

static unsigned unescape_hex4(const char *p)
{
    unsigned n = 0;
    for (int i = 0; i < 4; i++) {
        unsigned c = (unsigned char)p[i];
        n = n << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return n;
}

static char *unescape_put_utf8(char *to, unsigned c)
{
    if (c < 0x80) {
        *to++ = (char)c;
        return to;
    }
    unsigned trailing = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xC0, 0xE0, 0xF0};
    *to++ = (char)(lead[trailing] | c >> 6 * trailing);
    while (trailing-- > 0)
        *to++ = (char)(0x80 | (c >> 6 * trailing & 0x3F));
    return to;
}

/* Decodes the escape whose hex digits are at p, and a following low surrogate. Returns the end. */
static const char *unescape_code_point(const char *p, const char *end, char **to)
{
    unsigned c = unescape_hex4(p);
    p += 4;
    if (c >= 0xD800 && c < 0xE000) {
        bool pair = c < 0xDC00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u';
        unsigned low = pair ? unescape_hex4(p + 2) : 0;
        if (low >= 0xDC00 && low < 0xE000) {
            c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
            p += 6;
        } else {
            c = 0xFFFD;
        }
    }
    *to = unescape_put_utf8(*to, c);
    return p;
}

/* Decodes the second byte of an escape of two bytes. */
static char unescape_name(char c)
{
    for (const char *name = unescape_named; *name; name += 2)
        if (*name == c)
            return name[1];
    return c;
}

char *json_unescape(char *to, struct slice text)
{
    const char *p = text.data;
    const char *end = p + text.len;
    while (p < end) {
        const char *backslash = memchr(p, '\\', (size_t)(end - p));
        size_t plain = (size_t)((backslash ? backslash : end) - p);
        memmove(to, p, plain);
        to += plain;
        if (!backslash)
            break;
        p = backslash + 2;
        if (backslash[1] == 'u') {
            p = unescape_code_point(p, end, &to);
            continue;
        }
        *to++ = unescape_name(backslash[1]);
    }
    return to;
}

static bool unescape_is_hex4(const char *p, const char *end)
{
    if (end - p < 4)
        return false;
    for (int i = 0; i < 4; i++)
        if (!((p[i] >= '0' && p[i] <= '9') || ((p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'f')))
            return false;
    return true;
}

/* The second of two \u escapes may be malformed; then the first one is decoded alone. */
static const char *unescape_limit(const char *p, const char *end)
{
    return end - p >= 10 && !unescape_is_hex4(p + 6, end) ? p + 4 : end;
}

bool json_next_piece(struct json_pieces *s, struct slice *piece)
{
    const char *p = s->p;
    char *to = s->decoded;
    if (p == s->end)
        return false;
    s->p = scan_plain(p, s->end);
    if (s->p > p) {
        *piece = slice_between(p, s->p);
        return true;
    }
    if ((unsigned char)*p >= 0x80) {
        bool valid;
        s->p = p + utf8_sequence_len(p, s->end, &valid);
        *piece = valid ? slice_between(p, s->p) : (struct slice){"\xEF\xBF\xBD", 3};
        return true;
    }
    if (*p != '\\' || s->end - p < 2 || (p[1] == 'u' && !unescape_is_hex4(p + 2, s->end))) {
        *to++ = *p;
        s->p = p + 1;
    } else if (p[1] == 'u') {
        s->p = unescape_code_point(p + 2, unescape_limit(p + 2, s->end), &to);
    } else {
        *to++ = unescape_name(p[1]);
        s->p = p + 2;
    }
    *piece = slice_between(s->decoded, to);
    return true;
}
