#include "base/printable.h"

#include <stdint.h>

#include "base/utf8.h"

/* Returns the code point of a well-formed sequence. */
static uint32_t printable_decode(const char *p, size_t len)
{
    static const unsigned char lead_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t c = (unsigned char)p[0] & lead_bits[len];
    for (size_t i = 1; i < len; i++)
        c = c << 6 | ((unsigned char)p[i] & 0x3F);
    return c;
}

static bool printable_is_unsafe(uint32_t c)
{
    return c < ' ' || (c >= 0x7F && c < 0xA0) || c == 0x061C || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

size_t printable_copy(char *to, struct slice text)
{
    char *start = to;
    const char *end = text.data + text.len;
    for (const char *p = text.data; p < end;) {
        bool valid;
        size_t len = utf8_sequence_len(p, end, &valid);
        if (!valid || printable_is_unsafe(printable_decode(p, len)))
            *to++ = '?';
        else
            for (size_t i = 0; i < len; i++)
                *to++ = p[i];
        p += len;
    }
    return (size_t)(to - start);
}
