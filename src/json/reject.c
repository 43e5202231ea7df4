#include "json/reject.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/defect.h"
#include "base/utf8.h"
#include "json/escape.h"

static char *reject_base64(char *to, struct slice bytes)
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

void reject_write(struct buffer *out, const char *source, uint64_t number,
                  const struct defect *defect, struct slice raw)
{
    struct slice name = {source, strlen(source)};
    char error[128];
    int error_len = snprintf(error, sizeof error, "%s: %s", defect->field, defect->reason);
    char *to =
        buffer_reserve(out, 256 + JSON_STRING_CAPACITY(name.len) +
                                JSON_STRING_CAPACITY(sizeof error) + JSON_STRING_CAPACITY(raw.len));
    to = json_literal(to, "{\"source\":");
    to = json_quote(to, name);
    to += sprintf(to, ",\"number\":%" PRIu64 ",\"error\":", number);
    to = json_quote(to, (struct slice){error, (size_t)error_len});
    to += sprintf(to, ",\"offset\":%" PRIu64, defect->offset);
    if (utf8_find_invalid(raw.data, raw.data + raw.len) == raw.data + raw.len) {
        to = json_literal(to, ",\"raw\":");
        to = json_quote(to, raw);
    } else {
        to = json_literal(to, ",\"raw_base64\":\"");
        to = reject_base64(to, raw);
        *to++ = '"';
    }
    to = json_literal(to, "}\n");
    buffer_commit(out, to);
}
