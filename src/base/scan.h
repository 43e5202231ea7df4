#ifndef SHNEK_BASE_SCAN_H
#define SHNEK_BASE_SCAN_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

/*
 * Find-first loops, a block at a time. One algorithm over three kinds of block: SSE2, NEON, and
 * eight bytes in a 64-bit word. A mask has block_shift-wide lanes, lowest lane first; lanes above
 * the first set one may be wrong in the portable kind, so only the first is ever used.
 */

#if defined(__SSE2__)

#include <emmintrin.h>
typedef __m128i block;
enum { BLOCK = 16, BLOCK_SHIFT = 0 };

static inline block block_load(const char *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static inline void block_store(char *p, block b)
{
    _mm_storeu_si128((__m128i *)(void *)p, b);
}

/* Signed comparison: bytes from 0x80 on are negative, so "less than" takes them too. */
static inline uint64_t block_not_print(block b)
{
    block low = _mm_cmplt_epi8(b, _mm_set1_epi8(33));
    block del = _mm_cmpeq_epi8(b, _mm_set1_epi8(127));
    return (uint64_t)(unsigned)_mm_movemask_epi8(_mm_or_si128(low, del));
}

static inline uint64_t block_not_plain(block b)
{
    block low = _mm_cmplt_epi8(b, _mm_set1_epi8(32));
    block quote = _mm_cmpeq_epi8(b, _mm_set1_epi8('"'));
    block backslash = _mm_cmpeq_epi8(b, _mm_set1_epi8('\\'));
    return (uint64_t)(unsigned)_mm_movemask_epi8(_mm_or_si128(low, _mm_or_si128(quote, backslash)));
}

#elif defined(__ARM_NEON)

#include <arm_neon.h>
typedef uint8x16_t block;
enum { BLOCK = 16, BLOCK_SHIFT = 2 };

static inline block block_load(const char *p)
{
    return vld1q_u8((const uint8_t *)p);
}

static inline void block_store(char *p, block b)
{
    vst1q_u8((uint8_t *)p, b);
}

/* NEON has no movemask: narrowing by four bits leaves a nibble for each byte. */
static inline uint64_t block_mask(uint8x16_t lanes)
{
    return vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(lanes), 4)), 0);
}

static inline uint64_t block_not_print(block b)
{
    return block_mask(vorrq_u8(vcltq_u8(b, vdupq_n_u8(33)), vcgtq_u8(b, vdupq_n_u8(126))));
}

static inline uint64_t block_not_plain(block b)
{
    uint8x16_t outside = vorrq_u8(vcltq_u8(b, vdupq_n_u8(32)), vcgtq_u8(b, vdupq_n_u8(127)));
    uint8x16_t marks = vorrq_u8(vceqq_u8(b, vdupq_n_u8('"')), vceqq_u8(b, vdupq_n_u8('\\')));
    return block_mask(vorrq_u8(outside, marks));
}

#else

typedef uint64_t block;
enum { BLOCK = 8, BLOCK_SHIFT = 3 };

#define BLOCK_ONES (~(uint64_t)0 / 255)
#define BLOCK_TOPS (BLOCK_ONES * 128)

static inline block block_load(const char *p)
{
    block b;
    memcpy(&b, p, sizeof b);
    return le64toh(b);
}

static inline void block_store(char *p, block b)
{
    b = htole64(b);
    memcpy(p, &b, sizeof b);
}

static inline uint64_t block_less(block b, unsigned n)
{
    return (b - BLOCK_ONES * n) & ~b & BLOCK_TOPS;
}

static inline uint64_t block_equal(block b, unsigned char c)
{
    return block_less(b ^ (BLOCK_ONES * c), 1);
}

static inline uint64_t block_not_print(block b)
{
    return block_less(b, 33) | ((b | (b + BLOCK_ONES)) & BLOCK_TOPS);
}

static inline uint64_t block_not_plain(block b)
{
    return block_less(b, 32) | block_equal(b, '"') | block_equal(b, '\\') | (b & BLOCK_TOPS);
}

#endif

static inline size_t block_first(uint64_t mask)
{
    return (size_t)__builtin_ctzll(mask) >> BLOCK_SHIFT;
}

/* PRINTUSASCII of RFC 5424: 33 to 126. */
static inline int is_print(char c)
{
    return (unsigned char)(c - 33) <= 126 - 33;
}

/* A byte that stands for itself in a JSON string and needs no look at its neighbours. */
static inline int is_plain(char c)
{
    return (unsigned char)(c - 32) < 128 - 32 && c != '"' && c != '\\';
}

/* The first byte in [p, end) that is not PRINTUSASCII, or end. */
static inline const char *scan_print(const char *p, const char *end)
{
    for (; end - p >= BLOCK; p += BLOCK) {
        uint64_t mask = block_not_print(block_load(p));
        if (mask)
            return p + block_first(mask);
    }
    while (p < end && is_print(*p))
        p++;
    return p;
}

/* The first byte in [p, end) that is not plain, or end. */
static inline const char *scan_plain(const char *p, const char *end)
{
    for (; end - p >= BLOCK; p += BLOCK) {
        uint64_t mask = block_not_plain(block_load(p));
        if (mask)
            return p + block_first(mask);
    }
    while (p < end && is_plain(*p))
        p++;
    return p;
}

/*
 * Copies plain bytes from [p, end) to `to` up to the first that is not, and gives their number.
 * May write up to BLOCK - 1 bytes more than that.
 */
static inline size_t copy_plain(char *to, const char *p, const char *end)
{
    const char *start = p;
    for (; end - p >= BLOCK; p += BLOCK, to += BLOCK) {
        block b = block_load(p);
        block_store(to, b);
        uint64_t mask = block_not_plain(b);
        if (mask)
            return (size_t)(p - start) + block_first(mask);
    }
    while (p < end && is_plain(*p))
        *to++ = *p++;
    return (size_t)(p - start);
}

#endif
