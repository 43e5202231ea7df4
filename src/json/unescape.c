#include "json/unescape.h"

static unsigned hex4(const char *p)
{
    unsigned n = 0;
    for (int i = 0; i < 4; i++) {
        unsigned c = (unsigned char)p[i];
        n = n << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return n;
}

static char *put_utf8(char *to, unsigned c)
{
    if (c < 0x80) {
        *to++ = (char)c;
        return to;
    }
    unsigned more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xC0, 0xE0, 0xF0};
    *to++ = (char)(lead[more] | c >> 6 * more);
    while (more-- > 0)
        *to++ = (char)(0x80 | (c >> 6 * more & 0x3F));
    return to;
}

/* From behind "\u"; gives what is behind the digits. */
static const char *code_point(const char *p, const char *end, char **to)
{
    unsigned c = hex4(p);
    p += 4;
    if (c >= 0xD800 && c < 0xE000) {
        bool pair = c < 0xDC00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u';
        unsigned low = pair ? hex4(p + 2) : 0;
        if (low >= 0xDC00 && low < 0xE000) {
            c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
            p += 6;
        } else {
            c = 0xFFFD;
        }
    }
    *to = put_utf8(*to, c);
    return p;
}

char *json_unescape(char *to, struct slice text)
{
    static const char named[] = "b\bf\fn\nr\rt\t";
    const char *p = text.data;
    const char *end = p + text.len;
    while (p < end) {
        const char *stop = memchr(p, '\\', (size_t)(end - p));
        size_t plain = (size_t)((stop ? stop : end) - p);
        memmove(to, p, plain);
        to += plain;
        if (!stop)
            break;
        p = stop + 2;
        if (stop[1] == 'u') {
            p = code_point(p, end, &to);
            continue;
        }
        const char *name = strchr(named, stop[1]);
        *to++ = *(name ? name + 1 : stop + 1);
    }
    return to;
}
