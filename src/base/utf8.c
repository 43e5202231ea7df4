#include "base/utf8.h"

static bool utf8_in_range(char c, unsigned low, unsigned high)
{
    return (unsigned char)c >= low && (unsigned char)c <= high;
}

size_t utf8_sequence_len(const char *p, const char *end, bool *valid)
{
    unsigned char lead = (unsigned char)*p;
    *valid = lead < 0x80;
    if (lead < 0xC2 || lead > 0xF4)
        return 1;

    size_t len = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    for (size_t i = 1; i < len; i++) {
        if (p + i == end || !utf8_in_range(p[i], low, high))
            return i;
        low = 0x80;
        high = 0xBF;
    }
    *valid = true;
    return len;
}

static const char *utf8_skip_ascii(const char *p, const char *end)
{
    for (; end - p >= SIMD_SIZE; p += SIMD_SIZE) {
        uint64_t mask = simd_not_ascii(simd_load(p));
        if (mask)
            return p + simd_first(mask);
    }
    while (p < end && (unsigned char)*p < 0x80)
        p++;
    return p;
}

const char *utf8_find_invalid(const char *p, const char *end)
{
    while ((p = utf8_skip_ascii(p, end)) < end) {
        bool valid;
        size_t n = utf8_sequence_len(p, end, &valid);
        if (!valid)
            break;
        p += n;
    }
    return p;
}

size_t utf8_truncate(struct slice text, size_t max_len)
{
    if (text.len <= max_len)
        return text.len;
    for (size_t back = 1; back <= 3 && back <= max_len; back++) {
        const char *p = text.data + max_len - back;
        if (utf8_in_range(*p, 0x80, 0xBF))
            continue;
        bool valid;
        size_t n = utf8_sequence_len(p, text.data + text.len, &valid);
        return valid && n > back ? max_len - back : max_len;
    }
    return max_len;
}

/* `spare` of the byte range first to last: maps last to 127, so that larger bytes exceed it. */
#define SPARE(first, last) (127 - (last) + (first))
#define FOUR_TIMES(...)    __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__
enum { LOWEST = 0x80, REST = SPARE(0x80, 0xBF) };

/* Rows of sequences with the first byte from a to b and the second from c to d, then 80 to BF. */
#define TWO_BYTES(a, b)                                                                            \
    {                                                                                              \
        .lowest = {FOUR_TIMES(a, LOWEST, a, LOWEST)},                                              \
        .spare = {FOUR_TIMES(SPARE(a, b), REST, SPARE(a, b), REST)},                               \
        .whole = {0, 0, 2, 2, 4, 4, 6, 6, 8, 8, 10, 10, 12, 12, 14, 14, 16},                       \
    }
#define THREE_BYTES(a, b, c, d)                                                                    \
    {                                                                                              \
        .lowest = {FOUR_TIMES(a, c, LOWEST), a, c, LOWEST},                                        \
        .spare = {FOUR_TIMES(SPARE(a, b), SPARE(c, d), REST), SPARE(a, b), SPARE(c, d), REST},     \
        .whole = {0, 0, 0, 3, 3, 3, 6, 6, 6, 9, 9, 9, 12, 12, 12, 15, 15},                         \
    }
#define FOUR_BYTES(a, b, c, d)                                                                     \
    {                                                                                              \
        .lowest = {FOUR_TIMES(a, c, LOWEST, LOWEST)},                                              \
        .spare = {FOUR_TIMES(SPARE(a, b), SPARE(c, d), REST, REST)},                               \
        .whole = {0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12, 16},                         \
    }

static const struct utf8_row utf8_none;
static const struct utf8_row utf8_c2_df = TWO_BYTES(0xC2, 0xDF);
static const struct utf8_row utf8_e0 = THREE_BYTES(0xE0, 0xE0, 0xA0, 0xBF);
static const struct utf8_row utf8_e1_ec = THREE_BYTES(0xE1, 0xEC, 0x80, 0xBF);
static const struct utf8_row utf8_ed = THREE_BYTES(0xED, 0xED, 0x80, 0x9F);
static const struct utf8_row utf8_ee_ef = THREE_BYTES(0xEE, 0xEF, 0x80, 0xBF);
static const struct utf8_row utf8_f0 = FOUR_BYTES(0xF0, 0xF0, 0x90, 0xBF);
static const struct utf8_row utf8_f1_f3 = FOUR_BYTES(0xF1, 0xF3, 0x80, 0xBF);
static const struct utf8_row utf8_f4 = FOUR_BYTES(0xF4, 0xF4, 0x80, 0x8F);

const struct utf8_row *const utf8_rows[128] = {[0x00 ... 0x41] = &utf8_none,
                                               [0x42 ... 0x5F] = &utf8_c2_df,
                                               [0x60] = &utf8_e0,
                                               [0x61 ... 0x6C] = &utf8_e1_ec,
                                               [0x6D] = &utf8_ed,
                                               [0x6E ... 0x6F] = &utf8_ee_ef,
                                               [0x70] = &utf8_f0,
                                               [0x71 ... 0x73] = &utf8_f1_f3,
                                               [0x74] = &utf8_f4,
                                               [0x75 ... 0x7F] = &utf8_none};
