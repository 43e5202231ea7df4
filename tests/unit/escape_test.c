/* Compares json_quote() and json_quote_within() with a naive implementation, for generated texts of
 * all lengths that end at a guard page. */

#include "base/utf8.h"
#include "json/escape.h"
#include "unit.h"

enum { LONGEST = 100, TEXTS = 200000 };

/* Pieces of the texts: plain, to be escaped, well-formed and ill-formed UTF-8. */
static const char *const pieces[] = {"a",
                                     "plain",
                                     "sixteen bytes...",
                                     "a \x7F word of forty bytes that are all plain",
                                     "\"",
                                     "\\",
                                     "\t",
                                     "\x1B[0m",
                                     "\x01",
                                     "ß",
                                     "привет",
                                     "שלום",
                                     "東京",
                                     "ไทย",
                                     "힣퟿",
                                     "\xEF\xBF\xBD",
                                     "🚀",
                                     "👩‍💻",
                                     "\xF4\x8F\xBF\xBF",
                                     "日本語日本語日本語日本語",
                                     "\xC3",
                                     "\xE2\x82",
                                     "\xF0\x9F\x9A",
                                     "\x80",
                                     "\xC1\xBF",
                                     "\xFF",
                                     "\xED\xA0\x80",
                                     "ЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖ"};

static size_t naive_quote(char *to, struct slice text)
{
    char *start = to;
    const char *end = text.data + text.len;
    *to++ = '"';
    for (const char *p = text.data; p < end;) {
        bool valid;
        size_t n = utf8_sequence_len(p, end, &valid);
        static const char *const named[] = {
            ['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f",
            ['\r'] = "\\r", ['"'] = "\\\"", ['\\'] = "\\\\"};
        size_t c = (unsigned char)*p;
        if (!valid)
            to = stpcpy(to, "\xEF\xBF\xBD");
        else if (c < sizeof named / sizeof *named && named[c])
            to = stpcpy(to, named[c]);
        else if (c < 32)
            to += sprintf(to, "\\u%04zx", c);
        else
            to = mempcpy(to, p, n);
        p += n;
    }
    *to++ = '"';
    return (size_t)(to - start);
}

static uint32_t random_below(uint32_t below)
{
    static uint64_t state = 1;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % below;
}

/* Fills text with len bytes of random pieces; the last one may be truncated. */
static size_t make_text(char *text, size_t len)
{
    uint32_t kinds = 1 + random_below(sizeof pieces / sizeof *pieces);
    for (size_t n = 0; n < len;) {
        const char *piece = pieces[random_below(4) ? random_below(4) : random_below(kinds)];
        size_t size = strlen(piece);
        if (size > len - n)
            size = len - n;
        memcpy(text + n, piece, size);
        n += size;
    }
    return len;
}

int main(void)
{
    char text[LONGEST], expected[JSON_STRING_CAPACITY(LONGEST)],
        got[JSON_STRING_CAPACITY(LONGEST) + 1];
    for (unsigned i = 0; i < TEXTS; i++) {
        struct slice s = unit_guarded((struct slice){text, make_text(text, i % (LONGEST + 1))});
        size_t capacity = JSON_STRING_CAPACITY(s.len);
        size_t n = naive_quote(expected, s);
        got[capacity] = '!';
        unit((size_t)(json_quote(got, s) - got) == n && memcmp(got, expected, n) == 0 &&
                 got[capacity] == '!',
             "%.*s: got %.*s", SHOW(s), (int)n, got);
        /* Neither the bytes after the text nor their number may matter. */
        size_t len = s.len ? 1 + random_below((uint32_t)s.len) : 0;
        struct slice part = {s.data, len};
        n = naive_quote(expected, part);
        unit((size_t)(json_quote_within(got, part, s.data + s.len) - got) == n &&
                 memcmp(got, expected, n) == 0,
             "%.*s within: got %.*s", SHOW(part), (int)n, got);
    }
    return unit_end("escape");
}
