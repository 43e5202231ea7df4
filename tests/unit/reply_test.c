/* The JSON of NATS: members by type, errors, and identifiers made of members of a line. */

#include "publish/msg-id.h"
#include "publish/reply.h"
#include "unit.h"

static struct slice text_slice(const char *text)
{
    return (struct slice){text, strlen(text)};
}

static void expect_members(void)
{
    struct reply r = {0};
    char text[16] = "";
    uint64_t n = 0;
    unit(!reply_parse(&r, text_slice("{\"a\":1}x")), "trailing text");
    unit(!reply_parse(&r, text_slice("[1]")), "array");
    unit(reply_parse(&r, text_slice("{\"s\":\"a\\u0026b\",\"n\":18,\"t\":true,\"q\":\"true\","
                                    "\"neg\":-1,\"l\":[\"x\",\"y\"],\"o\":{\"s\":\"in\"}}")),
         "object");
    unit(reply_get_text(&r, "s", text, sizeof text) && strcmp(text, "a&b") == 0, "escape: %s",
         text);
    unit(!reply_get_text(&r, "s", text, 3), "no space for the NUL");
    unit(!reply_get_text(&r, "n", text, sizeof text), "a number is not a string");
    unit(!reply_get_text(&r, "missing", text, sizeof text), "missing");
    unit(reply_get_number(&r, "n", &n) && n == 18, "number");
    unit(!reply_get_number(&r, "neg", &n) && !reply_get_number(&r, "s", &n), "not a number");
    unit(reply_is_true(&r, "t") && !reply_is_true(&r, "q") && !reply_is_true(&r, "n"), "true");
    unit(!reply_enter(&r, "s") && !reply_enter(&r, "l"), "not an object");
    unit(reply_enter(&r, "o") && reply_get_text(&r, "s", text, sizeof text) &&
             strcmp(text, "in") == 0,
         "nested: %s", text);
    reply_parse(&r, text_slice("{\"l\":[\"x\",\"y\"],\"e\":[],\"n\":[1]}"));
    unit(reply_get_first(&r, "l", text, sizeof text) && strcmp(text, "x") == 0, "first: %s", text);
    reply_parse(&r, text_slice("{\"e\":[]}"));
    unit(!reply_get_first(&r, "e", text, sizeof text), "empty array");
    reply_free(&r);
}

static bool has_error(struct reply *r, const char *text, struct reply_error *error)
{
    return reply_parse(r, text_slice(text)) && reply_get_error(r, error);
}

static void expect_errors(void)
{
    struct reply r = {0};
    struct reply_error e;
    unit(!has_error(&r, "{\"stream\":\"error\",\"domain\":\"10059\",\"seq\":1}", &e), "a value");
    unit(!has_error(&r, "{\"a\":{\"error\":{\"code\":1}}}", &e), "nested");
    unit(!has_error(&r, "{\"error\":null}", &e), "null");
    unit(has_error(&r,
                   "{\"error\":{\"code\":503,\"err_code\":10077,\"description\":\"a \\\"b\\\"\"}}",
                   &e) &&
             e.code == 503 && e.err_code == 10077 && strcmp(e.text, "a \"b\"") == 0,
         "error: %s", e.text);
    unit(has_error(&r, "{\"error\":{\"code\":400}}", &e) &&
             strcmp(e.text, "error 400 without a description") == 0,
         "no description: %s", e.text);
    unit(has_error(&r, "{\"error\":\"x\"}", &e), "not an object");
    reply_free(&r);
}

static void expect_id(const char *rule, const char *line, const char *expected)
{
    struct msg_id m;
    char id[MSG_ID_SIZE];
    char error_text[LINE_TEMPLATE_TEXT_MAX];
    unit(msg_id_init(&m, rule, error_text), "%s is invalid", rule);
    m.input_id = 0xab;
    msg_id_format(&m, 7, text_slice(line), id);
    unit(strcmp(id, expected) == 0, "%s of %s: %s", rule, line, id);
    msg_id_free(&m);
}

static void expect_rule(const char *rule, const char *expected)
{
    struct msg_id m;
    char error_text[LINE_TEMPLATE_TEXT_MAX] = "";
    bool valid = msg_id_init(&m, rule, error_text);
    unit(valid == !expected && (valid || strcmp(error_text, expected) == 0), "%s: %s", rule,
         error_text);
    msg_id_free(&m);
}

static void expect_ids(void)
{
    static const char hash[] = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    char line[2048] = "{\"a\":\"";
    expect_id("auto", "{}", "00000000000000ab-7");
    expect_id("hash", "{}", hash);
    expect_id("{a}", "{}", hash);
    expect_id("x-{a}-{b}", "{\"a\":\"y\",\"b\":12}", "x-y-12");
    expect_id("{a}", "{\"a\":\"null\"}", "null");
    expect_id("{a}", "{\"a\":\"\"}",
              "258555fe010df3da34b3920945d0fbc59cebbcff1878bfc2e9206f0f495d81b9");
    expect_id("{a}", "{\"a\":null}",
              "d091f9c83c091f79652fe8786375b3fe4ce0861a56f5bfbafedbe431877ff0e8");
    expect_id("{a|none}", "{\"a\":null}", "none");
    expect_id("{a.b}", "{\"a\":{\"b\":\"x\\u0041\\\"\"}}", "xA\"");
    expect_id("{#16:a}", "{\"a\":\"x\"}", "7");
    expect_id("{a}", "{\"a\":\"x\\ny\"}",
              "2cde7d89bb8d29e17ab3d2232d50d175723835439ab3a0552b316d652aeb9527");
    expect_id("{a}", "{\"a\":[1]}",
              "ff5464c34287e9ec505b9f76573a4cb0bd408c96c6537b458fdd993fc7c615ce");
    char expected[LINE_TEMPLATE_ID_MAX + 1] = "";
    memset(expected, 'x', LINE_TEMPLATE_ID_MAX);
    stpcpy(stpcpy(line + strlen(line), expected), "\"}");
    expect_id("{a}", line, expected);
    expect_rule("auto", NULL);
    expect_rule("hash", NULL);
    expect_rule("a{b}", NULL);
    expect_rule("fixed", "it is not auto, hash or a template with a member in braces");
    expect_rule("", "it is not auto, hash or a template with a member in braces");
    expect_rule("{a", "a brace is not closed");
    expect_rule("{a}\n", "it contains a control character");
}

int main(void)
{
    expect_members();
    expect_errors();
    expect_ids();
    return unit_end("reply");
}
