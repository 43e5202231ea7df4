#include "json/string.h"

#include "base/utf8.h"

static char *escape(char *to, char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char named[32] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    unsigned char byte = (unsigned char)c;
    *to++ = '\\';
    if (byte >= 32)
        *to++ = c;
    else if (named[byte])
        *to++ = named[byte];
    else {
        to = json_literal(to, "u00");
        *to++ = hex[byte >> 4];
        *to++ = hex[byte & 15];
    }
    return to;
}

/* From a byte that is not plain. */
static __attribute__((noinline)) char *not_plain(char *to, const char *p, const char *end)
{
    for (;;) {
        if ((unsigned char)*p < 0x80) {
            to = escape(to, *p++);
        } else {
            do {
                size_t n = utf8_whole(p, end);
                if (n) {
                    memcpy(to, p, 4);
                } else {
                    bool valid;
                    n = utf8_step(p, end, &valid);
                    if (valid)
                        memcpy(to, p, n);
                    else
                        to = json_literal(to, "\xEF\xBF\xBD") - n;
                }
                p += n;
                to += n;
            } while (p < end && (unsigned char)*p >= 0x80);
        }
        size_t plain = copy_plain(to, p, end);
        p += plain;
        to += plain;
        if (p == end)
            return to;
    }
}

char *json_text(char *to, struct slice text)
{
    size_t plain = copy_plain(to, text.at, text.at + text.len);
    if (plain == text.len)
        return to + plain;
    return not_plain(to + plain, text.at + plain, text.at + text.len);
}
