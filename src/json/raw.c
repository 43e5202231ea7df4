#include "json/raw.h"

#include "base/utf8.h"

char *raw_base64(char *to, struct slice bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = (const unsigned char *)bytes.data;
    size_t i = 0;
    for (; i + 3 <= bytes.len; i += 3) {
        *to++ = digits[p[i] >> 2];
        *to++ = digits[(p[i] & 3) << 4 | p[i + 1] >> 4];
        *to++ = digits[(p[i + 1] & 15) << 2 | p[i + 2] >> 6];
        *to++ = digits[p[i + 2] & 63];
    }
    if (bytes.len - i == 1) {
        *to++ = digits[p[i] >> 2];
        *to++ = digits[(p[i] & 3) << 4];
        to = json_literal(to, "==");
    } else if (bytes.len - i == 2) {
        *to++ = digits[p[i] >> 2];
        *to++ = digits[(p[i] & 3) << 4 | p[i + 1] >> 4];
        *to++ = digits[(p[i + 1] & 15) << 2];
        *to++ = '=';
    }
    return to;
}

char *raw_write(char *to, struct slice raw)
{
    const char *end = raw.data + raw.len;
    if (utf8_find_invalid(raw.data, end) == end)
        return json_quote(json_literal(to, ",\"raw\":"), raw);
    to = raw_base64(json_literal(to, ",\"raw_base64\":\""), raw);
    *to++ = '"';
    return to;
}
