#include "json/locate-error.h"

#include <limits.h>
#include <stdlib.h>

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>

#include "base/buffer.h"
#include "base/byte-scan.h"
#include "base/defect.h"
#include "base/utf8.h"

/* A walk through the text by the full grammar of RFC 8259, of which jsmn accepts much more. */
struct locator {
    const char *start;
    const char *end;
    struct json_checker *checker; /* has one bit for each open object (0) or array (1) */
    size_t depth;
    struct defect *defect;
};

enum { LOCATE_BITS = 8 * sizeof *((struct json_checker *)0)->containers };

enum locate_state {
    LOCATE_OBJECT,
    LOCATE_FIRST_NAME, /* or '}' */
    LOCATE_NAME,
    LOCATE_COLON,
    LOCATE_FIRST_VALUE, /* or ']' */
    LOCATE_VALUE,
    LOCATE_COMMA, /* or '}' or ']' */
    LOCATE_END
};

static const char *locate_fail(const struct locator *loc, const char *reason, const char *p)
{
    *loc->defect = (struct defect){"JSON", p == loc->end ? "unexpected end of line" : reason,
                                   (uint64_t)(p - loc->start)};
    return NULL;
}

static bool locate_is_digit(const struct locator *loc, const char *p)
{
    return p < loc->end && *p >= '0' && *p <= '9';
}

static const char *locate_digits(const struct locator *loc, const char *p)
{
    if (!locate_is_digit(loc, p))
        return locate_fail(loc, "expected a digit", p);
    while (locate_is_digit(loc, p))
        p++;
    return p;
}

static const char *locate_number(const struct locator *loc, const char *p)
{
    if (*p == '-')
        p++;
    if (locate_is_digit(loc, p) && *p == '0') {
        p++;
        if (locate_is_digit(loc, p))
            return locate_fail(loc, "leading zero", p);
    } else {
        p = locate_digits(loc, p);
    }
    if (p && p < loc->end && *p == '.')
        p = locate_digits(loc, p + 1);
    if (p && p < loc->end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < loc->end && (*p == '+' || *p == '-'))
            p++;
        p = locate_digits(loc, p);
    }
    return p;
}

static const char *locate_literal(const struct locator *loc, const char *p, const char *name)
{
    for (; *name; name++, p++)
        if (p == loc->end || *p != *name)
            return locate_fail(loc, "invalid literal", p);
    return p;
}

/* An escape sequence after its backslash. */
static const char *locate_escape(const struct locator *loc, const char *p)
{
    if (p == loc->end || !memchr("\"\\/bfnrtu", *p, 9))
        return locate_fail(loc, "invalid escape sequence", p);
    if (*p++ != 'u')
        return p;
    for (int i = 0; i < 4; i++, p++)
        if (p == loc->end || !memchr("0123456789abcdefABCDEF", *p, 22))
            return locate_fail(loc, "expected a hex digit", p);
    return p;
}

static const char *locate_string(const struct locator *loc, const char *p)
{
    p++;
    while (p) {
        p = scan_plain(p, loc->end);
        if (p == loc->end)
            return locate_fail(loc, "", p);
        if (*p == '"')
            return p + 1;
        if (*p == '\\') {
            p = locate_escape(loc, p + 1);
        } else if ((unsigned char)*p < 0x20) {
            return locate_fail(loc, "control character in a string", p);
        } else {
            bool valid;
            size_t n = utf8_sequence_len(p, loc->end, &valid);
            if (!valid)
                return locate_fail(loc, "invalid UTF-8", p);
            p += n;
        }
    }
    return NULL;
}

static bool locate_in_object(const struct locator *loc)
{
    size_t i = loc->depth - 1;
    return !(loc->checker->containers[i / LOCATE_BITS] >> i % LOCATE_BITS & 1);
}

static const char *locate_open(struct locator *loc, const char *p, enum locate_state *state)
{
    struct json_checker *c = loc->checker;
    size_t i = loc->depth++;
    uint64_t bit = (uint64_t)1 << i % LOCATE_BITS;
    c->containers =
        array_grow(c->containers, &c->container_capacity, i / LOCATE_BITS, sizeof *c->containers);
    if (*p == '[') {
        c->containers[i / LOCATE_BITS] |= bit;
        *state = LOCATE_FIRST_VALUE;
    } else {
        c->containers[i / LOCATE_BITS] &= ~bit;
        *state = LOCATE_FIRST_NAME;
    }
    return p + 1;
}

static const char *locate_close(struct locator *loc, const char *p, enum locate_state *state)
{
    *state = --loc->depth == 0 ? LOCATE_END : LOCATE_COMMA;
    return p + 1;
}

static const char *locate_value(struct locator *loc, const char *p, enum locate_state *state)
{
    const char *reason =
        *state == LOCATE_FIRST_VALUE ? "expected a value or ']'" : "expected a value";
    *state = LOCATE_COMMA;
    switch (*p) {
    case '{':
    case '[':
        return locate_open(loc, p, state);
    case '"':
        return locate_string(loc, p);
    case 't':
        return locate_literal(loc, p, "true");
    case 'f':
        return locate_literal(loc, p, "false");
    case 'n':
        return locate_literal(loc, p, "null");
    default:
        return *p == '-' || locate_is_digit(loc, p) ? locate_number(loc, p)
                                                    : locate_fail(loc, reason, p);
    }
}

static const char *locate_comma(struct locator *loc, const char *p, enum locate_state *state)
{
    bool object = locate_in_object(loc);
    if (*p == (object ? '}' : ']'))
        return locate_close(loc, p, state);
    if (*p != ',')
        return locate_fail(loc, object ? "expected ',' or '}'" : "expected ',' or ']'", p);
    *state = object ? LOCATE_NAME : LOCATE_VALUE;
    return p + 1;
}

/* Accepts one token of the grammar of RFC 8259, and returns its end. */
static const char *locate_step(struct locator *loc, const char *p, enum locate_state *state)
{
    switch (*state) {
    case LOCATE_OBJECT:
        return *p == '{' ? locate_open(loc, p, state) : locate_fail(loc, "expected '{'", p);
    case LOCATE_FIRST_NAME:
        if (*p == '}')
            return locate_close(loc, p, state);
        if (*p != '"')
            return locate_fail(loc, "expected a name or '}'", p);
        *state = LOCATE_COLON;
        return locate_string(loc, p);
    case LOCATE_NAME:
        if (*p != '"')
            return locate_fail(loc, "expected a name", p);
        *state = LOCATE_COLON;
        return locate_string(loc, p);
    case LOCATE_COLON:
        if (*p != ':')
            return locate_fail(loc, "expected ':'", p);
        *state = LOCATE_VALUE;
        return p + 1;
    case LOCATE_FIRST_VALUE:
        if (*p == ']')
            return locate_close(loc, p, state);
        return locate_value(loc, p, state);
    case LOCATE_VALUE:
        return locate_value(loc, p, state);
    case LOCATE_COMMA:
        return locate_comma(loc, p, state);
    case LOCATE_END:
        break;
    }
    return locate_fail(loc, "unexpected text after the object", p);
}

static bool locate_walk(struct locator *loc)
{
    enum locate_state state = LOCATE_OBJECT;
    const char *p = loc->start;
    while (p) {
        while (p < loc->end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
            p++;
        if (p == loc->end)
            return state == LOCATE_END || locate_fail(loc, "", p);
        p = locate_step(loc, p, &state);
    }
    return false;
}

bool json_is_valid(struct json_checker *c, struct slice line, struct defect *defect)
{
    struct locator loc = {
        .start = line.data, .end = line.data + line.len, .checker = c, .defect = defect};
    return locate_walk(&loc);
}

/* Returns the end of the object or array at p, or `end` if it is not closed. */
static const char *token_skip_nested(const char *p, const char *end)
{
    size_t depth = 0;
    for (; p < end; p++) {
        if (*p == '"') {
            for (p++; p < end && *p != '"'; p++)
                if (*p == '\\' && end - p > 1)
                    p++;
        } else if (*p == '{' || *p == '[') {
            depth++;
        } else if ((*p == '}' || *p == ']') && --depth == 0) {
            return p + 1;
        }
    }
    return end;
}

/*
 * Adds one token. jsmn climbs over all closed parents at each closing bracket, which is quadratic
 * in the depth; it therefore never sees the inside of a nested object or array.
 */
static int token_add(jsmn_parser *parser, struct slice text, jsmntok_t *tokens)
{
    const char *start = text.data + parser->pos;
    const char *end = text.data + text.len;
    bool in_array = parser->toknext && tokens[0].type == JSMN_ARRAY;
    while (in_array && start < end && strchr(" \t\r\n,", *start) && *start)
        start++;
    parser->pos = (unsigned)(start - text.data);
    if (parser->toknext == 0 || start == end || (*start != '{' && *start != '['))
        return jsmn_parse(parser, text.data, text.len, tokens, parser->toknext + 1);
    end = token_skip_nested(start, end);
    tokens[parser->toknext++] = (jsmntok_t){.type = *start == '{' ? JSMN_OBJECT : JSMN_ARRAY,
                                            .start = (int)(start - text.data),
                                            .end = (int)(end - text.data),
                                            .parent = parser->toksuper};
    parser->pos = (unsigned)(end - text.data);
    return JSMN_ERROR_NOMEM;
}

static struct slice token_text(const jsmntok_t *token, struct slice text)
{
    return slice_between(text.data + token->start, text.data + token->end);
}

void json_tokenize(struct json_checker *c, struct slice text)
{
    jsmn_parser parser;
    jsmn_init(&parser);
    int result = text.len > INT_MAX ? JSMN_ERROR_INVAL : JSMN_ERROR_NOMEM;
    while (result == JSMN_ERROR_NOMEM) {
        c->tokens = array_grow(c->tokens, &c->token_capacity, parser.toknext, sizeof(jsmntok_t));
        result = token_add(&parser, text, c->tokens);
    }
    c->token_count = parser.toknext;
}

/* Returns the token of the value of a member, or NULL. After the object itself, names and values
 * alternate. */
static const jsmntok_t *token_find_member(const struct json_checker *c, struct slice text,
                                          struct slice name)
{
    const jsmntok_t *t = c->tokens;
    for (size_t i = 1; i + 1 < c->token_count; i += 2)
        if (slice_equal(token_text(&t[i], text), name))
            return &t[i + 1];
    return NULL;
}

struct slice json_get_member(const struct json_checker *c, struct slice text, struct slice name)
{
    const jsmntok_t *t = token_find_member(c, text, name);
    return t ? token_text(t, text) : (struct slice){0};
}

struct slice json_get_string(const struct json_checker *c, struct slice text, struct slice name)
{
    const jsmntok_t *t = token_find_member(c, text, name);
    return t && t->type == JSMN_STRING ? token_text(t, text) : (struct slice){0};
}

struct slice json_get_token(const struct json_checker *c, struct slice text, size_t i)
{
    const jsmntok_t *t = c->tokens;
    return i + 1 < c->token_count ? token_text(&t[i + 1], text) : (struct slice){0};
}

enum json_kind json_get_kind(struct slice value)
{
    if (!value.data)
        return JSON_ABSENT;
    if (value.data[-1] == '"')
        return JSON_STRING;
    switch (*value.data) {
    case '{':
        return JSON_OBJECT;
    case '[':
        return JSON_ARRAY;
    case 't':
    case 'f':
        return JSON_BOOLEAN;
    case 'n':
        return JSON_NULL;
    default:
        return JSON_NUMBER;
    }
}

void json_checker_free(struct json_checker *c)
{
    free(c->containers);
    free(c->tokens);
    *c = (struct json_checker){0};
}
