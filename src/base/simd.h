#ifndef SHNEK_BASE_SIMD_H
#define SHNEK_BASE_SIMD_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Blocks of SIMD_SIZE bytes, with SSE2, NEON, or portable 64-bit words; -DSHNEK_PORTABLE_SIMD
 * chooses the words. Each implementation has these functions, which byte_scan_test.c compares with
 * plain loops:
 *
 *   simd_load(p), simd_store(p, b)   unaligned
 *   simd_of_words(low, high)         the block with these words in memory; portable: `low` alone
 *   simd_or(b, c), simd_xor(b, c)    bitwise
 *   simd_is_zero(b)                  true if all bytes are 0
 *   simd_beyond(b, lowest, range)    not 0 in each byte that is not in [lowest, lowest + range]
 *   simd_within(b, lowest, spare)    the number of bytes before the first one that is not in
 *                                    [lowest, lowest + 127 - spare]
 *   simd_both_plain(b, c)            true if all bytes of both blocks are plain
 *
 * Masks have 1 << SIMD_SHIFT bits for each byte, lowest byte first. Above the first set lane, lanes
 * of the portable words may be wrong, so use a mask by simd_first() or simd_none() only:
 *
 *   simd_not_ascii(b)                128 and more
 *   simd_not_print(b)                not PRINTUSASCII (33 to 126)
 *   simd_not_plain(b)                not plain, that is, not 32 to 127, or '"' or '\\'
 *   simd_is_any(b, c, d, e)          one of three characters
 *
 * Bits have one bit for each byte, lowest byte first, and all are exact:
 *
 *   simd_bits_not_verbatim(b)        not PRINTUSASCII, or '"' or '\\'
 *   simd_bits_not_value(b)           not plain, or ']'
 *   simd_bits_not_sd(b)              not PRINTUSASCII, or one of "=]\\
 */

#if defined(__SSE2__) && !defined(SHNEK_PORTABLE_SIMD)

#include <emmintrin.h>
typedef __m128i simd_block;
enum { SIMD_SIZE = 16, SIMD_SHIFT = 0 };

static inline simd_block simd_load(const char *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static inline void simd_store(char *p, simd_block b)
{
    _mm_storeu_si128((__m128i *)(void *)p, b);
}

/*
 * Sets the top bit of each byte with (int8_t)c < n, which includes all from 0x80 on. gcc 12
 * compiles the equivalent comparison to three instructions.
 */
static inline simd_block simd_less(simd_block b, char n)
{
    return _mm_subs_epi8(b, _mm_set1_epi8(n));
}

static inline uint64_t simd_mask(simd_block lanes)
{
    return (uint64_t)(unsigned)_mm_movemask_epi8(lanes);
}

static inline uint64_t simd_not_ascii(simd_block b)
{
    return simd_mask(b);
}

static inline uint64_t simd_not_print(simd_block b)
{
    simd_block low = simd_less(b, 33);
    simd_block del = _mm_cmpeq_epi8(b, _mm_set1_epi8(127));
    return simd_mask(_mm_or_si128(low, del));
}

/* c < 32, c > 127 or c == '"' <=> (int8_t)(c ^ 2) < 33. */
static inline simd_block simd_not_plain_lanes(simd_block b)
{
    simd_block low = simd_less(_mm_xor_si128(b, _mm_set1_epi8(2)), 33);
    return _mm_or_si128(low, _mm_cmpeq_epi8(b, _mm_set1_epi8('\\')));
}

static inline simd_block simd_or(simd_block b, simd_block c)
{
    return _mm_or_si128(b, c);
}

static inline simd_block simd_xor(simd_block b, simd_block c)
{
    return _mm_xor_si128(b, c);
}

/* c < 32, c > 127 or c == '"' <=> (c ^ 125) >= 95. */
static inline int simd_both_plain(simd_block b, simd_block c)
{
    const simd_block mask = _mm_set1_epi8(125);
    const simd_block backslash = _mm_set1_epi8('\\' ^ 125);
    b = _mm_xor_si128(b, mask);
    c = _mm_xor_si128(c, mask);
    simd_block low = _mm_adds_epu8(_mm_max_epu8(b, c), _mm_set1_epi8(128 - 95));
    simd_block other = _mm_or_si128(_mm_cmpeq_epi8(b, backslash), _mm_cmpeq_epi8(c, backslash));
    return simd_mask(_mm_or_si128(low, other)) == 0;
}

static inline uint64_t simd_is_any(simd_block b, char c, char d, char e)
{
    simd_block any =
        _mm_or_si128(_mm_cmpeq_epi8(b, _mm_set1_epi8(c)), _mm_cmpeq_epi8(b, _mm_set1_epi8(d)));
    return simd_mask(_mm_or_si128(any, _mm_cmpeq_epi8(b, _mm_set1_epi8(e))));
}

/* c <= SP, c >= 127 or c == '"' <=> (int8_t)((c + 1) ^ 1) < 35. */
static inline uint64_t simd_bits_not_verbatim(simd_block b)
{
    simd_block shifted = _mm_xor_si128(_mm_add_epi8(b, _mm_set1_epi8(1)), _mm_set1_epi8(1));
    simd_block backslash = _mm_cmpeq_epi8(b, _mm_set1_epi8('\\'));
    return simd_mask(_mm_or_si128(simd_less(shifted, 35), backslash));
}

/* c == '\\' or c == ']' <=> (c | 1) == ']'. */
static inline simd_block simd_not_value_lanes(simd_block b)
{
    simd_block low = simd_less(_mm_xor_si128(b, _mm_set1_epi8(2)), 33);
    simd_block other = _mm_cmpeq_epi8(_mm_or_si128(b, _mm_set1_epi8(1)), _mm_set1_epi8(']'));
    return _mm_or_si128(low, other);
}

static inline uint64_t simd_bits_not_value(simd_block b)
{
    return simd_mask(simd_not_value_lanes(b));
}

/* c <= SP or c >= 127 <=> (int8_t)(c + 1) < 34. */
static inline uint64_t simd_bits_not_sd(simd_block b)
{
    simd_block outside = simd_less(_mm_add_epi8(b, _mm_set1_epi8(1)), 34);
    simd_block equals = _mm_cmpeq_epi8(b, _mm_set1_epi8('='));
    return simd_mask(_mm_or_si128(simd_not_value_lanes(b), _mm_or_si128(outside, equals)));
}

static inline simd_block simd_beyond(simd_block b, simd_block lowest, simd_block range)
{
    return _mm_subs_epu8(_mm_sub_epi8(b, lowest), range);
}

static inline size_t simd_within(simd_block b, simd_block lowest, simd_block spare)
{
    simd_block beyond = _mm_adds_epu8(_mm_sub_epi8(b, lowest), spare);
    return (unsigned)__builtin_ctz((unsigned)_mm_movemask_epi8(beyond) | 1U << SIMD_SIZE);
}

static inline int simd_is_zero(simd_block b)
{
    return _mm_movemask_epi8(_mm_cmpeq_epi8(b, _mm_setzero_si128())) == 0xffff;
}

static inline simd_block simd_of_words(uint64_t low, uint64_t high)
{
    return _mm_set_epi64x((long long)high, (long long)low);
}

#elif defined(__ARM_NEON) && !defined(SHNEK_PORTABLE_SIMD)

#include <arm_neon.h>
typedef uint8x16_t simd_block;
enum { SIMD_SIZE = 16, SIMD_SHIFT = 2 };

static inline simd_block simd_load(const char *p)
{
    return vld1q_u8((const uint8_t *)p);
}

static inline void simd_store(char *p, simd_block b)
{
    vst1q_u8((uint8_t *)p, b);
}

/* NEON has no movemask; a narrowing shift by four leaves a nibble of each byte. */
static inline uint64_t simd_mask(uint8x16_t lanes)
{
    return vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(lanes), 4)), 0);
}

static inline uint64_t simd_not_ascii(simd_block b)
{
    return simd_mask(vcgeq_u8(b, vdupq_n_u8(128)));
}

static inline uint64_t simd_not_print(simd_block b)
{
    return simd_mask(vorrq_u8(vcltq_u8(b, vdupq_n_u8(33)), vcgtq_u8(b, vdupq_n_u8(126))));
}

static inline simd_block simd_not_plain_lanes(simd_block b)
{
    uint8x16_t outside = vorrq_u8(vcltq_u8(b, vdupq_n_u8(32)), vcgtq_u8(b, vdupq_n_u8(127)));
    uint8x16_t marks = vorrq_u8(vceqq_u8(b, vdupq_n_u8('"')), vceqq_u8(b, vdupq_n_u8('\\')));
    return vorrq_u8(outside, marks);
}

static inline simd_block simd_or(simd_block b, simd_block c)
{
    return vorrq_u8(b, c);
}

static inline simd_block simd_xor(simd_block b, simd_block c)
{
    return veorq_u8(b, c);
}

static inline int simd_both_plain(simd_block b, simd_block c)
{
    return simd_mask(simd_or(simd_not_plain_lanes(b), simd_not_plain_lanes(c))) == 0;
}

static inline uint64_t simd_is_any(simd_block b, char c, char d, char e)
{
    uint8x16_t any =
        vorrq_u8(vceqq_u8(b, vdupq_n_u8((uint8_t)c)), vceqq_u8(b, vdupq_n_u8((uint8_t)d)));
    return simd_mask(vorrq_u8(any, vceqq_u8(b, vdupq_n_u8((uint8_t)e))));
}

/* Keeps one bit of each byte, each at its own position, and adds up the eight bytes of each half.
 */
static inline uint64_t simd_bits(uint8x16_t lanes)
{
    static const uint8_t weights[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t bits = vandq_u8(lanes, vld1q_u8(weights));
    uint8x8_t sums = vpadd_u8(vget_low_u8(bits), vget_high_u8(bits));
    sums = vpadd_u8(sums, sums);
    sums = vpadd_u8(sums, sums);
    return vget_lane_u16(vreinterpret_u16_u8(sums), 0);
}

static inline uint64_t simd_bits_not_verbatim(simd_block b)
{
    uint8x16_t outside = vorrq_u8(vcltq_u8(b, vdupq_n_u8(33)), vcgtq_u8(b, vdupq_n_u8(126)));
    uint8x16_t marks = vorrq_u8(vceqq_u8(b, vdupq_n_u8('"')), vceqq_u8(b, vdupq_n_u8('\\')));
    return simd_bits(vorrq_u8(outside, marks));
}

static inline uint64_t simd_bits_not_value(simd_block b)
{
    uint8x16_t outside = vorrq_u8(vcltq_u8(b, vdupq_n_u8(32)), vcgtq_u8(b, vdupq_n_u8(127)));
    uint8x16_t quote = vceqq_u8(b, vdupq_n_u8('"'));
    uint8x16_t other = vceqq_u8(vorrq_u8(b, vdupq_n_u8(1)), vdupq_n_u8(']'));
    return simd_bits(vorrq_u8(outside, vorrq_u8(quote, other)));
}

static inline uint64_t simd_bits_not_sd(simd_block b)
{
    uint8x16_t outside = vorrq_u8(vcltq_u8(b, vdupq_n_u8(33)), vcgtq_u8(b, vdupq_n_u8(126)));
    uint8x16_t marks = vorrq_u8(vceqq_u8(b, vdupq_n_u8('"')), vceqq_u8(b, vdupq_n_u8('=')));
    uint8x16_t other = vceqq_u8(vorrq_u8(b, vdupq_n_u8(1)), vdupq_n_u8(']'));
    return simd_bits(vorrq_u8(outside, vorrq_u8(marks, other)));
}

static inline simd_block simd_beyond(simd_block b, simd_block lowest, simd_block range)
{
    return vqsubq_u8(vsubq_u8(b, lowest), range);
}

static inline size_t simd_within(simd_block b, simd_block lowest, simd_block spare)
{
    uint8x16_t sums = vqaddq_u8(vsubq_u8(b, lowest), spare);
    uint64_t mask = simd_mask(vcgeq_u8(sums, vdupq_n_u8(128)));
    return mask ? (unsigned)__builtin_ctzll(mask) >> SIMD_SHIFT : SIMD_SIZE;
}

static inline int simd_is_zero(simd_block b)
{
    return vget_lane_u64(vreinterpret_u64_u8(vorr_u8(vget_low_u8(b), vget_high_u8(b))), 0) == 0;
}

static inline simd_block simd_of_words(uint64_t low, uint64_t high)
{
    return vcombine_u8(vcreate_u8(low), vcreate_u8(high));
}

#else

typedef uint64_t simd_block;
enum { SIMD_SIZE = 8, SIMD_SHIFT = 3 };

#define SIMD_ONES (~(uint64_t)0 / 255)
#define SIMD_TOPS (SIMD_ONES * 128)

static inline simd_block simd_load(const char *p)
{
    simd_block b;
    memcpy(&b, p, sizeof b);
    return le64toh(b);
}

static inline void simd_store(char *p, simd_block b)
{
    b = htole64(b);
    memcpy(p, &b, sizeof b);
}

static inline simd_block simd_of_words(uint64_t low, uint64_t high)
{
    (void)high;
    return le64toh(low);
}

/* Sets the top bit of each byte below n; above the first one they may be wrong. */
static inline uint64_t simd_less(simd_block b, unsigned n)
{
    return (b - SIMD_ONES * n) & ~b & SIMD_TOPS;
}

static inline uint64_t simd_equal(simd_block b, unsigned char c)
{
    return simd_less(b ^ (SIMD_ONES * c), 1);
}

static inline uint64_t simd_is_any(simd_block b, char c, char d, char e)
{
    return simd_equal(b, (unsigned char)c) | simd_equal(b, (unsigned char)d) |
           simd_equal(b, (unsigned char)e);
}

static inline uint64_t simd_not_ascii(simd_block b)
{
    return b & SIMD_TOPS;
}

static inline uint64_t simd_not_print(simd_block b)
{
    return simd_less(b, 33) | ((b | (b + SIMD_ONES)) & SIMD_TOPS);
}

static inline simd_block simd_beyond(simd_block b, simd_block lowest, simd_block range)
{
    simd_block beyond = 0;
    for (unsigned i = 0; i < 64; i += 8)
        if ((uint8_t)((b >> i) - (lowest >> i)) > (uint8_t)(range >> i))
            beyond |= (uint64_t)0x80 << i;
    return beyond;
}

static inline size_t simd_within(simd_block b, simd_block lowest, simd_block spare)
{
    size_t n = 0;
    for (; n < SIMD_SIZE; n++, b >>= 8, lowest >>= 8, spare >>= 8)
        if ((uint8_t)(b - lowest) + (uint8_t)spare >= 128)
            break;
    return n;
}

static inline int simd_is_zero(simd_block b)
{
    return b == 0;
}

static inline simd_block simd_not_plain_lanes(simd_block b)
{
    return simd_less(b, 32) | simd_equal(b, '"') | simd_equal(b, '\\') | (b & SIMD_TOPS);
}

static inline simd_block simd_or(simd_block b, simd_block c)
{
    return b | c;
}

static inline simd_block simd_xor(simd_block b, simd_block c)
{
    return b ^ c;
}

static inline uint64_t simd_mask(simd_block lanes)
{
    return lanes;
}

static inline int simd_both_plain(simd_block b, simd_block c)
{
    return simd_mask(simd_or(simd_not_plain_lanes(b), simd_not_plain_lanes(c))) == 0;
}

/* Sets the top bit of each byte with (c & 127) >= n, without carries between bytes. */
static inline uint64_t simd_at_least(simd_block b, unsigned n)
{
    return (b & ~SIMD_TOPS) + SIMD_ONES * (128 - n);
}

/* Sets the top bit of each byte whose lower seven bits are those of c. */
static inline uint64_t simd_low_bits_equal(simd_block b, unsigned char c)
{
    return ~simd_at_least(b ^ SIMD_ONES * c, 1);
}

/* Moves the top bits, now the lowest ones, into one byte by a multiplication. */
static inline uint64_t simd_bits(uint64_t tops)
{
    return ((tops & SIMD_TOPS) >> 7) * 0x0102040810204080 >> 56;
}

static inline uint64_t simd_bits_not_verbatim(simd_block b)
{
    uint64_t outside = b | ~simd_at_least(b, 33) | simd_at_least(b, 127);
    return simd_bits(outside | simd_low_bits_equal(b, '"') | simd_low_bits_equal(b, '\\'));
}

static inline uint64_t simd_bits_not_value(simd_block b)
{
    uint64_t outside = b | ~simd_at_least(b, 32);
    return simd_bits(outside | simd_low_bits_equal(b, '"') |
                     simd_low_bits_equal(b | SIMD_ONES, ']'));
}

static inline uint64_t simd_bits_not_sd(simd_block b)
{
    uint64_t outside = b | ~simd_at_least(b, 33) | simd_at_least(b, 127);
    return simd_bits(outside | simd_low_bits_equal(b, '"') | simd_low_bits_equal(b, '=') |
                     simd_low_bits_equal(b | SIMD_ONES, ']'));
}

#endif

static inline uint64_t simd_not_plain(simd_block b)
{
    return simd_mask(simd_not_plain_lanes(b));
}

/* Returns the index of the first byte in the mask, which must not be 0. */
static inline size_t simd_first(uint64_t mask)
{
    return (size_t)(unsigned)__builtin_ctzll(mask) >> SIMD_SHIFT;
}

/* Returns 1 if none of the first n bytes is in the mask; n is 1 to SIMD_SIZE. */
static inline int simd_none(uint64_t mask, size_t n)
{
    return mask << (64 - (n << SIMD_SHIFT)) == 0;
}

#endif
