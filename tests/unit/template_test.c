/*
 * template_test [ITERATIONS [SEED]]: templates of subjects, headers and identifiers: what is
 * refused, what their values become, and generated lines for tests/fuzz/line_template.c, which
 * aborts on a failure. The default run is deterministic.
 */

#include "../fuzz/line_template.h"

#include "publish/envelope.h"
#include "unit.h"

enum { ITERATIONS = 200000 };

static struct slice text_slice(const char *text)
{
    return (struct slice){text, strlen(text)};
}

/* Compiling */

static void expect_defect(enum line_template_kind kind, const char *source, const char *expected)
{
    struct line_template t;
    struct member_scan scan = {0};
    char error_text[LINE_TEMPLATE_TEXT_MAX] = "";
    bool valid = line_template_init(&t, kind, source, &scan, error_text);
    unit(valid ? !expected : expected && strcmp(error_text, expected) == 0, "%s: %s", source,
         valid ? "is valid" : error_text);
    line_template_free(&t);
    member_scan_free(&scan);
}

static void expect_defects(void)
{
    static const char count[] =
        "the number of partitions must be from 1 to 2147483647, as in {#16:hostname}";
    static const char fields[] = "a partition requires fields, as in {#16:hostname,appname}";
    static const char sd[] = "sd is an object; a value in it is {sd.ID.NAME} or {sd[\"ID\"].NAME}";
    static const char brackets[] = "a name in brackets is written as [\"NAME\"]";
    char text[512];
    const struct {
        const char *source;
        const char *defect;
    } subjects[] = {
        {"a.{hostname}", NULL},
        {"{hostname}", NULL},
        {"{facility}{severity}-{procid|x}.{sd.origin.ip}.{sd[\"a.b@1\"].x|-}", NULL},
        {"{{x}}.{{{hostname}}}", NULL},
        {"{#1:hostname}.{#2147483647:hostname|x,appname|y}", NULL},
        {"{peer}.{transport}.{received}.{raw}.{msg}.{timestamp}.{version}.{msgid}", NULL},
        {"{[\"any thing\"]}.{[\"a\"][\"b\"].c}", NULL},
        {"{hostname", "a brace is not closed"},
        {"a.{", "the name of a field is missing"},
        {"{}", "the name of a field is missing"},
        {"{sd..x}", "the name of a field is missing"},
        {"{hostname.", "a brace is not closed"},
        {"{hostname|x", "a brace is not closed"},
        {"{#4:hostname", "a brace is not closed"},
        {"a}", "a brace is not opened; '}}' is a literal one"},
        {"{hostname}}", "a brace is not opened; '}}' is a literal one"},
        {"{hostnme}", "unknown field 'hostnme'; a member that shnek-parse does not write is "
                      "{[\"hostnme\"]}"},
        {"{Hostname}", "unknown field 'Hostname'; a member that shnek-parse does not write is "
                       "{[\"Hostname\"]}"},
        {"{host name}", "unknown field 'host'; a member that shnek-parse does not write is "
                        "{[\"host\"]}"},
        {"{hostname:x}", "unexpected ':' in braces"},
        {"{hostname,appname}", "unexpected ',' in braces"},
        {"{hostname.x}", "hostname is not an object"},
        {"{sd}", sd},
        {"{sd.origin}", sd},
        {"{[\"sd\"]}", sd},
        {"{sd[x].y}", brackets},
        {"{sd[\"x.y}", brackets},
        {"{[\"a\"].b.c.d.e.f.g.h.i}", "more than 8 names in a field"},
        {"{hostname|a.b}", "the default 'a.b' is not a token"},
        {"{hostname|a b}", "the default 'a b' is not a token"},
        {"{hostname|>}", "the default '>' is not a token"},
        {"{hostname|}", "the default of a field is empty"},
        {"{#0:hostname}", count},
        {"{#:hostname}", count},
        {"{#x}", count},
        {"{#-1:hostname}", count},
        {"{#2147483648:hostname}", count},
        {"{#99999999999999999999:hostname}", count},
        {"{#16}", fields},
        {"{#16:}", "the name of a field is missing"},
        {"{#16:hostname,}", "the name of a field is missing"},
        {"*.{hostname}", "it contains a wildcard"},
        {"{hostname}.>", "it contains a wildcard"},
        {"a..{hostname}", "it has an empty token"},
        {".{hostname}", "it has an empty token"},
        {"{hostname}.", "it has an empty token"},
        {"", "it has an empty token"},
        {"a {hostname}", "it contains white space or a control character"},
        {"{hostname}\r\nPUB a 1", "it contains white space or a control character"},
    };
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++)
        expect_defect(LINE_TEMPLATE_SUBJECT, subjects[i].source, subjects[i].defect);
    memset(text, 'x', sizeof text);
    stpcpy(text + 255, "{hostname}");
    expect_defect(LINE_TEMPLATE_SUBJECT, text, NULL);
    stpcpy(text + 256, "{hostname}");
    text[255] = 'x';
    expect_defect(LINE_TEMPLATE_SUBJECT, text, "it is longer than 256 bytes without its fields");
    memset(text, 'x', sizeof text);
    memcpy(text, "{hostname|", 10);
    stpcpy(text + 10 + 65, "}");
    expect_defect(LINE_TEMPLATE_SUBJECT, text, "a default is longer than 64 bytes");
    expect_defect(LINE_TEMPLATE_HEADER, "any text * > . {hostname|} {hostname|a b.c}", NULL);
    expect_defect(LINE_TEMPLATE_HEADER, "{\"a\":1}", "the name of a field is missing");
    expect_defect(LINE_TEMPLATE_HEADER, "a\nb", "it contains a control character");
    expect_defect(LINE_TEMPLATE_ID, "{id}-{hostname.x}", NULL);
}

/* Expansion */

static const char record[] =
    "{\"severity\":\"crit\",\"facility\":\"auth\",\"version\":1,\"timestamp\":\"2024-12-15T21:08:"
    "09.484+09:00\",\"hostname\":\"web1\",\"appname\":\"\",\"procid\":18895,\"msgid\":null,\"sd\":{"
    "\"origin\":{\"ip\":\"192.0.2.1\",\"n\":[\"1\",\"2\"]},\"a.b@1\":{\"x\":\"y\\\\z\"},"
    "\"a\\\\b\":{\"x\":\"1\"}},\"msg\":\"\\u0041\\r\\n\\tb\\u0000\\u0085 "
    "\\ud83d\\ude00\\ud800c>*.\"}";

static void expect_subject(const char *source, const char *line, const char *expected)
{
    struct envelope *e = calloc(1, sizeof *e);
    if (!e)
        abort();
    bool valid = envelope_set_subject(e, source);
    unit(valid, "%s is invalid", source);
    for (int i = 0; valid && i < 2; i++) { /* with and without the names of a line before */
        envelope_fill(e, unit_guarded(text_slice(line)));
        unit(strcmp(e->subject, expected) == 0 && e->subject_len == strlen(expected), "%s: %s",
             source, e->subject);
    }
    envelope_free(e);
    free(e);
}

static void expect_subjects(void)
{
    expect_subject("foo", record, "foo");
    expect_subject("a{{b}}", record, "a{b}");
    expect_subject("logs.{facility}.{severity}.{hostname}", record, "logs.auth.crit.web1");
    expect_subject("{version}.{procid}.{timestamp}", record,
                   "1.18895.2024-12-15T21:08:09_484+09:00");
    expect_subject("{appname}.{msgid}.{appname|a}.{msgid|b}.{peer}.{peer|c}", record,
                   "_._.a.b._.c");
    expect_subject("x.{sd.origin.ip}.{sd.origin.n}.{sd.none.x}.{sd[\"a.b@1\"].x}.{sd[\"a\\b\"].x}",
                   record, "x.192_0_2_1._._.y\\z.1");
    expect_subject("x.{msg}", record,
                   "x.A___b___\xF0\x9F\x98\x80\xEF\xBF\xBD"
                   "c___");
    expect_subject("x.{hostname}", "{}", "x._");
    expect_subject("x.{hostname}", "{\"o\":{\"hostname\":\"evil\"},\"hostname\" : \"good\"}",
                   "x.good");
    expect_subject("x.{hostname}", "{\"hostname\":\"first\",\"hostname\":\"second\"}", "x.first");
    expect_subject("x.{hostname}", "{\"hostname\":true}", "x.true");
    expect_subject("x.{hostname}", "{\"hostname\":-1.5e+3}", "x.-1_5e+3");
    expect_subject("x.{[\"k k\"][\"a.b\"]}", "{\"k k\":{\"a.b\":\"v\"}}", "x.v");
}

/* Limits of values at the beginning of a subject. */
static void expect_guards(void)
{
    expect_subject("{hostname}.x", "{\"hostname\":\"$SYS\"}", "_SYS.x");
    expect_subject("{hostname}", "{\"hostname\":\"$\"}", "_");
    expect_subject("{hostname}.x", "{\"hostname\":\"_INBOX\"}", "_inbox.x");
    expect_subject("{hostname}{appname}.x", "{\"hostname\":\"_IN\",\"appname\":\"BOX\"}",
                   "_inbox.x");
    expect_subject("_{hostname}.x", "{\"hostname\":\"INBOX\"}", "_inbox.x");
    expect_subject("{hostname}.x", "{\"hostname\":\".INBOX\"}", "_inbox.x");
    expect_subject("{hostname}.x", "{\"hostname\":\"$INBOX\"}", "_inbox.x");
    expect_subject("{hostname}.x", "{\"hostname\":\"_INBOX2\"}", "_INBOX2.x");
    expect_subject("x.{hostname}", "{\"hostname\":\"$SYS\"}", "x.$SYS");
    expect_subject("$KV.{hostname}", "{\"hostname\":\"_INBOX\"}", "$KV._INBOX");
}

static void repeat(char *to, const char *text, size_t count)
{
    while (count--)
        to = stpcpy(to, text);
    *to = '\0';
}

/* Lengths: 64 bytes a token, 256 a subject, whole characters, no trailing dot. */
static void expect_limits(void)
{
    char line[2048];
    char value[1024];
    char expected[1024];
    for (size_t n = 60; n < 70; n++) {
        repeat(value, "x", n);
        snprintf(line, sizeof line, "{\"hostname\":\"%s\"}", value);
        repeat(expected, "x", n < 64 ? n : 64);
        expect_subject("{hostname}", line, expected);
        repeat(value, "\xE2\x82\xAC", n / 3);
        snprintf(line, sizeof line, "{\"hostname\":\"x%s\"}", value);
        expected[0] = 'x';
        repeat(expected + 1, "\xE2\x82\xAC", n / 3 < 21 ? n / 3 : 21);
        expect_subject("{hostname}", line, expected);
    }
    repeat(value, "x", 64);
    snprintf(line, sizeof line, "{\"hostname\":\"%s\"}", value);
    snprintf(expected, sizeof expected, "%.64s.%.64s.%.64s.%.61s", value, value, value, value);
    expect_subject("{hostname}.{hostname}.{hostname}.{hostname}", line, expected);
    char source[256] = "{hostname}.{hostname}.{hostname}.";
    repeat(source + strlen(source), "y", 60);
    snprintf(expected, sizeof expected, "%.64s.%.64s.%.64s.%.60s", value, value, value,
             source + 33);
    stpcpy(source + strlen(source), ".{hostname}");
    expect_subject(source, line, expected); /* the dot is the last of 256 bytes */
}

static void expect_header(const char *header, const char *line, const char *expected)
{
    struct envelope *e = calloc(1, sizeof *e);
    if (!e || !envelope_set_subject(e, "foo"))
        abort();
    bool valid = envelope_add_header(e, header);
    unit(valid, "%s is invalid", header);
    envelope_fill(e, unit_guarded(text_slice(line)));
    unit(valid && strcmp(e->headers[0].name, "X") == 0 &&
             strcmp(e->headers[0].value, expected) == 0,
         "%s: '%s'", header, valid ? e->headers[0].value : "");
    envelope_free(e);
    free(e);
}

static void expect_headers(void)
{
    char line[2048] = "{\"msg\":\"";
    char expected[1025];
    expect_header("X: a: b", record, "a: b");
    expect_header("X:a", record, "a");
    expect_header("X:", record, "");
    expect_header("X: {hostname}.{procid} ", record, "web1.18895 ");
    expect_header("X: {appname}{msgid}{msgid|}{msgid|n o}", record, "__n o");
    expect_header("X: {msg}", record,
                  "A\tb\xC2\x85 \xF0\x9F\x98\x80\xEF\xBF\xBD"
                  "c>*.");
    expect_header("X: {msg}", "{\"msg\":\"\\r\\n\"}", "_");
    expect_header("X: {#16:hostname}", record, "0");
    repeat(line + strlen(line), "\xE2\x82\xAC", 500);
    stpcpy(line + strlen(line), "\"}");
    repeat(expected, "\xE2\x82\xAC", 341);
    expect_header("X: {msg}{msg}", line, expected);
    memmove(expected + 1, expected, 1024);
    *expected = 'x';
    expect_header("X: x{msg}", line, expected);
}

static void expect_key(struct envelope *e, const char *line, struct slice expected)
{
    struct buffer to = {0};
    struct slice key = envelope_key(e, text_slice(line), &to);
    unit(slice_equal(key, expected) && !key.data == !expected.data, "%s: %.*s", line, SHOW(key));
    buffer_free(&to);
}

/* The subject and the headers, each with a NUL. */
static void expect_keys(void)
{
    struct envelope *e = calloc(1, sizeof *e);
    if (!e || !envelope_set_subject(e, "x") || !envelope_add_header(e, "A: b"))
        abort();
    expect_key(e, record, (struct slice){0});
    envelope_add_header(e, "X: {severity}");
    envelope_add_header(e, "Y: {sd.origin.ip}");
    expect_key(e, record, (struct slice){"x\0crit\000192.0.2.1", 17});
    expect_key(e, "{\"severity\":\"\"}", (struct slice){"x\0_\0_", 6});
    envelope_free(e);
    free(e);
}

/* Lines that are not JSON, as with --no-check, have no fields. */
static void expect_unchecked(void)
{
    struct envelope *e = calloc(1, sizeof *e);
    if (!e || !envelope_set_subject(e, "x.{hostname}"))
        abort();
    e->checks_lines = true;
    envelope_fill(e, text_slice("{\"hostname\":\"a\"}"));
    unit(strcmp(e->subject, "x.a") == 0, "valid: %s", e->subject);
    envelope_fill(e, text_slice("{\"hostname\":\"a\"} x"));
    unit(strcmp(e->subject, "x._") == 0, "invalid: %s", e->subject);
    envelope_free(e);
    free(e);
}

static void expect_filter(const char *source, const char *expected)
{
    struct line_template t;
    struct member_scan scan = {0};
    char error_text[LINE_TEMPLATE_TEXT_MAX];
    char filter[LINE_TEMPLATE_CAPACITY] = "";
    unit(line_template_init(&t, LINE_TEMPLATE_SUBJECT, source, &scan, error_text), "%s is invalid",
         source);
    size_t len = line_template_filter(&t, filter);
    unit(strcmp(filter, expected) == 0 && len == strlen(expected), "%s: %s", source, filter);
    line_template_free(&t);
    member_scan_free(&scan);
}

/* Generated lines */

static uint64_t state = UINT64_C(0x9E3779B97F4A7C15);

static size_t random_below(size_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (size_t)(state >> 11) % n;
}

static char *put_string(char *to)
{
    static const char *const pieces[] = {"a",
                                         "0",
                                         "x y",
                                         "_INBOX",
                                         ".",
                                         "*",
                                         ">",
                                         "$SYS",
                                         "\\r\\n",
                                         "\\\"",
                                         "\\\\",
                                         "\\/",
                                         "\\u0000",
                                         "\\u000A",
                                         "\\u00e9",
                                         "\\uD83D\\uDE00",
                                         "\\uD83D",
                                         "\\uDE00",
                                         "\xC3\xA9",
                                         "\xC2\x85",
                                         "\xC2\xA0",
                                         "\xE2\x80\x8A",
                                         "\xE2\x80\xA8",
                                         "\xE3\x80\x80",
                                         "\x7F",
                                         "{",
                                         "}",
                                         "\xF0\x9F\x98\x80",
                                         "\\t",
                                         "abcdefghijklmnop",
                                         "-",
                                         "\\u2028",
                                         "[",
                                         ",",
                                         "\\ufeff",
                                         "\xE1\x9A\x80"};
    for (size_t n = random_below(random_below(2) ? 4 : 90); n; n--)
        to = stpcpy(to, pieces[random_below(sizeof pieces / sizeof *pieces)]);
    return to;
}

static char *put_value(char *to, unsigned depth)
{
    static const char *const scalars[] = {"null", "true", "0",          "-1.5e+3",
                                          "{}",   "[]",   "[{\"a\":1}]"};
    static const char *const names[] = {"a",  "b", "c",       "d",
                                        "aa", "",  "\\u0061", "a name that is long"};
    switch (random_below(depth ? 4 : 1)) {
    case 0:
        break;
    case 1:
        return stpcpy(to, scalars[random_below(sizeof scalars / sizeof *scalars)]);
    default:
        *to++ = '"';
        to = put_string(to);
        return stpcpy(to, "\"");
    }
    *to++ = '{';
    for (size_t n = random_below(depth > 2 ? 2 : 7); n; n--) {
        to +=
            sprintf(to, "%s\"%s\"%s:", random_below(8) ? "" : " ",
                    names[random_below(sizeof names / sizeof *names)], random_below(8) ? "" : "\t");
        to = put_value(to, depth + 1);
        if (n > 1)
            *to++ = ',';
    }
    return stpcpy(to, "}");
}

static void run_generated(unsigned long iterations)
{
    static char line[1 << 20];
    for (unsigned long i = 0; i < iterations; i++) {
        size_t len = (size_t)(put_value(line, 0) - line);
        for (size_t n = random_below(4) ? 0 : random_below(4); n; n--)
            line[random_below(len)] = (char)random_below(256);
        LLVMFuzzerTestOneInput((const uint8_t *)line, len);
    }
}

int main(int argc, char **argv)
{
    if (argc > 2)
        state ^= strtoul(argv[2], NULL, 10) << 17;
    expect_defects();
    expect_subjects();
    expect_guards();
    expect_limits();
    expect_headers();
    expect_keys();
    expect_unchecked();
    expect_filter("foo.bar", "foo.bar");
    expect_filter("logs.{facility}.{severity}", "logs.*.*");
    expect_filter("logs.a{facility}b{severity}.c{{", "logs.*.c{");
    expect_filter("{#16:hostname,appname}.x{hostname}", "*.*");
    run_generated(argc > 1 ? strtoul(argv[1], NULL, 10) : ITERATIONS);
    return unit_end("template");
}
