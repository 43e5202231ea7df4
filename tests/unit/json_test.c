/* tests/data/json.cases: the verdict of json_check, with reason and offset. */

#include "unit.h"
#include "json/check.h"

int main(int argc, char **argv)
{
    FILE *table = unit_table(argc > 1 ? argv[1] : "tests/data/json.cases");
    struct unit_case c;
    struct json_check check = {0};
    unsigned cases = 0;
    while (unit_next_case(table, &c)) {
        struct defect defect;
        char got[256] = "ok";
        if (!json_check(&check, unit_guarded(c.input), &defect))
            snprintf(got, sizeof got, "!%s (at byte %" PRIu64 ")", defect.reason, defect.offset);
        unit(slice_equal((struct slice){got, strlen(got)}, c.expected), "%s: got %s, expected %.*s",
             c.name, got, SHOW(c.expected));
        cases++;
        unit_case_free(&c);
    }
    unit(cases >= 80, "only %u cases", cases);
    json_check_free(&check);
    fclose(table);
    return unit_end("json");
}
