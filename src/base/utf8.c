#include "base/utf8.h"

static bool within(char c, unsigned low, unsigned high)
{
    return (unsigned char)c >= low && (unsigned char)c <= high;
}

size_t utf8_step(const char *p, const char *end, bool *valid)
{
    unsigned char lead = (unsigned char)*p;
    *valid = lead < 0x80;
    if (lead < 0xC2 || lead > 0xF4)
        return 1;

    size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    for (size_t i = 1; i < length; i++) {
        if (p + i == end || !within(p[i], low, high))
            return i;
        low = 0x80;
        high = 0xBF;
    }
    *valid = true;
    return length;
}

const char *utf8_invalid(const char *p, const char *end)
{
    while (p < end) {
        bool valid;
        size_t n = utf8_step(p, end, &valid);
        if (!valid)
            return p;
        p += n;
    }
    return end;
}

size_t utf8_cut(struct slice text, size_t limit)
{
    if (text.len <= limit)
        return text.len;
    for (size_t back = 1; back <= 3 && back <= limit; back++) {
        const char *p = text.at + limit - back;
        if (within(*p, 0x80, 0xBF))
            continue;
        bool valid;
        size_t n = utf8_step(p, text.at + text.len, &valid);
        return valid && n > back ? limit - back : limit;
    }
    return limit;
}
