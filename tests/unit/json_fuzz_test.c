/*
 * Changes of tests/data/json.cases, of records and of made-up JSON, always the same ones, for
 * tests/fuzz/json_is_valid.c, whose verdict is by not coming back. ITERATIONS [SEED] make others.
 */

#include "../fuzz/json_validate.h"
#include "unit.h"

enum { SEEDS = 1024, LONG = 2048, ITERATIONS = 300000 };

static struct slice seeds[SEEDS];
static size_t seed_count;

static uint64_t state = UINT64_C(0x9E3779B97F4A7C15);

static size_t chance(size_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (size_t)(state >> 11) % n;
}

static void keep(const char *bytes, size_t length)
{
    char *copy = malloc(length + 1);
    if (!copy || seed_count == SEEDS)
        abort();
    memcpy(copy, bytes, length);
    seeds[seed_count++] = (struct slice){copy, length};
}

static const char *const records[] = {
    "{\"severity\":\"crit\",\"facility\":\"auth\",\"version\":1,\"timestamp\":\"2024-12-15T21:08:"
    "09."
    "484+09:00\",\"hostname\":\"mantoshkin-pc\",\"appname\":\"spamlog\",\"procid\":18895,\"msgid\":"
    "\"0\",\"sd\":{},\"msg\":\"hello from rust!\"}",
    "{\"severity\":\"info\",\"facility\":\"local0\",\"version\":1,\"timestamp\":null,\"hostname\":"
    "null,\"appname\":null,\"procid\":null,\"msgid\":null,\"sd\":{\"a@1\":{\"x\":\"y\",\"z\":["
    "\"1\","
    "\"\\\"]\"]},\"meta\":{}},\"msg\":null}",
    "{\"severity\":\"info\",\"facility\":\"user\",\"version\":null,\"timestamp\":\"2026-11-22T17:"
    "00:"
    "00+01:00\",\"hostname\":\"web1\",\"appname\":\"sshd\",\"procid\":\"x-1\",\"msgid\":\"-\","
    "\"sd\":"
    "{},\"msg\":\"Gr\xC3\xBC\xC3\x9F"
    "e \xE2\x82\xAC \xF0\x9F\x98\x80 \\u0000\\t\"}",
    "{ \"a\" : 1 , \"b\" : [ 1.5e-3 , true , { } , [ ] ] , \"c\" : { \"d\" : \"\" } }",
};

static const char *const pieces[] = {
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    " ",
    "\t",
    "\r",
    "\n",
    "true",
    "false",
    "null",
    "0",
    "-1",
    "1.5",
    "1e9",
    "1E-0",
    "01",
    "\\u00e9",
    "\\uD800",
    "\\x",
    "{}",
    "[]",
    "\"\"",
    "\"a\":1",
    ",\"b\":2",
    "\xC3\xA9",
    "\xC0\x80",
    "\xED\xA0\x80",
    "\x80",
    "\x7F",
    "\x1F",
    ",\"msg\"",
    "-",
    ".",
    "e",
    "\xF4\x90\x80\x80",
    "\"msg",
    "\xE2\x82\xAC",
    "\xF0\x9F\x98\x80",
    "0123456789abcdef",
    "0123456789abcdef0123456789",
};
enum { PIECES = sizeof pieces / sizeof *pieces };

struct text {
    char bytes[4 * LONG];
    size_t length;
};

static void add(struct text *t, const char *piece)
{
    size_t n = strlen(piece);
    if (t->length + n <= sizeof t->bytes) {
        memcpy(t->bytes + t->length, piece, n);
        t->length += n;
    }
}

static void make_space(struct text *t)
{
    static const char *const space[] = {"", "", "", "", " ", "\t", "\r", "  "};
    add(t, space[chance(8)]);
}

static void make_string(struct text *t)
{
    static const char *const parts[] = {"a",       "msg",      "0123456789",   "\\n",
                                        "\\u00E9", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
                                        ","};
    add(t, "\"");
    for (size_t n = chance(chance(4) ? 3 : 12); n; n--)
        add(t, parts[chance(sizeof parts / sizeof *parts)]);
    add(t, "\"");
}

/* Few names, so that they are met again. */
static void make_name(struct text *t)
{
    static const char *const names[] = {"\"a\"", "\"msg\"", "\"sd\"", "\"hostname\"",
                                        "\"a name that is long\""};
    if (chance(16))
        add(t, names[chance(sizeof names / sizeof *names)]);
    else
        make_string(t);
}

/* Now and then something is left out, or stands where it must not, if it may. */
static bool slips;

static bool slip(void)
{
    return chance(64) == 0 && slips;
}

static void make_value(struct text *t, unsigned depth);

static void make_members(struct text *t, unsigned depth, bool object)
{
    make_space(t);
    for (size_t n = chance(chance(8) ? 5 : 24), i = 0; i < n; i++) {
        if ((i != 0) != slip())
            add(t, ",");
        make_space(t);
        if (object != slip()) {
            make_name(t);
            make_space(t);
            if (!slip())
                add(t, ":");
            make_space(t);
        }
        if (slip())
            add(t, "{}");
        make_value(t, depth + 1);
        make_space(t);
    }
}

static void make_value(struct text *t, unsigned depth)
{
    static const char *const scalars[] = {
        "true", "false", "null",   "0",      "-0",
        "17",   "-1.25", "1e+300", "0.5E-1", "9223372036854775807"};
    bool object = depth == 0 || chance(2);
    if (depth && (depth > 6 || chance(4))) {
        if (chance(2))
            make_string(t);
        else
            add(t, scalars[chance(sizeof scalars / sizeof *scalars)]);
        return;
    }
    add(t, object ? "{" : "[");
    make_members(t, depth, object);
    if (!slip())
        add(t, object != slip() ? "}" : "]");
}

static void replace(struct text *t, size_t at, size_t n, const char *with, size_t length)
{
    if (t->length - n + length > sizeof t->bytes)
        return;
    memmove(t->bytes + at + length, t->bytes + at + n, t->length - at - n);
    memcpy(t->bytes + at, with, length);
    t->length += length - n;
}

static void change(struct text *t)
{
    size_t at = chance(t->length + 1);
    size_t n = chance(chance(2) ? 2 : 24);
    const char *piece = pieces[chance(PIECES)];
    char byte = (char)chance(256);
    struct slice other = seeds[chance(seed_count)];
    if (n > t->length - at)
        n = t->length - at;
    switch (chance(6)) {
    case 0:
        replace(t, at, n ? 1 : 0, &byte, 1);
        break;
    case 1:
        replace(t, at, n, piece, strlen(piece));
        break;
    case 2:
        replace(t, at, 0, piece, strlen(piece));
        break;
    case 3:
        replace(t, at, n, "", 0);
        break;
    case 4:
        if (at < other.len)
            replace(t, at, t->length - at, other.data + at, other.len - at);
        break;
    default:
        if (t->length)
            t->bytes[at % t->length] =
                (char)((unsigned char)t->bytes[at % t->length] ^ 1U << chance(8));
    }
}

static void read_cases(void)
{
    FILE *table = unit_table("tests/data/json.cases");
    struct unit_case c;
    while (unit_next_case(table, &c)) {
        if (c.input.len < LONG)
            keep(c.input.data, c.input.len);
        unit_case_free(&c);
    }
    fclose(table);
    for (size_t i = 0; i < sizeof records / sizeof *records; i++)
        keep(records[i], strlen(records[i]));
}

/* A seed, or something made up, of which the sound form is first made known. */
static void begin(struct text *t)
{
    t->length = 0;
    if (chance(4) == 0) {
        size_t last = chance(2) ? 4 : seed_count;
        struct slice seed = seeds[seed_count - 1 - chance(last)];
        replace(t, 0, 0, seed.data, seed.len);
        if (chance(4) == 0)
            LLVMFuzzerTestOneInput((const uint8_t *)t->bytes, t->length);
        return;
    }
    uint64_t before = state;
    slips = false;
    make_value(t, 0);
    LLVMFuzzerTestOneInput((const uint8_t *)t->bytes, t->length);
    state = before;
    slips = true;
    t->length = 0;
    make_value(t, 0);
}

int main(int argc, char **argv)
{
    unsigned long iterations = argc > 1 ? strtoul(argv[1], NULL, 10) : ITERATIONS;
    struct text *t = malloc(sizeof *t);
    if (!t)
        return 1;
    if (argc > 2)
        state ^= strtoul(argv[2], NULL, 10) << 17;
    read_cases();
    for (unsigned long i = 0; i < iterations; i++) {
        begin(t);
        for (size_t n = chance(2) ? 0 : chance(4); n; n--)
            change(t);
        LLVMFuzzerTestOneInput((const uint8_t *)t->bytes, t->length);
    }
    unit(seed_count > 600, "only %zu seeds", seed_count);
    while (seed_count)
        free((void *)(uintptr_t)seeds[--seed_count].data);
    free(t);
    return unit_end("json fuzz");
}
