/*
 * tests/data/json.cases: json_is_valid() must return the expected result with reason and offset,
 * and json_validate() must agree with it. Cases that are nested too deeply for json_validate(), or
 * that contain LF and thus are not one line, are checked with json_is_valid() only. Then the
 * members of an object like the replies of JetStream.
 */

#include "base/defect.h"
#include "json/locate-error.h"
#include "json/validate.h"
#include "json/walk.h"
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

static struct slice member(const struct json_checker *c, struct slice object, const char *name)
{
    return json_get_member(c, object, (struct slice){name, strlen(name)});
}

static bool has(struct slice value, enum json_kind kind, const char *text)
{
    return json_get_kind(value) == kind &&
           slice_equal(value, (struct slice){text, text ? strlen(text) : 0});
}

static void check_members(struct json_checker *c)
{
    static const char reply[] =
        "{ \"type\" :\t\"io.ack\", "
        "\"seq\":12,\"dup\":true,\"off\":false,\"none\":null,\"empty\":\"\","
        "\"looks\":\"{7\",\"quoted\":\"\\\"error\\\":{\", \"stream\":\"error\","
        "\"list\":[{\"code\":1},\"]\",[]],\"error\":{\"code\":-5.5e1,\"nested\":{\"seq\":3}} ,"
        "\"seq\":99,\"\":0,\"a\\u0062\":1}";
    struct slice text = unit_guarded((struct slice){reply, sizeof reply - 1});
    struct defect defect;
    unit(json_is_valid(c, text, &defect), "the reply is invalid: %s", defect.reason);
    json_tokenize(c, text);
    unit(has(member(c, text, "type"), JSON_STRING, "io.ack"), "string");
    unit(has(member(c, text, "seq"), JSON_NUMBER, "12"), "number, the first of two");
    unit(has(member(c, text, "dup"), JSON_BOOLEAN, "true"), "true");
    unit(has(member(c, text, "off"), JSON_BOOLEAN, "false"), "false");
    unit(has(member(c, text, "none"), JSON_NULL, "null"), "null");
    unit(has(member(c, text, "empty"), JSON_STRING, ""), "empty string");
    unit(has(member(c, text, "looks"), JSON_STRING, "{7"), "string that starts like an object");
    unit(has(member(c, text, "quoted"), JSON_STRING, "\\\"error\\\":{"), "string with escapes");
    unit(has(member(c, text, "stream"), JSON_STRING, "error"), "value that equals a name");
    unit(has(member(c, text, "list"), JSON_ARRAY, "[{\"code\":1},\"]\",[]]"), "array");
    unit(has(member(c, text, ""), JSON_NUMBER, "0"), "empty name");
    unit(has(member(c, text, "code"), JSON_ABSENT, NULL), "name of a nested object");
    unit(has(member(c, text, "io.ack"), JSON_ABSENT, NULL), "value in place of a name");
    unit(has(member(c, text, "ab"), JSON_ABSENT, NULL), "name with an escape");
    struct slice error = member(c, text, "error");
    unit(has(error, JSON_OBJECT, "{\"code\":-5.5e1,\"nested\":{\"seq\":3}}"), "object");
    json_tokenize(c, error);
    unit(has(member(c, error, "code"), JSON_NUMBER, "-5.5e1"), "member of a nested object");
    unit(has(member(c, error, "seq"), JSON_ABSENT, NULL), "name of an object further inside");
    struct slice nothing = unit_guarded((struct slice){"{}", 2});
    json_tokenize(c, nothing);
    unit(has(member(c, nothing, "code"), JSON_ABSENT, NULL), "empty object");
}

/* Objects and arrays by pseudo-random bits, with the positions of their closing brackets. */
enum { NESTED = 100000, NESTED_MAX = 1 << 19 };
static char nested[NESTED_MAX];
static bool nested_is_array[NESTED];
static size_t nested_open_len;
static size_t nested_len;

static void nested_fill(void)
{
    char *to = nested;
    uint64_t state = 1;
    for (size_t i = 0; i < NESTED; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        nested_is_array[i] = i > 0 && state >> 63;
        to = stpcpy(to, nested_is_array[i] ? "[" : i + 1 < NESTED ? "{\"]\":" : "{");
    }
    nested_open_len = (size_t)(to - nested);
    for (size_t i = NESTED; i-- > 0;)
        *to++ = nested_is_array[i] ? ']' : '}';
    nested_len = (size_t)(to - nested);
}

static void check_nested(struct json_checker *c)
{
    static const size_t levels[] = {1,   2,    63,   64,   65,    127,
                                    128, 1023, 1024, 1025, 65536, NESTED - 2};
    struct slice text = {nested, 0};
    struct defect defect;
    nested_fill();
    text.len = nested_len;
    unit(json_is_valid(c, text, &defect), "%s at byte %" PRIu64, defect.reason, defect.offset);
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        size_t at = nested_len - 1 - levels[i];
        bool array = nested_is_array[levels[i]];
        nested[at] = array ? '}' : ']';
        unit(!json_is_valid(c, text, &defect) && defect.offset == at &&
                 strcmp(defect.reason, array ? "expected ',' or ']'" : "expected ',' or '}'") == 0,
             "level %zu: %s at byte %" PRIu64, levels[i], defect.reason, defect.offset);
        nested[at] = array ? ']' : '}';
    }
    text.len = nested_len - 1;
    unit(!json_is_valid(c, text, &defect) && defect.offset == text.len, "the outermost is open");
    text.len = nested_open_len;
    unit(!json_is_valid(c, text, &defect) && defect.offset == text.len, "all are open");
    text.len = nested_len;
    json_tokenize(c, text);
    struct slice value = member(c, text, "]");
    unit(json_get_kind(value) == (nested_is_array[1] ? JSON_ARRAY : JSON_OBJECT) &&
             value.data == nested + 5 && value.len == nested_len - 6,
         "the value is deeply nested: %zu bytes", value.len);
}

/* Writes "name=value;..." with the members or elements of `text`. */
static const char *walk(const char *text, char *to)
{
    struct json_walk w;
    struct slice name;
    struct slice value;
    *to = '\0';
    json_walk_begin(&w, unit_guarded((struct slice){text, strlen(text)}));
    while (json_walk_next(&w, &name, &value))
        sprintf(to + strlen(to), "%.*s=%.*s;", SHOW(name), SHOW(value));
    json_walk_free(&w);
    return to;
}

static void check_walk(void)
{
    static const char *const cases[][2] = {
        {"{}", ""},
        {"[]", ""},
        {"[ 1, \"two\", [3], {\"four\":4} ]", "=1;=two;=[3];={\"four\":4};"},
        {"{\"a\": {\"b\":\"c\"}, \"\":\"\" , \"d\":[\"e\",1],\"a\":null}",
         "a={\"b\":\"c\"};=;d=[\"e\",1];a=null;"},
    };
    char got[256];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        unit(strcmp(walk(cases[i][0], got), cases[i][1]) == 0, "%s: %s", cases[i][0], got);
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
    check_members(&checker);
    check_nested(&checker);
    check_walk();
    json_checker_free(&checker);
    fclose(table);
    return unit_end("json");
}
