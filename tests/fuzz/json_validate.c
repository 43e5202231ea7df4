/*
 * json_line against json_is_valid, which finds its way by jsmn's tokens: they must accept the same
 * lines, but for what nests too deep for json_line. Each line of the input is looked at by itself,
 * before a page that must not be touched, and again as one of many.
 *
 *     make build/fuzz/json_is_valid && build/fuzz/json_is_valid -max_len=4096 FOLDER
 *
 * needs clang and its runtime (libclang-rt-14-dev). Eight million runs over json.cases and records
 * found nothing more; before, they found that an object was taken where a comma was expected.
 * tests/unit/json_fuzz_test.c does 300,000 without clang each time that `make check` runs.
 */

#include "json_validate.h"

#include "base/defect.h"
#include "unit.h"
#include "json/locate-error.h"
#include "json/validate.h"

static void disagree(struct slice line, const char *what)
{
    printf("not ok json_line %s: %.*s\n", what, (int)line.len, line.data);
    fflush(stdout);
    abort();
}

static bool deep(struct slice line)
{
    int opened = 0;
    for (size_t i = 0; i < line.len; i++)
        opened += line.data[i] == '{' || line.data[i] == '[';
    return opened > JSON_VALIDATE_DEPTH;
}

static void compare(struct slice line, const char *lf, bool good)
{
    if (lf && lf != line.data + line.len)
        disagree(line, "ends elsewhere");
    if (lf && !good)
        disagree(line, "accepts");
    if (!lf && good && !deep(line))
        disagree(line, "does not accept");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct json_validator kept; /* knows the names of what came before */
    static struct json_checker check;
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
        bool good = json_is_valid(&check, line, &defect);
        compare(line, json_validate(&kept, slice_between(p, end)), good);
        struct json_validator fresh = {0};
        struct slice alone = unit_guarded(slice_between(p, lf + 1));
        struct slice inside = {alone.data, alone.len - 1};
        compare(inside, json_validate(&fresh, alone), good);
        compare(inside, json_validate(&fresh, alone), good);
        p = lf + 1;
    }
    return 0;
}
