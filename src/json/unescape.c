#include "json/unescape.h"

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

char *json_unescape(char *to, struct slice text)
{
    static const char named[] = "b\bf\fn\nr\rt\t";
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
        const char *name = strchr(named, backslash[1]);
        *to++ = *(name ? name + 1 : backslash + 1);
    }
    return to;
}
