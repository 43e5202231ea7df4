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
 * jsmn tells what lies within what; everything that it lets through is found on the way from token
 * to token. A defect that jsmn saw is met on that way too, and described better.
 */
struct walk {
    const char *start;
    const char *end;
    const jsmntok_t *tokens;
    int count;
    int next;   /* the next token */
    int within; /* the innermost open object or array, -1: none */
    struct defect *defect;
};

enum expected {
    OBJECT,
    FIRST_NAME, /* or '}' */
    NAME,
    COLON,
    FIRST_VALUE, /* or ']' */
    VALUE,
    COMMA, /* or what closes */
    END
};

static const char *fail(const struct walk *w, const char *reason, const char *at)
{
    *w->defect = (struct defect){"JSON", at == w->end ? "line ends here" : reason,
                                 (uint64_t)(at - w->start)};
    return NULL;
}

static bool digit(const struct walk *w, const char *p)
{
    return p < w->end && *p >= '0' && *p <= '9';
}

static const char *digits(const struct walk *w, const char *p)
{
    if (!digit(w, p))
        return fail(w, "expected a digit", p);
    while (digit(w, p))
        p++;
    return p;
}

static const char *number(const struct walk *w, const char *p)
{
    if (*p == '-')
        p++;
    if (digit(w, p) && *p == '0') {
        p++;
        if (digit(w, p))
            return fail(w, "leading zero", p);
    } else {
        p = digits(w, p);
    }
    if (p && p < w->end && *p == '.')
        p = digits(w, p + 1);
    if (p && p < w->end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < w->end && (*p == '+' || *p == '-'))
            p++;
        p = digits(w, p);
    }
    return p;
}

static const char *literal(const struct walk *w, const char *p, const char *name)
{
    for (; *name; name++, p++)
        if (p == w->end || *p != *name)
            return fail(w, "no such literal", p);
    return p;
}

/* From behind the backslash. */
static const char *escape(const struct walk *w, const char *p)
{
    if (p == w->end || !memchr("\"\\/bfnrtu", *p, 9))
        return fail(w, "not an escape", p);
    if (*p++ != 'u')
        return p;
    for (int i = 0; i < 4; i++, p++)
        if (p == w->end || !memchr("0123456789abcdefABCDEF", *p, 22))
            return fail(w, "expected a hex digit", p);
    return p;
}

static const char *string(const struct walk *w, const char *p)
{
    p++;
    while (p) {
        p = scan_plain(p, w->end);
        if (p == w->end)
            return fail(w, "", p);
        if (*p == '"')
            return p + 1;
        if (*p == '\\') {
            p = escape(w, p + 1);
        } else if ((unsigned char)*p < 0x20) {
            return fail(w, "control character in a string", p);
        } else {
            bool valid;
            size_t n = utf8_sequence_len(p, w->end, &valid);
            if (!valid)
                return fail(w, "not UTF-8", p);
            p += n;
        }
    }
    return NULL;
}

static bool in_object(const struct walk *w)
{
    return w->tokens[w->within].type == JSMN_OBJECT;
}

static const char *open_container(struct walk *w, const char *p, enum expected *expected)
{
    while (w->next < w->count && w->tokens[w->next].start < p - w->start)
        w->next++;
    if (w->next == w->count)
        return fail(w, "not JSON", p); /* jsmn stopped before a defect that is not known here */
    w->within = w->next;
    *expected = in_object(w) ? FIRST_NAME : FIRST_VALUE;
    return p + 1;
}

static const char *close_container(struct walk *w, const char *p, enum expected *expected)
{
    w->within = w->tokens[w->within].parent;
    if (w->within >= 0 && w->tokens[w->within].type == JSMN_STRING)
        w->within = w->tokens[w->within].parent; /* jsmn puts a member's value below its name */
    *expected = w->within < 0 ? END : COMMA;
    return p + 1;
}

static const char *value(struct walk *w, const char *p, enum expected *expected)
{
    const char *wrong = *expected == FIRST_VALUE ? "expected a value or ']'" : "expected a value";
    *expected = COMMA;
    switch (*p) {
    case '{':
    case '[':
        return open_container(w, p, expected);
    case '"':
        return string(w, p);
    case 't':
        return literal(w, p, "true");
    case 'f':
        return literal(w, p, "false");
    case 'n':
        return literal(w, p, "null");
    default:
        return *p == '-' || digit(w, p) ? number(w, p) : fail(w, wrong, p);
    }
}

static const char *comma(struct walk *w, const char *p, enum expected *expected)
{
    bool object = in_object(w);
    if (*p == (object ? '}' : ']'))
        return close_container(w, p, expected);
    if (*p != ',')
        return fail(w, object ? "expected ',' or '}'" : "expected ',' or ']'", p);
    *expected = object ? NAME : VALUE;
    return p + 1;
}

/* One token of RFC 8259's grammar. */
static const char *step(struct walk *w, const char *p, enum expected *expected)
{
    switch (*expected) {
    case OBJECT:
        return *p == '{' ? open_container(w, p, expected) : fail(w, "expected '{'", p);
    case FIRST_NAME:
        if (*p == '}')
            return close_container(w, p, expected);
        if (*p != '"')
            return fail(w, "expected a name or '}'", p);
        *expected = COLON;
        return string(w, p);
    case NAME:
        if (*p != '"')
            return fail(w, "expected a name", p);
        *expected = COLON;
        return string(w, p);
    case COLON:
        if (*p != ':')
            return fail(w, "expected ':'", p);
        *expected = VALUE;
        return p + 1;
    case FIRST_VALUE:
        if (*p == ']')
            return close_container(w, p, expected);
        return value(w, p, expected);
    case VALUE:
        return value(w, p, expected);
    case COMMA:
        return comma(w, p, expected);
    case END:
        break;
    }
    return fail(w, "more after the object", p);
}

static bool walk(struct walk *w)
{
    enum expected expected = OBJECT;
    const char *p = w->start;
    while (p) {
        while (p < w->end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
            p++;
        if (p == w->end)
            return expected == END || fail(w, "", p);
        p = step(w, p, &expected);
    }
    return false;
}

/* Tokens as far as jsmn gets. */
static int tokenize(struct json_checker *c, struct slice line)
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
    c->count = line.len > INT_MAX ? 0 : tokenize(c, line);
}

struct slice json_get_member(const struct json_checker *c, struct slice line, struct slice name)
{
    const jsmntok_t *t = c->tokens;
    for (int i = 1; i + 1 < c->count; i++) {
        struct slice text = {line.data + t[i].start, (size_t)(t[i].end - t[i].start)};
        bool key = t[i].type == JSMN_STRING && t[i].parent == 0 && t[i].size == 1;
        if (key && slice_equal(text, name) && t[i + 1].end >= t[i + 1].start)
            return (struct slice){line.data + t[i + 1].start,
                                  (size_t)(t[i + 1].end - t[i + 1].start)};
    }
    return (struct slice){0};
}

bool json_is_valid(struct json_checker *c, struct slice line, struct defect *defect)
{
    if (line.len > INT_MAX) {
        *defect = (struct defect){"JSON", "longer than 2 GiB", INT_MAX};
        return false;
    }
    int count = tokenize(c, line);
    struct walk w = {.start = line.data,
                     .end = line.data + line.len,
                     .tokens = c->tokens,
                     .count = count,
                     .within = -1,
                     .defect = defect};
    return walk(&w);
}

void json_checker_free(struct json_checker *c)
{
    free(c->tokens);
    *c = (struct json_checker){0};
}
