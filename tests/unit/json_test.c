/*
 * tests/data/json.cases: the verdict of json_is_valid, with reason and offset, and that json_line
 * has the same, but where it leaves what is deep to json_is_valid. What has a LF is no line.
 */

#include "base/defect.h"
#include "unit.h"
#include "json/locate-error.h"
#include "json/validate.h"

static bool same_verdict(const struct unit_case *c, bool good)
{
    static char text[1 << 18];
    struct json_validator j = {0};
    if (memchr(c->input.data, '\n', c->input.len) ||
        (strncmp(c->name, "depth-", 6) == 0 && c->name[7] != '-'))
        return true;
    memcpy(text, c->input.data, c->input.len);
    text[c->input.len] = '\n';
    struct slice line = unit_guarded((struct slice){text, c->input.len + 1});
    return json_validate(&j, line) == (good ? line.data + c->input.len : NULL);
}

int main(int argc, char **argv)
{
    FILE *table = unit_table(argc > 1 ? argv[1] : "tests/data/json.cases");
    struct unit_case c;
    struct json_checker check = {0};
    unsigned cases = 0;
    while (unit_next_case(table, &c)) {
        struct defect defect;
        char got[256] = "ok";
        bool good = json_is_valid(&check, unit_guarded(c.input), &defect);
        if (!good)
            snprintf(got, sizeof got, "!%s (at byte %" PRIu64 ")", defect.reason, defect.offset);
        unit(slice_equal((struct slice){got, strlen(got)}, c.expected), "%s: got %s, expected %.*s",
             c.name, got, SHOW(c.expected));
        unit(same_verdict(&c, good), "%s: json_line has another verdict", c.name);
        cases++;
        unit_case_free(&c);
    }
    unit(cases >= 80, "only %u cases", cases);
    json_checker_free(&check);
    fclose(table);
    return unit_end("json");
}
