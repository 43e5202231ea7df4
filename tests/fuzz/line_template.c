/*
 * Compares the subjects, headers and identifiers of line_template_expand() with those of a plain
 * implementation, which finds members with jsmn and applies the rules to one character after the
 * other. The same for lines that are not JSON: no subject contains white space, a control
 * character, a wildcard or an empty token, and no header a line break. Each line of the input is in
 * front of a guard page.
 *
 *     make build/fuzz/line_template && build/fuzz/line_template -max_len=4096 CORPUS
 *
 * requires clang and its runtime (libclang-rt-14-dev). Two million runs find nothing.
 * tests/unit/template_test.c does 200,000 runs without clang in `make check`.
 */

#include "line_template.h"

#include "base/buffer.h"
#include "base/defect.h"
#include "base/utf8.h"
#include "json/locate-error.h"
#include "json/unescape.h"
#include "publish/line-template.h"
#include "unit.h"

/* The members that the templates name: a, b.c and d. */
enum { FUZZ_A, FUZZ_BC, FUZZ_D, FUZZ_VALUES };

/* A template as text, and as its parts: literals, and values with their defaults. */
struct fuzz_template {
    enum line_template_kind kind;
    const char *source;
    struct fuzz_part {
        const char *text; /* the literal, or the default; NULL: none */
        int value;        /* -1: a literal; FUZZ_VALUES: the partition of a and d|z of 7 */
    } parts[12];
    size_t count;
    struct line_template compiled;
};

static struct fuzz_template fuzz_templates[] = {
    {.kind = LINE_TEMPLATE_SUBJECT,
     .source = "{[\"a\"]}.{[\"b\"].c|none}.{#7:[\"a\"],[\"d\"]|z}-{{",
     .parts =
         {{NULL, FUZZ_A}, {".", -1}, {"none", FUZZ_BC}, {".", -1}, {NULL, FUZZ_VALUES}, {"-{", -1}},
     .count = 6},
    {.kind = LINE_TEMPLATE_SUBJECT,
     .source = "x{[\"a\"]}.{[\"a\"]}{[\"b\"].c}.{[\"d\"]}.{[\"a\"]}.{[\"a\"]}.y",
     .parts = {{"x", -1},
               {NULL, FUZZ_A},
               {".", -1},
               {NULL, FUZZ_A},
               {NULL, FUZZ_BC},
               {".", -1},
               {NULL, FUZZ_D},
               {".", -1},
               {NULL, FUZZ_A},
               {".", -1},
               {NULL, FUZZ_A},
               {".y", -1}},
     .count = 12},
    {.kind = LINE_TEMPLATE_HEADER,
     .source = "{[\"a\"]}; {[\"b\"].c|} {[\"d\"]|none}",
     .parts = {{NULL, FUZZ_A}, {"; ", -1}, {"", FUZZ_BC}, {" ", -1}, {"none", FUZZ_D}},
     .count = 5},
    {.kind = LINE_TEMPLATE_ID,
     .source = "{a}-{b.c|none}",
     .parts = {{NULL, FUZZ_A}, {"-", -1}, {"none", FUZZ_BC}},
     .count = 3},
    {.kind = LINE_TEMPLATE_ID, .source = "{d}", .parts = {{NULL, FUZZ_D}}, .count = 1},
};
enum { FUZZ_TEMPLATES = sizeof fuzz_templates / sizeof *fuzz_templates };

static struct member_scan fuzz_scan;

static void fuzz_fail(struct slice line, const char *what, struct slice got)
{
    printf("not ok %s: %.*s\nof: %.*s\n", what, (int)got.len, got.data, (int)line.len, line.data);
    fflush(stdout);
    abort();
}

/* The plain implementation */

static struct json_checker fuzz_checker;
static struct buffer fuzz_values[FUZZ_VALUES]; /* decoded */
static bool fuzz_is_null[FUZZ_VALUES];

static void fuzz_set_value(int i, struct slice value)
{
    enum json_kind kind = json_get_kind(value);
    struct buffer *b = &fuzz_values[i];
    b->len = 0;
    fuzz_is_null[i] = kind != JSON_STRING && kind != JSON_NUMBER && kind != JSON_BOOLEAN;
    if (fuzz_is_null[i])
        return;
    buffer_reserve(b, value.len + 1);
    if (kind == JSON_STRING)
        buffer_commit(b, json_unescape(b->data, value));
    else
        buffer_append(b, value);
}

static void fuzz_find_values(struct slice line)
{
    json_tokenize(&fuzz_checker, line);
    fuzz_set_value(FUZZ_A, json_get_member(&fuzz_checker, line, (struct slice){"a", 1}));
    fuzz_set_value(FUZZ_D, json_get_member(&fuzz_checker, line, (struct slice){"d", 1}));
    struct slice b = json_get_member(&fuzz_checker, line, (struct slice){"b", 1});
    struct slice c = {0};
    if (json_get_kind(b) == JSON_OBJECT) {
        json_tokenize(&fuzz_checker, b);
        c = json_get_member(&fuzz_checker, b, (struct slice){"c", 1});
    }
    fuzz_set_value(FUZZ_BC, c);
}

static unsigned fuzz_code_point(const char *p, size_t n)
{
    unsigned c = n == 1 ? (unsigned char)*p : (unsigned char)*p & (0x7FU >> n);
    for (size_t i = 1; i < n; i++)
        c = c << 6 | ((unsigned char)p[i] & 0x3F);
    return c;
}

static bool fuzz_is_replaced(unsigned c)
{
    return c <= ' ' || c == '.' || c == '*' || c == '>' || (c >= 0x7F && c <= 0xA0) ||
           c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000;
}

/* Appends a value by the rule of the kind. Returns false if there is no identifier. */
static bool fuzz_put_value(struct buffer *out, enum line_template_kind kind, int value,
                           const char *if_empty)
{
    const struct buffer *b = &fuzz_values[value];
    size_t start = out->len;
    bool is_id = kind == LINE_TEMPLATE_ID;
    for (size_t i = 0, n; i < b->len; i += n) {
        bool valid;
        n = utf8_sequence_len(b->data + i, b->data + b->len, &valid);
        struct slice c = {b->data + i, n};
        unsigned point = fuzz_code_point(c.data, n);
        if (is_id && point < ' ')
            return false;
        if (kind == LINE_TEMPLATE_SUBJECT && fuzz_is_replaced(point))
            c = (struct slice){"_", 1};
        if (kind == LINE_TEMPLATE_SUBJECT && out->len - start + c.len > SUBJECT_TOKEN_MAX)
            break;
        if (kind == LINE_TEMPLATE_SUBJECT || (point != '\r' && point != '\n' && point != 0))
            buffer_append(out, c);
    }
    if (out->len > start)
        return true;
    if (is_id && !if_empty)
        return !fuzz_is_null[value];
    buffer_puts(out, if_empty ? if_empty : "_");
    return true;
}

static void fuzz_put_partition(struct buffer *out)
{
    struct buffer key = {0};
    unsigned hash = 2166136261U;
    fuzz_put_value(&key, LINE_TEMPLATE_SUBJECT, FUZZ_A, NULL);
    fuzz_put_value(&key, LINE_TEMPLATE_SUBJECT, FUZZ_D, "z");
    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ (unsigned char)key.data[i]) * 16777619U;
    buffer_printf(out, "%u", hash % 7);
    buffer_free(&key);
}

static void fuzz_limit(struct buffer *out, const struct fuzz_template *t)
{
    if (t->kind == LINE_TEMPLATE_ID) {
        out->len = out->len > LINE_TEMPLATE_ID_MAX ? 0 : out->len;
        return;
    }
    size_t max =
        t->kind == LINE_TEMPLATE_SUBJECT ? LINE_TEMPLATE_SUBJECT_MAX : LINE_TEMPLATE_HEADER_MAX;
    out->len = utf8_truncate((struct slice){out->data, out->len}, max);
    while (t->kind == LINE_TEMPLATE_SUBJECT && out->data[out->len - 1] == '.')
        out->len--;
    if (t->kind != LINE_TEMPLATE_SUBJECT || t->parts[0].value < 0)
        return;
    if (out->data[0] == '$')
        out->data[0] = '_';
    if (out->len >= 7 && memcmp(out->data, "_INBOX.", 7) == 0)
        memcpy(out->data, "_inbox", 6);
}

static void fuzz_expect(struct buffer *out, const struct fuzz_template *t)
{
    out->len = 0;
    for (size_t i = 0; i < t->count; i++) {
        const struct fuzz_part *part = &t->parts[i];
        if (part->value < 0)
            buffer_puts(out, part->text);
        else if (part->value == FUZZ_VALUES)
            fuzz_put_partition(out);
        else if (!fuzz_put_value(out, t->kind, part->value, part->text)) {
            out->len = 0;
            return;
        }
    }
    fuzz_limit(out, t);
}

/* The comparison */

/* Checks what must be true of every line, even if it is not JSON. */
static void fuzz_check_safety(struct slice line, const struct fuzz_template *t, struct slice got)
{
    bool is_subject = t->kind == LINE_TEMPLATE_SUBJECT;
    for (size_t i = 0; i < got.len; i++) {
        unsigned char c = (unsigned char)got.data[i];
        if (c == '\r' || c == '\n' || c == '\0' ||
            (is_subject && (c <= ' ' || c == 127 || c == '*' || c == '>')))
            fuzz_fail(line, "unsafe byte", got);
        if (is_subject && c == '.' && (i == 0 || i + 1 == got.len || got.data[i - 1] == '.'))
            fuzz_fail(line, "empty token", got);
    }
    if (is_subject && (got.len == 0 || got.len > LINE_TEMPLATE_SUBJECT_MAX || got.data[0] == '$'))
        fuzz_fail(line, "wrong length or beginning", got);
}

static void fuzz_check_line(struct slice line)
{
    static char text[LINE_TEMPLATE_CAPACITY];
    static struct buffer expected;
    struct defect defect;
    bool valid = json_is_valid(&fuzz_checker, line, &defect);
    if (valid)
        fuzz_find_values(line);
    member_scan_run(&fuzz_scan, line);
    for (size_t i = 0; i < FUZZ_TEMPLATES; i++) {
        const struct fuzz_template *t = &fuzz_templates[i];
        size_t len = line_template_expand(&t->compiled, &fuzz_scan, line.data + line.len, text);
        struct slice got = {text, len};
        fuzz_check_safety(line, t, got);
        if (!valid)
            continue;
        fuzz_expect(&expected, t);
        if (!slice_equal(got, (struct slice){expected.data, expected.len}))
            fuzz_fail(line, t->source, got);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error_text[LINE_TEMPLATE_TEXT_MAX];
    const char *end = (const char *)data + size;
    for (size_t i = 0; i < FUZZ_TEMPLATES && !fuzz_templates[i].compiled.text; i++)
        if (!line_template_init(&fuzz_templates[i].compiled, fuzz_templates[i].kind,
                                fuzz_templates[i].source, &fuzz_scan, error_text))
            abort();
    for (const char *p = (const char *)data; p < end;) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        lf = lf ? lf : end;
        if (lf > p && lf - p < UNIT_GUARDED_SIZE)
            fuzz_check_line(unit_guarded(slice_between(p, lf)));
        p = lf < end ? lf + 1 : end;
    }
    return 0;
}
