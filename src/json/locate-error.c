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

/*
 * jsmn finds the nesting of objects and arrays, but accepts much that is not JSON. The text is
 * therefore walked again with the full grammar, with jsmn's tokens in place of a stack. The walk
 * also meets the errors that jsmn stopped at, and describes them better.
 */
struct locator {
    const char *start;
    const char *end;
    const jsmntok_t *tokens;
    int count;
    int next;       /* the next token */
    int open_token; /* the innermost open object or array, -1: none */
    struct defect *defect;
};

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
    return loc->tokens[loc->open_token].type == JSMN_OBJECT;
}

static const char *locate_open(struct locator *loc, const char *p, enum locate_state *state)
{
    while (loc->next < loc->count && loc->tokens[loc->next].start < p - loc->start)
        loc->next++;
    /* Only if jsmn rejects more than this grammar does, which no known input shows. */
    if (loc->next == loc->count)
        return locate_fail(loc, "invalid JSON", p);
    loc->open_token = loc->next;
    *state = locate_in_object(loc) ? LOCATE_FIRST_NAME : LOCATE_FIRST_VALUE;
    return p + 1;
}

static const char *locate_close(struct locator *loc, const char *p, enum locate_state *state)
{
    int parent = loc->tokens[loc->open_token].parent;
    if (parent >= 0 && loc->tokens[parent].type == JSMN_STRING)
        parent = loc->tokens[parent].parent; /* the parent of a member's value is its name */
    loc->open_token = parent;
    *state = loc->open_token < 0 ? LOCATE_END : LOCATE_COMMA;
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

/* Fills in the tokens up to the first error of jsmn, and returns their number. */
static int locate_tokenize(struct json_checker *c, struct slice line)
{
    jsmn_parser parser;
    jsmn_init(&parser);
    for (;;) {
        c->tokens = array_grow(c->tokens, &c->capacity, parser.toknext, sizeof(jsmntok_t));
        int n = jsmn_parse(&parser, line.data, line.len, c->tokens, (unsigned)c->capacity);
        if (n != JSMN_ERROR_NOMEM)
            return (int)parser.toknext;
    }
}

void json_tokenize(struct json_checker *c, struct slice line)
{
    c->count = line.len > INT_MAX ? 0 : locate_tokenize(c, line);
}

/* Returns the token of the value of a member, or NULL. */
static const jsmntok_t *locate_member(const struct json_checker *c, struct slice line,
                                      struct slice name)
{
    const jsmntok_t *t = c->tokens;
    for (int i = 1; i + 1 < c->count; i++) {
        struct slice text = {line.data + t[i].start, (size_t)(t[i].end - t[i].start)};
        bool key = t[i].type == JSMN_STRING && t[i].parent == 0 && t[i].size == 1;
        if (key && slice_equal(text, name) && t[i + 1].end >= t[i + 1].start)
            return &t[i + 1];
    }
    return NULL;
}

static struct slice locate_text(struct slice line, const jsmntok_t *t)
{
    return (struct slice){line.data + t->start, (size_t)(t->end - t->start)};
}

struct slice json_get_member(const struct json_checker *c, struct slice line, struct slice name)
{
    const jsmntok_t *t = locate_member(c, line, name);
    return t ? locate_text(line, t) : (struct slice){0};
}

struct slice json_get_string(const struct json_checker *c, struct slice line, struct slice name)
{
    const jsmntok_t *t = locate_member(c, line, name);
    return t && t->type == JSMN_STRING ? locate_text(line, t) : (struct slice){0};
}

struct slice json_get_first(const struct json_checker *c, struct slice array)
{
    const jsmntok_t *t = c->tokens;
    bool found = c->count > 1 && t[0].type == JSMN_ARRAY && t[1].type == JSMN_STRING;
    return found ? locate_text(array, &t[1]) : (struct slice){0};
}

bool json_is_valid(struct json_checker *c, struct slice line, struct defect *defect)
{
    if (line.len > INT_MAX) {
        *defect = (struct defect){"JSON", "longer than 2 GiB", INT_MAX};
        return false;
    }
    int count = locate_tokenize(c, line);
    struct locator loc = {.start = line.data,
                          .end = line.data + line.len,
                          .tokens = c->tokens,
                          .count = count,
                          .open_token = -1,
                          .defect = defect};
    return locate_walk(&loc);
}

void json_checker_free(struct json_checker *c)
{
    free(c->tokens);
    *c = (struct json_checker){0};
}
