#include "json/escape.h"

#include "base/utf8.h"

/* Escape sequences, indexed by the byte. An entry is copied whole: 8 bytes in one store. */
static const struct escape_sequence {
    char text[7];
    unsigned char len;
} escape_table[] = {
    {"\\u0000", 6}, {"\\u0001", 6}, {"\\u0002", 6},      {"\\u0003", 6},      {"\\u0004", 6},
    {"\\u0005", 6}, {"\\u0006", 6}, {"\\u0007", 6},      {"\\b", 2},          {"\\t", 2},
    {"\\n", 2},     {"\\u000b", 6}, {"\\f", 2},          {"\\r", 2},          {"\\u000e", 6},
    {"\\u000f", 6}, {"\\u0010", 6}, {"\\u0011", 6},      {"\\u0012", 6},      {"\\u0013", 6},
    {"\\u0014", 6}, {"\\u0015", 6}, {"\\u0016", 6},      {"\\u0017", 6},      {"\\u0018", 6},
    {"\\u0019", 6}, {"\\u001a", 6}, {"\\u001b", 6},      {"\\u001c", 6},      {"\\u001d", 6},
    {"\\u001e", 6}, {"\\u001f", 6}, ['"'] = {"\\\"", 2}, ['\\'] = {"\\\\", 2}};

static inline bool escape_is_ascii(char c)
{
    return (unsigned char)c < 0x80;
}

static inline char *escape_ascii(char *to, char c)
{
    const struct escape_sequence *e = &escape_table[(unsigned char)c];
    memcpy(to, e, sizeof *e);
    return to + e->len;
}

/* Positions in the output and in the input. */
struct escape_pos {
    char *to;
    const char *p;
};

static __attribute__((noinline)) struct escape_pos escape_ill_formed(char *to, const char *p,
                                                                     const char *end)
{
    bool valid;
    return (struct escape_pos){json_literal(to, "\xEF\xBF\xBD"),
                               p + utf8_sequence_len(p, end, &valid)};
}

static inline struct escape_pos escape_multibyte(char *to, const char *p, const char *end)
{
    uint32_t word = utf8_word(p, end);
    size_t n = utf8_length(word);
    if (n == 0)
        return escape_ill_formed(to, p, end);
    memcpy(to, &word, sizeof word);
    return (struct escape_pos){to + n, p + n};
}

/* The general case: text of any length. */
static __attribute__((noinline)) char *escape_any(char *to, const char *p, const char *end)
{
    for (;;) {
        size_t plain = copy_plain(to, p, end);
        p += plain;
        to += plain;
        if (p == end)
            return to;
        if (escape_is_ascii(*p)) {
            to = escape_ascii(to, *p++);
            continue;
        }
        do {
            struct escape_pos next = escape_multibyte(to, p, end);
            to = next.to;
            p = next.p;
        } while (p < end && !escape_is_ascii(*p));
    }
}

/* Copies the run of sequences of one UTF-8 row at p, from which a block must be readable. Returns
 * the length of the run, 0 if the first sequence is ill-formed. */
static inline size_t escape_copy_run(char *to, const char *p)
{
    simd_block b = simd_load(p);
    simd_store(to, b);
    return utf8_run(b, *p);
}

/* Text of two blocks or more. Hands over to escape_any() when it cannot proceed by blocks. */
static inline char *escape_long(char *to, const char *p, const char *end)
{
    const char *last = end - 2 * SIMD_SIZE;
    const char *plain = p; /* [plain, p) is plain and written */
    do {
        if (copy_two(to, p, SIMD_SIZE)) {
            p += 2 * SIMD_SIZE;
            to += 2 * SIMD_SIZE;
            continue;
        }
        size_t n = first_not_plain(p, SIMD_SIZE);
        p += n;
        to += n;
        if (escape_is_ascii(*p)) {
            to = escape_ascii(to, *p++);
        } else {
            do {
                n = p < end - SIMD_SIZE ? escape_copy_run(to, p) : 0;
                if (n == 0)
                    return escape_any(to, p, end);
                p += n;
                to += n;
            } while (!escape_is_ascii(*p));
        }
        plain = p;
    } while (p <= last);
    if (plain > last)
        return escape_any(to, p, end);
    /* The last two blocks overlap bytes that are written already. */
    to -= p - last;
    if (copy_two(to, last, SIMD_SIZE))
        return to + 2 * SIMD_SIZE;
    size_t n = first_not_plain(last, SIMD_SIZE);
    return escape_any(to + n, last + n, end);
}

char *json_escape(char *to, struct slice text)
{
    const char *end = text.data + text.len;
    if (text.len >= 2 * SIMD_SIZE)
        return escape_long(to, text.data, end);
    if (text.len >= SIMD_SIZE && copy_two(to, text.data, text.len - SIMD_SIZE))
        return to + text.len;
    return escape_any(to, text.data, end);
}

/* Whether the text is n plain bytes, one run of sequences of one UTF-8 row, and plain bytes. */
static inline bool escape_is_one_run(struct slice text, size_t n, uint64_t not_plain)
{
    n += utf8_run(simd_load(text.data + n), text.data[n]);
    return n == text.len ||
           (n < text.len && simd_none(not_plain >> (n << SIMD_SHIFT), text.len - n));
}

char *json_quote_block(char *to, struct slice text, const char *limit)
{
    uint64_t not_plain = simd_not_plain(simd_load(text.data));
    size_t n = simd_first(not_plain);
    if (!escape_is_ascii(text.data[n]) && limit - (text.data + n) >= SIMD_SIZE &&
        escape_is_one_run(text, n, not_plain))
        return json_put_quotes(to, text.len);
    return json_quote(to, text);
}
