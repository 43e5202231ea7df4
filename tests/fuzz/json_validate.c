/*
 * Compares json_validate() with json_is_valid(), an independent implementation. Both must accept
 * the same lines, except those nested too deeply for json_validate(). Each line of the input is
 * checked alone in front of a guard page, and again as part of the whole input. The value of a
 * member is valid JSON if the line is; json_get_member() may also be used on other text.
 *
 *     make build/fuzz/json_validate && build/fuzz/json_validate -max_len=4096 CORPUS
 *
 * requires clang and its runtime (libclang-rt-14-dev). Eight million runs over json.cases and
 * records find nothing; earlier runs found that an object was accepted in place of a comma.
 * tests/unit/json_fuzz_test.c does 300,000 runs without clang in `make check`.
 */

#include "json_validate.h"

#include "base/defect.h"
#include "json/locate-error.h"
#include "json/validate.h"
#include "unit.h"

static void fuzz_fail(struct slice line, const char *what)
{
    printf("not ok %s: %.*s\n", what, (int)line.len, line.data);
    fflush(stdout);
    abort();
}

static bool fuzz_is_too_deep(struct slice line)
{
    int opened = 0;
    for (size_t i = 0; i < line.len; i++)
        opened += line.data[i] == '{' || line.data[i] == '[';
    return opened > JSON_VALIDATE_DEPTH;
}

static void fuzz_compare(struct slice line, const char *lf, bool valid)
{
    if (lf && lf != line.data + line.len)
        fuzz_fail(line, "json_validate() returns a wrong end");
    if (lf && !valid)
        fuzz_fail(line, "json_validate() accepts an invalid line");
    if (!lf && valid && !fuzz_is_too_deep(line))
        fuzz_fail(line, "json_validate() rejects a valid line");
}

/* Looks up the member "a", whose value must be valid JSON. */
static void fuzz_get_member(struct json_checker *c, struct slice line, bool valid)
{
    static char text[1 << 16];
    json_tokenize(c, line);
    struct slice value = json_get_member(c, line, (struct slice){"a", 1});
    if (!value.data)
        return;
    if (value.data < line.data || value.data + value.len > line.data + line.len)
        fuzz_fail(line, "json_get_member() returns a value outside");
    if (!valid)
        return;
    const char *quote = json_get_kind(value) == JSON_STRING ? "\"" : "";
    int len =
        snprintf(text, sizeof text, "{\"\":%s%.*s%s}", quote, (int)value.len, value.data, quote);
    struct defect defect;
    if (!json_is_valid(c, (struct slice){text, (size_t)len}, &defect))
        fuzz_fail(line, "json_get_member() returns no JSON");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct json_validator kept; /* remembers names across inputs */
    static struct json_checker checker;
    static char text[1 << 16];
    if (size >= sizeof text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\n';
    const char *end = text + size + 1;
    for (const char *p = text; p < end;) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        struct slice line = slice_between(p, lf);
        struct defect defect;
        bool valid = json_is_valid(&checker, line, &defect);
        fuzz_compare(line, json_validate(&kept, slice_between(p, end)), valid);
        struct json_validator fresh = {0};
        struct slice alone = unit_guarded(slice_between(p, lf + 1));
        struct slice inside = {alone.data, alone.len - 1};
        fuzz_compare(inside, json_validate(&fresh, alone), valid);
        fuzz_compare(inside, json_validate(&fresh, alone), valid);
        fuzz_get_member(&checker, inside, valid);
        p = lf + 1;
    }
    return 0;
}
