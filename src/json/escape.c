#include "json/escape.h"

#include "base/utf8.h"

/* What stands for the bytes of ASCII that are not plain; it is stored whole. */
static const struct escape {
    char text[7];
    unsigned char length;
} escapes[] = {
    {"\\u0000", 6}, {"\\u0001", 6}, {"\\u0002", 6},      {"\\u0003", 6},      {"\\u0004", 6},
    {"\\u0005", 6}, {"\\u0006", 6}, {"\\u0007", 6},      {"\\b", 2},          {"\\t", 2},
    {"\\n", 2},     {"\\u000b", 6}, {"\\f", 2},          {"\\r", 2},          {"\\u000e", 6},
    {"\\u000f", 6}, {"\\u0010", 6}, {"\\u0011", 6},      {"\\u0012", 6},      {"\\u0013", 6},
    {"\\u0014", 6}, {"\\u0015", 6}, {"\\u0016", 6},      {"\\u0017", 6},      {"\\u0018", 6},
    {"\\u0019", 6}, {"\\u001a", 6}, {"\\u001b", 6},      {"\\u001c", 6},      {"\\u001d", 6},
    {"\\u001e", 6}, {"\\u001f", 6}, ['"'] = {"\\\"", 2}, ['\\'] = {"\\\\", 2}};

static inline bool is_ascii(char c)
{
    return (unsigned char)c < 0x80;
}

static inline char *escape(char *to, char c)
{
    const struct escape *e = &escapes[(unsigned char)c];
    memcpy(to, e, sizeof *e);
    return to + e->length;
}

/* Where to go on. */
struct place {
    char *to;
    const char *p;
};

static __attribute__((noinline)) struct place ill_formed(char *to, const char *p, const char *end)
{
    bool valid;
    return (struct place){json_literal(to, "\xEF\xBF\xBD"), p + utf8_sequence_len(p, end, &valid)};
}

static inline struct place sequence(char *to, const char *p, const char *end)
{
    uint32_t word = utf8_word(p, end);
    size_t n = utf8_length(word);
    if (n == 0)
        return ill_formed(to, p, end);
    memcpy(to, &word, sizeof word);
    return (struct place){to + n, p + n};
}

/* Whatever it is, and however short. */
static __attribute__((noinline)) char *any_text(char *to, const char *p, const char *end)
{
    for (;;) {
        size_t plain = copy_plain(to, p, end);
        p += plain;
        to += plain;
        if (p == end)
            return to;
        if (is_ascii(*p)) {
            to = escape(to, *p++);
            continue;
        }
        do {
            struct place next = sequence(to, p, end);
            to = next.to;
            p = next.p;
        } while (p < end && !is_ascii(*p));
    }
}

/* Sequences of one kind at `p`, where a block can be read; gives the length, or 0: ill-formed. */
static inline size_t copy_sequences(char *to, const char *p)
{
    simd_block b = simd_load(p);
    simd_store(to, b);
    return utf8_run(b, *p);
}

/* Two blocks or more; any_text goes on where that does not do. */
static inline char *long_text(char *to, const char *p, const char *end)
{
    const char *last = end - 2 * SIMD_SIZE;
    const char *plain = p; /* from here on as far as it was looked at */
    do {
        if (copy_two(to, p, SIMD_SIZE)) {
            p += 2 * SIMD_SIZE;
            to += 2 * SIMD_SIZE;
            continue;
        }
        size_t n = first_not_plain(p, SIMD_SIZE);
        p += n;
        to += n;
        if (is_ascii(*p)) {
            to = escape(to, *p++);
        } else {
            do {
                n = p < end - SIMD_SIZE ? copy_sequences(to, p) : 0;
                if (n == 0)
                    return any_text(to, p, end);
                p += n;
                to += n;
            } while (!is_ascii(*p));
        }
        plain = p;
    } while (p <= last);
    if (plain > last)
        return any_text(to, p, end);
    /* The last blocks overlap those before them. */
    to -= p - last;
    if (copy_two(to, last, SIMD_SIZE))
        return to + 2 * SIMD_SIZE;
    size_t n = first_not_plain(last, SIMD_SIZE);
    return any_text(to + n, last + n, end);
}

char *json_escape(char *to, struct slice text)
{
    const char *end = text.data + text.len;
    if (text.len >= 2 * SIMD_SIZE)
        return long_text(to, text.data, end);
    if (text.len >= SIMD_SIZE && copy_two(to, text.data, text.len - SIMD_SIZE))
        return to + text.len;
    return any_text(to, text.data, end);
}

/* Whether all sequences are of one row and in a row; the first is behind n bytes. */
static inline bool has_one_run(struct slice text, size_t n, uint64_t not_plain)
{
    n += utf8_run(simd_load(text.data + n), text.data[n]);
    return n == text.len ||
           (n < text.len && simd_none(not_plain >> (n << SIMD_SHIFT), text.len - n));
}

char *json_quote_block(char *to, struct slice text, const char *limit)
{
    uint64_t not_plain = simd_not_plain(simd_load(text.data));
    size_t n = simd_first(not_plain);
    if (!is_ascii(text.data[n]) && limit - (text.data + n) >= SIMD_SIZE &&
        has_one_run(text, n, not_plain))
        return json_put_quotes(to, text.len);
    return json_quote(to, text);
}
