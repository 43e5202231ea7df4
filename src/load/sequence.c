#include "load/sequence.h"

#include <endian.h>

#include "base/utf8.h"
#include "load/crc32c.h"

struct slice mark_text(struct slice msg, struct buffer *room)
{
    static const char replacement[] = "\xEF\xBF\xBD";
    while (msg.len && (msg.data[msg.len - 1] == '\r' || msg.data[msg.len - 1] == '\n' ||
                       msg.data[msg.len - 1] == '\0'))
        msg.len--;
    const char *end = msg.data + msg.len;
    const char *p = msg.data ? utf8_find_invalid(msg.data, end) : end;
    if (p == end)
        return msg;
    room->len = 0;
    buffer_append(room, slice_between(msg.data, p));
    while (p < end) {
        bool valid;
        size_t n = utf8_sequence_len(p, end, &valid);
        buffer_append(room, valid ? (struct slice){p, n} : (struct slice){replacement, 3});
        p += n;
    }
    return (struct slice){room->data, room->len};
}

uint32_t mark_sum_of_run(const struct mark_values *v)
{
    char digits[10];
    char *const end = digits + sizeof digits;
    char *pri = end;
    unsigned left = v->pri;
    do
        *--pri = (char)('0' + left % 10);
    while (left /= 10);
    uint32_t sum = crc32c_value(0, v->msg);
    sum = crc32c_value(sum, slice_between(pri, end));
    sum = crc32c_value(sum, v->hostname);
    sum = crc32c_value(sum, v->appname);
    sum = crc32c_value(sum, v->procid);
    sum = crc32c_value(sum, v->run);
    return crc32c_value(sum, v->of);
}

uint32_t mark_sum(uint32_t sum_of_run, const struct mark_values *v)
{
    uint32_t sum = crc32c_value(sum_of_run, v->connection);
    sum = crc32c_value(sum, v->number);
    sum = crc32c_value(sum, v->msgid);
    return crc32c_value(sum, v->timestamp);
}

/* Each of the eight bytes of a word becomes a digit; the greatest is written first. */
char *mark_write_sum(char *to, uint32_t sum)
{
    uint64_t word = sum;
    word = (word | word << 16) & UINT64_C(0x0000FFFF0000FFFF);
    word = (word | word << 8) & UINT64_C(0x00FF00FF00FF00FF);
    word = (word | word << 4) & UINT64_C(0x0F0F0F0F0F0F0F0F);
    uint64_t letters = (word + UINT64_C(0x0606060606060606)) >> 4 & UINT64_C(0x0101010101010101);
    word += UINT64_C(0x3030303030303030) + letters * ('a' - '0' - 10);
    word = htobe64(word);
    memcpy(to, &word, sizeof word);
    return to + MARK_SUM_DIGITS;
}
