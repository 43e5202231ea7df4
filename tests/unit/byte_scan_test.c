/* Each search and copy against a plain loop: every byte at every position, up to a guard page. */

#include "base/byte-scan.h"
#include "base/utf8.h"
#include "unit.h"

enum { LONGEST = 3 * SIMD_SIZE + 3 };

static const char *naive_print(const char *p, const char *end)
{
    while (p<end && * p> 32 && *p < 127)
        p++;
    return p;
}

static const char *naive_plain(const char *p, const char *end)
{
    while (p < end && (unsigned char)*p >= 32 && (unsigned char)*p < 128 && *p != '"' && *p != '\\')
        p++;
    return p;
}

static const char *naive_sd_name(const char *p, const char *end)
{
    while (p<end && * p> 32 && *p < 127 && *p != '=' && *p != ']' && *p != '"')
        p++;
    return p;
}

static const char *naive_param_value(const char *p, const char *end)
{
    while (p < end && *p != '"' && *p != ']' && *p != '\\')
        p++;
    return p;
}

static void compare(struct slice bytes, int byte, size_t pos)
{
    char copy[LONGEST + 1];
    const char *end = bytes.data + bytes.len;
    unit(scan_print(bytes.data, end) == naive_print(bytes.data, end),
         "print: byte %d at %zu of %zu", byte, pos, bytes.len);
    unit(scan_sd_name(bytes.data, end) == naive_sd_name(bytes.data, end),
         "SD-NAME: byte %d at %zu of %zu", byte, pos, bytes.len);
    unit(scan_param_value(bytes.data, end) == naive_param_value(bytes.data, end),
         "PARAM-VALUE: byte %d at %zu of %zu", byte, pos, bytes.len);
    const char *plain = naive_plain(bytes.data, end);
    unit(scan_plain(bytes.data, end) == plain, "plain: byte %d at %zu of %zu", byte, pos,
         bytes.len);
    size_t n = (size_t)(plain - bytes.data);
    copy[bytes.len] = '-';
    unit(copy_plain(copy, bytes.data, end) == n && memcmp(copy, bytes.data, n) == 0 &&
             copy[bytes.len] == '-',
         "copy: byte %d at %zu of %zu", byte, pos, bytes.len);
}

/* Copies of every length, which write nothing else. */
static void compare_copies(void)
{
    char bytes[LONGEST];
    char copy[LONGEST + 2];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)('A' + i);
    for (size_t len = 0; len <= LONGEST; len++) {
        struct slice s = unit_guarded((struct slice){bytes, len});
        memset(copy, '-', sizeof copy);
        copy_bytes(copy + 1, s.data, len);
        unit(copy[0] == '-' && memcmp(copy + 1, bytes, len) == 0 && copy[1 + len] == '-',
             "copy of %zu", len);
    }
}

/* simd_none() of every number of bytes. */
static void compare_masks(void)
{
    char bytes[SIMD_SIZE];
    for (size_t pos = 0; pos < SIMD_SIZE; pos++) {
        memset(bytes, 'a', sizeof bytes);
        bytes[pos] = '"';
        for (size_t n = 1; n <= SIMD_SIZE; n++)
            unit(simd_none(simd_not_plain(simd_load(bytes)), n) == (n <= pos), "%zu of %zu", pos,
                 n);
    }
}

/* Each byte at each position of two blocks. */
static void compare_plain_blocks(void)
{
    char bytes[2 * SIMD_SIZE];
    for (int byte = 0; byte < 256; byte++) {
        for (size_t pos = 0; pos < sizeof bytes; pos++) {
            memset(bytes, pos % 2 ? ' ' : '~', sizeof bytes);
            bytes[pos] = (char)byte;
            unit(simd_both_plain(simd_load(bytes), simd_load(bytes + SIMD_SIZE)) ==
                     (naive_plain(bytes + pos, bytes + pos + 1) > bytes + pos),
                 "both plain: byte %d at %zu", byte, pos);
        }
    }
}

static bool is_verbatim(int byte)
{
    return byte > 32 && byte < 127 && byte != '"' && byte != '\\';
}

static bool is_value(int byte)
{
    return byte >= 32 && byte < 128 && byte != '"' && byte != '\\' && byte != ']';
}

/* SD-NAME without '\\'. */
static bool is_name(int byte)
{
    return is_verbatim(byte) && byte != '=' && byte != ']';
}

/* All bits are exact, not only those up to the first one. */
static void compare_bits(void)
{
    char bytes[SIMD_SIZE];
    for (int byte = 0; byte < 256; byte++) {
        for (uint64_t positions = 1; positions < 1 << SIMD_SIZE;
             positions += positions < 300 ? 1 : positions / 3) {
            for (size_t i = 0; i < SIMD_SIZE; i++)
                bytes[i] = (char)(positions >> i & 1 ? byte : i % 2 ? '!' : '~');
            simd_block b = simd_load(bytes);
            unit(simd_bits_not_verbatim(b) == (is_verbatim(byte) ? 0 : positions),
                 "not verbatim: byte %d at %#" PRIx64, byte, positions);
            unit(simd_bits_not_value(b) == (is_value(byte) ? 0 : positions),
                 "not a value: byte %d at %#" PRIx64, byte, positions);
            unit(simd_bits_not_sd(b) == (is_name(byte) ? 0 : positions),
                 "not SD-NAME: byte %d at %#" PRIx64, byte, positions);
        }
    }
}

/* Each byte is independent of the others. */
static void compare_ranges(void)
{
    static const unsigned char lowests[] = {0, 1, '0', 200, 255};
    static const unsigned char widths[] = {0, 5, 9, 127, 128, 254, 255};
    for (unsigned n = 0; n < sizeof lowests * sizeof widths; n++) {
        unsigned char low = lowests[n / sizeof widths];
        unsigned char width = widths[n % sizeof widths];
        char bytes[SIMD_SIZE], lowest[SIMD_SIZE], range[SIMD_SIZE];
        for (size_t pos = 0; pos < SIMD_SIZE; pos++) {
            for (int byte = 0; byte < 256; byte++) {
                memset(bytes, 'x', sizeof bytes);
                memset(lowest, pos % 2 ? 'x' : 3, sizeof lowest);
                memset(range, pos % 2 ? 0 : 255, sizeof range);
                bytes[pos] = (char)byte;
                lowest[pos] = (char)low;
                range[pos] = (char)width;
                bool within = (unsigned char)(byte - low) <= width;
                unit(simd_is_zero(simd_beyond(simd_load(bytes), simd_load(lowest),
                                              simd_load(range))) == within,
                     "%d from %d on, at most %d more, at %zu", byte, low, width, pos);
            }
        }
    }
}

static void compare_digits(void)
{
    char bytes[8];
    for (int byte = 0; byte < 256; byte++) {
        for (size_t pos = 0; pos < 8; pos++) {
            uint64_t word;
            size_t expected = byte >= '0' && byte <= '9' ? 8 : pos;
            memcpy(bytes, "01928374", 8);
            bytes[pos] = (char)byte;
            memcpy(&word, bytes, 8);
            unit(word_digits(word) == expected, "digits: byte %d at %zu", byte, pos);
        }
    }
}

static void compare_searches(void)
{
    char bytes[LONGEST];
    for (size_t len = 0; len <= LONGEST; len++) {
        memset(bytes, 'a', sizeof bytes);
        compare(unit_guarded((struct slice){bytes, len}), 'a', len);
        for (size_t pos = 0; pos < len; pos++) {
            for (int byte = 0; byte < 256; byte++) {
                memset(bytes, pos % 2 ? 'a' : '~', sizeof bytes);
                bytes[pos] = (char)byte;
                if (pos + 1 < len)
                    bytes[pos + 1] = byte % 2 ? '\\' : '\x1f';
                compare(unit_guarded((struct slice){bytes, len}), byte, pos);
            }
        }
    }
}

/* Unicode 15, table 3-7: the first and last byte at each position, by the lead byte. */
static bool well_formed(const unsigned char *p, size_t n)
{
    static const struct {
        unsigned char lead[2], second[2];
        size_t len;
    } rows[] = {{{0x00, 0x7F}, {0, 0}, 1},       {{0xC2, 0xDF}, {0x80, 0xBF}, 2},
                {{0xE0, 0xE0}, {0xA0, 0xBF}, 3}, {{0xE1, 0xEC}, {0x80, 0xBF}, 3},
                {{0xED, 0xED}, {0x80, 0x9F}, 3}, {{0xEE, 0xEF}, {0x80, 0xBF}, 3},
                {{0xF0, 0xF0}, {0x90, 0xBF}, 4}, {{0xF1, 0xF3}, {0x80, 0xBF}, 4},
                {{0xF4, 0xF4}, {0x80, 0x8F}, 4}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (p[0] < rows[i].lead[0] || p[0] > rows[i].lead[1] || rows[i].len != n)
            continue;
        bool good = n == 1 || (p[1] >= rows[i].second[0] && p[1] <= rows[i].second[1]);
        for (size_t k = 2; k < n; k++)
            good = good && p[k] >= 0x80 && p[k] <= 0xBF;
        return good;
    }
    return false;
}

static void compare_sequences(void)
{
    static const unsigned char edges[] = {0x00, 0x7F, 0x80, 0x8F, 0x90,
                                          0x9F, 0xA0, 0xBF, 0xC0, 0xFF};
    enum { EDGES = sizeof edges };
    for (unsigned lead = 0; lead < 256; lead++) {
        for (unsigned rest = 0; rest < EDGES * EDGES * EDGES; rest++) {
            unsigned char bytes[4] = {(unsigned char)lead, edges[rest % EDGES],
                                      edges[rest / EDGES % EDGES], edges[rest / EDGES / EDGES]};
            for (size_t len = 1; len <= 4; len++) {
                struct slice s = unit_guarded((struct slice){(const char *)bytes, len});
                bool valid;
                size_t n = utf8_sequence_len(s.data, s.data + s.len, &valid);
                size_t expected = 0;
                for (size_t k = 1; k <= len && !expected; k++)
                    expected = well_formed(bytes, k) ? k : 0;
                unit(valid == (expected != 0) && (!valid || n == expected),
                     "UTF-8 %02x %02x %02x %02x, %zu bytes", bytes[0], bytes[1], bytes[2], bytes[3],
                     len);
                n = utf8_length_at(s.data, s.data + s.len);
                unit(n == (len == 4 && expected > 1 ? expected : 0),
                     "whole UTF-8 %02x %02x %02x %02x, %zu bytes", bytes[0], bytes[1], bytes[2],
                     bytes[3], len);
                n = utf8_length(utf8_word(s.data, s.data + s.len));
                unit(n == (expected > 1 ? expected : 0),
                     "a word of UTF-8 %02x %02x %02x %02x, %zu bytes", bytes[0], bytes[1], bytes[2],
                     bytes[3], len);
            }
        }
    }
}

static bool all_well_formed(const char *p, size_t n)
{
    while (n > 0) {
        size_t len = 2;
        while (len <= 4 && len <= n && !well_formed((const unsigned char *)p, len))
            len++;
        if (len > 4 || len > n)
            return false;
        p += len;
        n -= len;
    }
    return true;
}

/* A block that repeats one sequence, with one byte changed. */
static void runs_of(const unsigned char *sequence, size_t len)
{
    char bytes[SIMD_SIZE];
    for (size_t pos = 0; pos < SIMD_SIZE; pos++) {
        for (int byte = 0; byte < 256; byte++) {
            for (size_t i = 0; i < SIMD_SIZE; i++)
                bytes[i] = (char)sequence[i % len];
            size_t whole = SIMD_SIZE / len * len;
            if (bytes[pos] != (char)byte)
                whole = pos / len * len;
            bytes[pos] = (char)byte;
            if ((unsigned char)bytes[0] < 0x80)
                continue;
            size_t n = utf8_run(simd_load(bytes), bytes[0]);
            unit(n >= whole && n <= SIMD_SIZE && all_well_formed(bytes, n),
                 "run of %02x %02x..., %02x at %zu: %zu", sequence[0], sequence[1], (unsigned)byte,
                 pos, n);
        }
    }
}

static void compare_runs(void)
{
    static const unsigned char seconds[] = {0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF};
    for (unsigned lead = 0xC2; lead < 0xF5; lead++) {
        size_t len = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        for (size_t i = 0; i < sizeof seconds; i++) {
            unsigned char bytes[4] = {(unsigned char)lead, seconds[i], i % 2 ? 0x80 : 0xBF, 0xA5};
            if (well_formed(bytes, len))
                runs_of(bytes, len);
        }
    }
}

/* Texts of ASCII and two-byte sequences, some of them cut. */
static void compare_texts(void)
{
    char bytes[LONGEST];
    for (size_t period = 1; period <= LONGEST; period++) {
        for (size_t i = 0; i < LONGEST; i++)
            bytes[i] = (char)(i % period == period - 1   ? 0xA5
                              : i % period + 2 == period ? 0xC3
                                                         : 'x');
        for (size_t len = 0; len <= LONGEST; len++) {
            struct slice s = unit_guarded((struct slice){bytes, len});
            const char *expected = s.data;
            for (bool valid = true; expected < s.data + len;) {
                size_t n = utf8_sequence_len(expected, s.data + len, &valid);
                if (!valid)
                    break;
                expected += n;
            }
            const char *got = utf8_find_invalid(s.data, s.data + len);
            unit(got == expected, "UTF-8 each %zu bytes, length %zu: %td, expected %td", period,
                 len, got - s.data, expected - s.data);
        }
    }
}

int main(void)
{
    compare_searches();
    compare_copies();
    compare_masks();
    compare_plain_blocks();
    compare_bits();
    compare_ranges();
    compare_digits();
    compare_sequences();
    compare_runs();
    compare_texts();
    return unit_end("byte scan");
}
