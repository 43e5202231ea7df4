#include "load/crc32c.h"

#include <pthread.h>

enum { POLYNOMIAL = 0x82F63B78 /* reflected */, WORD = 8 };

static uint32_t table[WORD][256];

/* table[k][b] is the sum of byte b and k zero bytes behind it. */
static void fill_table(void)
{
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t sum = b;
        for (int bit = 0; bit < 8; bit++)
            sum = sum & 1 ? sum >> 1 ^ POLYNOMIAL : sum >> 1;
        table[0][b] = sum;
    }
    for (int k = 1; k < WORD; k++)
        for (uint32_t b = 0; b < 256; b++)
            table[k][b] = table[k - 1][b] >> 8 ^ table[0][table[k - 1][b] & 255];
}

void crc32c_prepare(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill_table);
}

static uint32_t by_table(uint32_t state, const char *at, size_t length)
{
    const unsigned char *p = (const unsigned char *)at;
    const unsigned char *end = p + length;
    for (; end - p >= WORD; p += WORD) {
        uint32_t low = state ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
                                (uint32_t)p[3] << 24);
        state = table[7][low & 255] ^ table[6][low >> 8 & 255] ^ table[5][low >> 16 & 255] ^
                table[4][low >> 24] ^ table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^
                table[0][p[7]];
    }
    while (p < end)
        state = state >> 8 ^ table[0][(state ^ *p++) & 255];
    return state;
}

#if defined(__x86_64__)

#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t state, const char *p,
                                                                 size_t length)
{
    uint64_t word;
    uint64_t wide = state;
    for (; length >= WORD; length -= WORD, p += WORD) {
        memcpy(&word, p, WORD);
        wide = _mm_crc32_u64(wide, word);
    }
    state = (uint32_t)wide;
    for (; length; length--)
        state = _mm_crc32_u8(state, (unsigned char)*p++);
    return state;
}

static uint32_t carry_on(uint32_t state, const char *at, size_t length)
{
    return __builtin_cpu_supports("sse4.2") ? by_instruction(state, at, length)
                                            : by_table(state, at, length);
}

#else

static uint32_t carry_on(uint32_t state, const char *at, size_t length)
{
    return by_table(state, at, length);
}

#endif

uint32_t crc32c(uint32_t sum, struct slice bytes)
{
    return ~carry_on(~sum, bytes.data, bytes.len);
}

uint32_t crc32c_by_table(uint32_t sum, struct slice bytes)
{
    return ~by_table(~sum, bytes.data, bytes.len);
}

uint32_t crc32c_value(uint32_t sum, struct slice value)
{
    uint32_t state = ~sum;
    unsigned char last = value.data ? 0xFF : 0xFE;
    if (value.data)
        state = carry_on(state, value.data, value.len);
    return ~(state >> 8 ^ table[0][(state ^ last) & 255]);
}
