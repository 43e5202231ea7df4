#ifndef SHNEK_BASE_UTF8_H
#define SHNEK_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "base/simd.h"
#include "base/slice.h"

/*
 * Returns the length of the UTF-8 sequence at p < end and sets *valid if it is well-formed. For an
 * ill-formed one, returns the length of its maximal subpart, which is at least 1 (Unicode 15,
 * section 3.9, table 3-7).
 */
size_t utf8_sequence_len(const char *p, const char *end, bool *valid);

/* Returns the first byte of the first ill-formed sequence in [p, end), or end. */
const char *utf8_find_invalid(const char *p, const char *end);

/* Returns the length of the longest prefix of at most max_len bytes that does not split a
 * well-formed sequence. */
size_t utf8_truncate(struct slice text, size_t max_len);

/* Loads up to four bytes from p < end in memory order, padded with zeros. */
static inline uint32_t utf8_word(const char *p, const char *end)
{
    uint32_t word;
    if (end - p >= (ptrdiff_t)sizeof word) {
        memcpy(&word, p, sizeof word);
        return word;
    }
    word = (unsigned char)p[0];
    if (end - p > 1)
        word |= (uint32_t)(unsigned char)p[1] << 8;
    if (end - p > 2)
        word |= (uint32_t)(unsigned char)p[2] << 16;
    return htole32(word);
}

/* Returns the length of the well-formed sequence of two to four bytes at the start of a word of
 * utf8_word(), or 0 if there is none. */
static inline size_t utf8_length(uint32_t word)
{
    uint32_t w = le32toh(word);
    if ((w & 0xC0E0) == 0x80C0)
        return w & 0x1E ? 2 : 0; /* C0 and C1 are overlong */
    if ((w & 0xC0C0F0) == 0x8080E0) {
        uint32_t range = w & 0x200F; /* E0 80 to 9F is overlong, ED A0 to BF a surrogate */
        return range != 0 && range != 0x200D ? 3 : 0;
    }
    if ((w & 0xC0C0C0F8) == 0x808080F0) {
        uint32_t range = (w & 7) << 2 | (w >> 12 & 3); /* F0 90 to F4 8F */
        return range >= 1 && range <= 16 ? 4 : 0;
    }
    return 0;
}

/* utf8_length() at p; also 0 for the last three bytes, for which utf8_sequence_len() decides. */
static inline size_t utf8_length_at(const char *p, const char *end)
{
    return end - p < (ptrdiff_t)sizeof(uint32_t) ? 0 : utf8_length(utf8_word(p, end));
}

/*
 * A row of table 3-7 as a pattern for a block of consecutive sequences: byte i is in range if and
 * only if (uint8_t)(byte - lowest[i]) + spare[i] < 128.
 */
struct utf8_row {
    _Alignas(16) unsigned char lowest[16];
    unsigned char spare[16];
    unsigned char whole[17]; /* length of the complete sequences in a match of i bytes */
};
extern const struct utf8_row *const utf8_rows[128]; /* indexed by the first byte less 0x80 */

/* Returns the length of the complete sequences of one row at the start of a block, whose first byte
 * is `lead`, or 0 if the first sequence is ill-formed. */
static inline size_t utf8_run(simd_block b, char lead)
{
    const struct utf8_row *row = utf8_rows[(size_t)(unsigned char)lead - 0x80];
    return row->whole[simd_within(b, simd_load(__builtin_assume_aligned(&row->lowest[0], 16)),
                                  simd_load(__builtin_assume_aligned(&row->spare[0], 16)))];
}

#endif
