#include "load/sequence.h"

#include <endian.h>

#include "base/crc32c.h"
#include "base/utf8.h"

struct slice sequence_normalize_msg(struct slice msg, struct buffer *scratch)
{
    static const char replacement[] = "\xEF\xBF\xBD";
    while (msg.len && (msg.data[msg.len - 1] == '\r' || msg.data[msg.len - 1] == '\n' ||
                       msg.data[msg.len - 1] == '\0'))
        msg.len--;
    if (msg.len == 0)
        return msg;
    const char *end = msg.data + msg.len;
    const char *p = utf8_find_invalid(msg.data, end);
    if (p == end)
        return msg;
    scratch->len = 0;
    buffer_append(scratch, slice_between(msg.data, p));
    while (p < end) {
        bool valid;
        size_t n = utf8_sequence_len(p, end, &valid);
        buffer_append(scratch, valid ? (struct slice){p, n} : (struct slice){replacement, 3});
        p += n;
    }
    return (struct slice){scratch->data, scratch->len};
}

uint32_t sequence_compute_shared_crc(const struct sequence_values *v)
{
    char digits[10];
    char *const end = digits + sizeof digits;
    char *pri = end;
    unsigned left = v->pri;
    do
        *--pri = (char)('0' + left % 10);
    while (left /= 10);
    uint32_t crc = crc32c_update_value(0, v->msg);
    crc = crc32c_update_value(crc, slice_between(pri, end));
    crc = crc32c_update_value(crc, v->hostname);
    crc = crc32c_update_value(crc, v->appname);
    crc = crc32c_update_value(crc, v->procid);
    crc = crc32c_update_value(crc, v->run);
    return crc32c_update_value(crc, v->connection_count);
}

uint32_t sequence_compute_crc(uint32_t shared_crc, const struct sequence_values *v)
{
    uint32_t crc = crc32c_update_value(shared_crc, v->connection);
    crc = crc32c_update_value(crc, v->number);
    crc = crc32c_update_value(crc, v->msgid);
    return crc32c_update_value(crc, v->timestamp);
}

/* Spreads the eight nibbles over the bytes of a word and converts all of them at the same time. */
char *sequence_write_crc(char *to, uint32_t crc)
{
    uint64_t word = crc;
    word = (word | word << 16) & UINT64_C(0x0000FFFF0000FFFF);
    word = (word | word << 8) & UINT64_C(0x00FF00FF00FF00FF);
    word = (word | word << 4) & UINT64_C(0x0F0F0F0F0F0F0F0F);
    uint64_t letters = (word + UINT64_C(0x0606060606060606)) >> 4 & UINT64_C(0x0101010101010101);
    word += UINT64_C(0x3030303030303030) + letters * ('a' - '0' - 10);
    word = htobe64(word);
    memcpy(to, &word, sizeof word);
    return to + SEQUENCE_CRC_DIGITS;
}
