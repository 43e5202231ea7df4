#include "base/crc32c.h"

#include <pthread.h>

enum { CRC32C_POLYNOMIAL = 0x82F63B78 /* reflected */, CRC32C_WORD = 8 };

static uint32_t crc32c_tables[CRC32C_WORD][256];

/* crc32c_tables[k][b] is the state after byte b followed by k zero bytes. */
static void crc32c_fill_tables(void)
{
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t sum = b;
        for (int bit = 0; bit < 8; bit++)
            sum = sum & 1 ? sum >> 1 ^ CRC32C_POLYNOMIAL : sum >> 1;
        crc32c_tables[0][b] = sum;
    }
    for (int k = 1; k < CRC32C_WORD; k++)
        for (uint32_t b = 0; b < 256; b++)
            crc32c_tables[k][b] =
                crc32c_tables[k - 1][b] >> 8 ^ crc32c_tables[0][crc32c_tables[k - 1][b] & 255];
}

void crc32c_init_tables(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, crc32c_fill_tables);
}

static uint32_t crc32c_run_table(uint32_t state, const char *data, size_t len)
{
    const unsigned char *p = (const unsigned char *)data;
    const unsigned char *end = p + len;
    for (; end - p >= CRC32C_WORD; p += CRC32C_WORD) {
        uint32_t low = state ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
                                (uint32_t)p[3] << 24);
        state = crc32c_tables[7][low & 255] ^ crc32c_tables[6][low >> 8 & 255] ^
                crc32c_tables[5][low >> 16 & 255] ^ crc32c_tables[4][low >> 24] ^
                crc32c_tables[3][p[4]] ^ crc32c_tables[2][p[5]] ^ crc32c_tables[1][p[6]] ^
                crc32c_tables[0][p[7]];
    }
    while (p < end)
        state = state >> 8 ^ crc32c_tables[0][(state ^ *p++) & 255];
    return state;
}

#if defined(__x86_64__)

#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t crc32c_run_sse42(uint32_t state, const char *p,
                                                                   size_t len)
{
    uint64_t word;
    uint64_t wide = state;
    for (; len >= CRC32C_WORD; len -= CRC32C_WORD, p += CRC32C_WORD) {
        memcpy(&word, p, CRC32C_WORD);
        wide = _mm_crc32_u64(wide, word);
    }
    state = (uint32_t)wide;
    for (; len; len--)
        state = _mm_crc32_u8(state, (unsigned char)*p++);
    return state;
}

static uint32_t crc32c_run(uint32_t state, const char *data, size_t len)
{
    return __builtin_cpu_supports("sse4.2") ? crc32c_run_sse42(state, data, len)
                                            : crc32c_run_table(state, data, len);
}

#else

static uint32_t crc32c_run(uint32_t state, const char *data, size_t len)
{
    return crc32c_run_table(state, data, len);
}

#endif

uint32_t crc32c_update(uint32_t crc, struct slice bytes)
{
    return ~crc32c_run(~crc, bytes.data, bytes.len);
}

uint32_t crc32c_update_by_table(uint32_t crc, struct slice bytes)
{
    return ~crc32c_run_table(~crc, bytes.data, bytes.len);
}

uint32_t crc32c_update_value(uint32_t crc, struct slice value)
{
    uint32_t state = ~crc;
    unsigned char last = value.data ? 0xFF : 0xFE;
    if (value.data)
        state = crc32c_run(state, value.data, value.len);
    return ~(state >> 8 ^ crc32c_tables[0][(state ^ last) & 255]);
}
