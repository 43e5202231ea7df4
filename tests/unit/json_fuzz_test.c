/*
 * json_fuzz_test [ITERATIONS [SEED]]: mutates tests/data/json.cases, records and generated JSON,
 * and passes them to tests/fuzz/json_validate.c, which aborts on a failure. The default run is
 * deterministic.
 */

#include "../fuzz/json_validate.h"
#include "unit.h"

enum { SEEDS = 1024, LONG = 2048, ITERATIONS = 300000 };

static struct slice seeds[SEEDS];
static size_t seed_count;

static uint64_t state = UINT64_C(0x9E3779B97F4A7C15);

static size_t random_below(size_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (size_t)(state >> 11) % n;
}

static void seed_add(const char *bytes, size_t len)
{
    char *copy = malloc(len + 1);
    if (!copy || seed_count == SEEDS)
        abort();
    memcpy(copy, bytes, len);
    seeds[seed_count++] = (struct slice){copy, len};
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
    size_t len;
};

static void text_append(struct text *t, const char *piece)
{
    size_t n = strlen(piece);
    if (t->len + n <= sizeof t->bytes) {
        memcpy(t->bytes + t->len, piece, n);
        t->len += n;
    }
}

static void append_space(struct text *t)
{
    static const char *const space[] = {"", "", "", "", " ", "\t", "\r", "  "};
    text_append(t, space[random_below(8)]);
}

static void append_string(struct text *t)
{
    static const char *const parts[] = {"a",       "msg",      "0123456789",   "\\n",
                                        "\\u00E9", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
                                        ","};
    text_append(t, "\"");
    for (size_t n = random_below(random_below(4) ? 3 : 12); n; n--)
        text_append(t, parts[random_below(sizeof parts / sizeof *parts)]);
    text_append(t, "\"");
}

/* Uses few names, so that the validator recognizes them again. */
static void append_name(struct text *t)
{
    static const char *const names[] = {"\"a\"", "\"msg\"", "\"sd\"", "\"hostname\"",
                                        "\"a name that is long\""};
    if (random_below(16))
        text_append(t, names[random_below(sizeof names / sizeof *names)]);
    else
        append_string(t);
}

/* If set, slip() is sometimes true: the generator then omits a token or adds one in a wrong place.
 */
static bool slips;

static bool slip(void)
{
    return random_below(64) == 0 && slips;
}

static void append_value(struct text *t, unsigned depth);

static void append_members(struct text *t, unsigned depth, bool object)
{
    append_space(t);
    for (size_t n = random_below(random_below(8) ? 5 : 24), i = 0; i < n; i++) {
        if ((i != 0) != slip())
            text_append(t, ",");
        append_space(t);
        if (object != slip()) {
            append_name(t);
            append_space(t);
            if (!slip())
                text_append(t, ":");
            append_space(t);
        }
        if (slip())
            text_append(t, "{}");
        append_value(t, depth + 1);
        append_space(t);
    }
}

static void append_value(struct text *t, unsigned depth)
{
    static const char *const scalars[] = {
        "true", "false", "null",   "0",      "-0",
        "17",   "-1.25", "1e+300", "0.5E-1", "9223372036854775807"};
    bool object = depth == 0 || random_below(2);
    if (depth && (depth > 6 || random_below(4))) {
        if (random_below(2))
            append_string(t);
        else
            text_append(t, scalars[random_below(sizeof scalars / sizeof *scalars)]);
        return;
    }
    text_append(t, object ? "{" : "[");
    append_members(t, depth, object);
    if (!slip())
        text_append(t, object != slip() ? "}" : "]");
}

static void text_replace(struct text *t, size_t pos, size_t n, const char *with, size_t len)
{
    if (t->len - n + len > sizeof t->bytes)
        return;
    memmove(t->bytes + pos + len, t->bytes + pos + n, t->len - pos - n);
    memcpy(t->bytes + pos, with, len);
    t->len += len - n;
}

static void text_mutate(struct text *t)
{
    size_t pos = random_below(t->len + 1);
    size_t n = random_below(random_below(2) ? 2 : 24);
    const char *piece = pieces[random_below(PIECES)];
    char byte = (char)random_below(256);
    struct slice other = seeds[random_below(seed_count)];
    if (n > t->len - pos)
        n = t->len - pos;
    switch (random_below(6)) {
    case 0:
        text_replace(t, pos, n ? 1 : 0, &byte, 1);
        break;
    case 1:
        text_replace(t, pos, n, piece, strlen(piece));
        break;
    case 2:
        text_replace(t, pos, 0, piece, strlen(piece));
        break;
    case 3:
        text_replace(t, pos, n, "", 0);
        break;
    case 4:
        if (pos < other.len)
            text_replace(t, pos, t->len - pos, other.data + pos, other.len - pos);
        break;
    default:
        if (t->len)
            t->bytes[pos % t->len] =
                (char)((unsigned char)t->bytes[pos % t->len] ^ 1U << random_below(8));
    }
}

static void read_cases(void)
{
    FILE *table = unit_table("tests/data/json.cases");
    struct unit_case c;
    while (unit_next_case(table, &c)) {
        if (c.input.len < LONG)
            seed_add(c.input.data, c.input.len);
        unit_case_free(&c);
    }
    fclose(table);
    for (size_t i = 0; i < sizeof records / sizeof *records; i++)
        seed_add(records[i], strlen(records[i]));
}

/* Starts with a seed or with generated JSON, whose valid form is passed to the validator first. */
static void text_start(struct text *t)
{
    t->len = 0;
    if (random_below(4) == 0) {
        size_t last = random_below(2) ? 4 : seed_count;
        struct slice seed = seeds[seed_count - 1 - random_below(last)];
        text_replace(t, 0, 0, seed.data, seed.len);
        if (random_below(4) == 0)
            LLVMFuzzerTestOneInput((const uint8_t *)t->bytes, t->len);
        return;
    }
    uint64_t before = state;
    slips = false;
    append_value(t, 0);
    LLVMFuzzerTestOneInput((const uint8_t *)t->bytes, t->len);
    state = before;
    slips = true;
    t->len = 0;
    append_value(t, 0);
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
        text_start(t);
        for (size_t n = random_below(2) ? 0 : random_below(4); n; n--)
            text_mutate(t);
        LLVMFuzzerTestOneInput((const uint8_t *)t->bytes, t->len);
    }
    unit(seed_count > 600, "only %zu seeds", seed_count);
    while (seed_count)
        free((void *)(uintptr_t)seeds[--seed_count].data);
    free(t);
    return unit_end("json fuzz");
}
