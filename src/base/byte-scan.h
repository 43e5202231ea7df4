#ifndef SHNEK_BASE_BYTE_SCAN_H
#define SHNEK_BASE_BYTE_SCAN_H

#include "base/simd.h"

/* Searches and copies of bytes, a block at a time. Ranges are [p, end); nothing else is read. */

/* Returns the number of leading digits, 0 to 8, of eight bytes loaded from memory. */
static inline size_t word_digits(uint64_t word)
{
    const uint64_t ones = ~(uint64_t)0 / 255;
    word = le64toh(word) ^ ones * '0';
    uint64_t others = ((word + ones * (128 - 10)) | word) & ones * 128;
    return others ? (unsigned)__builtin_ctzll(others) / 8 : 8;
}

/* PRINTUSASCII (RFC 5424, section 6): 33 to 126. */
static inline int is_print(char c)
{
    return (unsigned char)(c - 33) <= 126 - 33;
}

/* ASCII that needs no escape in a JSON string: 32 to 127 without '"' and '\\'. */
static inline int is_plain(char c)
{
    return (unsigned char)(c - 32) < 128 - 32 && c != '"' && c != '\\';
}

/* A character of SD-NAME (RFC 5424, section 6.3.2): PRINTUSASCII without '=', ']' and '"'. */
static inline int is_sd_name(char c)
{
    return is_print(c) && c != '=' && c != ']' && c != '"';
}

/* Returns the first byte that cannot be in an SD-NAME, or end. */
static inline const char *scan_sd_name(const char *p, const char *end)
{
    for (; end - p >= SIMD_SIZE; p += SIMD_SIZE) {
        simd_block b = simd_load(p);
        uint64_t mask = simd_not_print(b) | simd_is_any(b, '=', ']', '"');
        if (mask)
            return p + simd_first(mask);
    }
    while (p < end && is_sd_name(*p))
        p++;
    return p;
}

/* Returns the first '"', ']' or '\\', or end. */
static inline const char *scan_param_value(const char *p, const char *end)
{
    for (; end - p >= SIMD_SIZE; p += SIMD_SIZE) {
        uint64_t mask = simd_is_any(simd_load(p), '"', ']', '\\');
        if (mask)
            return p + simd_first(mask);
    }
    while (p < end && *p != '"' && *p != ']' && *p != '\\')
        p++;
    return p;
}

/* Returns the first byte that is not PRINTUSASCII, or end. */
static inline const char *scan_print(const char *p, const char *end)
{
    for (; end - p >= SIMD_SIZE; p += SIMD_SIZE) {
        uint64_t mask = simd_not_print(simd_load(p));
        if (mask)
            return p + simd_first(mask);
    }
    while (p < end && is_print(*p))
        p++;
    return p;
}

/* Returns the first byte that is not plain, or end. */
static inline const char *scan_plain(const char *p, const char *end)
{
    for (; end - p >= SIMD_SIZE; p += SIMD_SIZE) {
        uint64_t mask = simd_not_plain(simd_load(p));
        if (mask)
            return p + simd_first(mask);
    }
    while (p < end && is_plain(*p))
        p++;
    return p;
}

/* Copies n < SIMD_SIZE bytes, and nothing else, in words that overlap. */
static inline void copy_short(char *to, const char *p, size_t n)
{
    if (n >= 8) {
        uint64_t low, high;
        memcpy(&low, p, 8);
        memcpy(&high, p + n - 8, 8);
        memcpy(to, &low, 8);
        memcpy(to + n - 8, &high, 8);
    } else if (n >= 4) {
        uint32_t low, high;
        memcpy(&low, p, 4);
        memcpy(&high, p + n - 4, 4);
        memcpy(to, &low, 4);
        memcpy(to + n - 4, &high, 4);
    } else {
        for (size_t i = 0; i < n; i++)
            to[i] = p[i];
    }
}

/* Copies n bytes: an inline memcpy(3) for short texts. */
static inline void copy_bytes(char *to, const char *p, size_t n)
{
    if (n < SIMD_SIZE) {
        copy_short(to, p, n);
        return;
    }
    for (size_t i = 0; i < n - SIMD_SIZE; i += SIMD_SIZE)
        simd_store(to + i, simd_load(p + i));
    simd_store(to + n - SIMD_SIZE, simd_load(p + n - SIMD_SIZE));
}

/* Copies n bytes, 4 to SIMD_SIZE - 1. Returns the number of leading plain ones. */
static inline size_t copy_plain_words(char *to, const char *p, size_t n)
{
    uint64_t low, high;
    if (n >= 8) {
        memcpy(&low, p, 8);
        memcpy(&high, p + n - 8, 8);
    } else {
        uint32_t first, last;
        memcpy(&first, p, 4);
        memcpy(&last, p + n - 4, 4);
        high = low = htole64((uint64_t)le32toh(last) << 32 | le32toh(first));
    }
    copy_short(to, p, n);
    uint64_t mask = simd_not_plain(simd_of_words(low, high));
    if (mask == 0)
        return n;
    size_t word = n >= 8 ? 8 : 4;
    size_t at = simd_first(mask);
    return at < word ? at : n - 2 * word + at;
}

/* Copies the blocks at 0 and `next`. Returns 1 if both are plain. */
static inline int copy_two(char *to, const char *p, size_t next)
{
    simd_block b = simd_load(p);
    simd_block c = simd_load(p + next);
    simd_store(to, b);
    simd_store(to + next, c);
    return simd_both_plain(b, c);
}

/* Returns the index of the first byte that is not plain in the blocks at 0 and `next`. */
static inline size_t first_not_plain(const char *p, size_t next)
{
    uint64_t mask = simd_not_plain(simd_load(p));
    return mask ? simd_first(mask) : next + simd_first(simd_not_plain(simd_load(p + next)));
}

/* copy_plain() for n < 2 * SIMD_SIZE bytes. */
static inline __attribute__((always_inline)) size_t copy_plain_rest(char *to, const char *p,
                                                                    size_t n)
{
    if (n >= SIMD_SIZE)
        return copy_two(to, p, n - SIMD_SIZE) ? n : first_not_plain(p, n - SIMD_SIZE);
    if (n >= 4)
        return copy_plain_words(to, p, n);
    size_t i = 0;
    for (; i < n && is_plain(p[i]); i++)
        to[i] = p[i];
    return i;
}

/*
 * Copies the plain bytes before the first other one, and returns their number. May write up to
 * 2 * SIMD_SIZE - 1 bytes more, but no more than end - p in all.
 */
static inline __attribute__((always_inline)) size_t copy_plain(char *to, const char *p,
                                                               const char *end)
{
    size_t n = (size_t)(end - p);
    size_t i = 0;
    for (; n - i >= 2 * SIMD_SIZE; i += 2 * SIMD_SIZE)
        if (!copy_two(to + i, p + i, SIMD_SIZE))
            return i + first_not_plain(p + i, SIMD_SIZE);
    return i + copy_plain_rest(to + i, p + i, n - i);
}

#endif
