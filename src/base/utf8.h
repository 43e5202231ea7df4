#ifndef SHNEK_BASE_UTF8_H
#define SHNEK_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include <endian.h>
#include <stdint.h>

#include "base/slice.h"

/*
 * The length of what begins at p < end: a well-formed UTF-8 sequence (*valid), or the maximal
 * subpart of an ill-formed one (Unicode 15, section 3.9, table 3-7), which is at least one byte.
 */
size_t utf8_step(const char *p, const char *end, bool *valid);

/* The first byte of the first ill-formed sequence in [p, end), or end. */
const char *utf8_invalid(const char *p, const char *end);

/* The longest prefix of at most `limit` bytes that does not end within a well-formed sequence. */
size_t utf8_cut(struct slice text, size_t limit);

/*
 * The length of a well-formed sequence of two to four bytes at `p`, or 0 where there is none, or
 * the text ends too soon to tell: utf8_step then knows.
 */
static inline size_t utf8_whole(const char *p, const char *end)
{
    uint32_t w;
    if (end - p < (ptrdiff_t)sizeof w)
        return 0;
    memcpy(&w, p, sizeof w);
    w = le32toh(w);
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

#endif
