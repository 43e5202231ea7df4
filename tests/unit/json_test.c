/*
 * tests/data/json.cases: json_is_valid() must return the expected result with reason and offset,
 * and json_validate() must agree with it. Cases that are nested too deeply for json_validate(), or
 * that contain LF and thus are not one line, are checked with json_is_valid() only.
 */

#include "base/defect.h"
#include "json/locate-error.h"
#include "json/validate.h"
#include "unit.h"

static bool validators_agree(const struct unit_case *c, bool valid)
{
    static char text[1 << 18];
    struct json_validator j = {0};
    if (memchr(c->input.data, '\n', c->input.len) ||
        (strncmp(c->name, "depth-", 6) == 0 && c->name[7] != '-'))
        return true;
    memcpy(text, c->input.data, c->input.len);
    text[c->input.len] = '\n';
    struct slice line = unit_guarded((struct slice){text, c->input.len + 1});
    return json_validate(&j, line) == (valid ? line.data + c->input.len : NULL);
}

int main(int argc, char **argv)
{
    FILE *table = unit_table(argc > 1 ? argv[1] : "tests/data/json.cases");
    struct unit_case c;
    struct json_checker checker = {0};
    unsigned cases = 0;
    while (unit_next_case(table, &c)) {
        struct defect defect;
        char got[256] = "ok";
        bool valid = json_is_valid(&checker, unit_guarded(c.input), &defect);
        if (!valid)
            snprintf(got, sizeof got, "!%s (at byte %" PRIu64 ")", defect.reason, defect.offset);
        unit(slice_equal((struct slice){got, strlen(got)}, c.expected), "%s: got %s, expected %.*s",
             c.name, got, SHOW(c.expected));
        unit(validators_agree(&c, valid), "%s: json_validate() disagrees", c.name);
        cases++;
        unit_case_free(&c);
    }
    unit(cases >= 80, "only %u cases", cases);
    json_checker_free(&checker);
    fclose(table);
    return unit_end("json");
}
