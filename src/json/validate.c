#include "json/validate.h"

#include "base/byte-scan.h"
#include "base/utf8.h"

/*
 * Every function goes on from a byte of the text, and gives the byte behind what it found, or NULL.
 * None of them accepts LF, so none passes the one that ends the text, and none but those that look
 * at many bytes at once has to ask where that is.
 */
struct walk {
    const char *end;
    const char *far;        /* before it, so many bytes may be loaded */
    struct json_name *name; /* that is expected next */
    struct json_name *last; /* stays unknown: nothing is expected behind the others */
    uint64_t open;          /* bits, the innermost lowest: an array or an object; above them a 1 */
};

enum { NOTHING = 1, ARRAY = 1, FAR = sizeof((struct json_name *)0)->text };

/* Most often there is none. */
static inline const char *space(const char *p)
{
    while ((unsigned char)*p <= ' ' && (*p == ' ' || *p == '\t' || *p == '\r'))
        p++;
    return p;
}

static inline bool digit(const char *p)
{
    return (unsigned char)(*p - '0') < 10;
}

static bool hex_digit(const char *p)
{
    return digit(p) || (unsigned char)((*p | 0x20) - 'a') < 6;
}

/* From behind the backslash. */
static const char *escape(const char *p)
{
    switch (*p) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return p + 1;
    case 'u':
        for (int i = 0; i < 4; i++)
            if (!hex_digit(++p))
                return NULL;
        return p + 1;
    default:
        return NULL;
    }
}

/* From the first byte that is not plain, or that is near the end of the text. */
static const char *rest_of_string(const char *p, const struct walk *w)
{
    for (;;) {
        p = scan_plain(p, w->end);
        if (*p == '"')
            return p + 1;
        if (*p == '\\') {
            p = escape(p + 1);
            if (!p)
                return NULL;
            continue;
        }
        if ((unsigned char)*p < 0x80)
            return NULL;
        do {
            /* Where it cannot tell, the text is too short for a quote, a brace and a LF. */
            size_t n = utf8_length_at(p, w->end);
            if (!n)
                return NULL;
            p += n;
        } while ((unsigned char)*p >= 0x80);
    }
}

/* From behind the quote. */
static inline const char *string(const char *p, const struct walk *w)
{
    for (; p < w->far; p += SIMD_SIZE) {
        uint64_t mask = simd_not_plain(simd_load(p));
        if (mask) {
            p += simd_first(mask);
            if (*p == '"')
                return p + 1;
            break;
        }
    }
    return rest_of_string(p, w);
}

static inline const char *digits(const char *p)
{
    if (!digit(p))
        return NULL;
    do
        p++;
    while (digit(p));
    return p;
}

/* From the point, or the E. */
static const char *rest_of_number(const char *p)
{
    if (*p == '.')
        p = digits(p + 1);
    if (p && (*p | 0x20) == 'e') {
        p++;
        if (*p == '+' || *p == '-')
            p++;
        p = digits(p);
    }
    return p;
}

static inline const char *number(const char *p)
{
    if (*p == '-')
        p++;
    p = *p == '0' ? p + 1 : digits(p);
    return p && (*p == '.' || (*p | 0x20) == 'e') ? rest_of_number(p) : p;
}

/* `four` bytes, behind which there is at least a brace and a LF where all is well. */
static inline const char *literal(const char *p, const char *four, const struct walk *w)
{
    return w->end - p > 4 && memcmp(p, four, 4) == 0 ? p + 4 : NULL;
}

static const char *literal_or_number(const char *p, const struct walk *w)
{
    switch (*p) {
    case 't':
        return literal(p, "true", w);
    case 'n':
        return literal(p, "null", w);
    case 'f':
        return literal(p + 1, "alse", w);
    default:
        return number(p);
    }
}

static inline bool expected(const char *p, const struct walk *w)
{
    uint64_t words[2];
    if (p >= w->far)
        return false;
    memcpy(words, p, sizeof words);
    return (words[0] | w->name->beyond[0]) == w->name->text[0] &&
           (words[1] | w->name->beyond[1]) == w->name->text[1];
}

static void expect(struct json_name *n, const char *p, size_t length)
{
    char bytes[sizeof n->text];
    if (length > sizeof bytes)
        return;
    memset(bytes, 0xFF, sizeof bytes);
    memcpy(bytes, p, length);
    memcpy(n->text, bytes, sizeof bytes);
    memset(bytes, 0, length);
    memcpy(n->beyond, bytes, sizeof bytes);
    n->length = length;
}

/* From the brace or comma before a name to its value. */
static const char *name(const char *from, struct walk *w)
{
    const char *p = space(from + 1);
    p = *p == '"' ? string(p + 1, w) : NULL;
    if (!p)
        return NULL;
    p = space(p);
    if (*p != ':')
        return NULL;
    p = space(p + 1);
    if (w->name < w->last)
        expect(w->name++, from, (size_t)(p - from));
    return p;
}

/* From the brace or bracket to the first value, or behind what is empty. */
static inline const char *enter(const char *p, struct walk *w, bool *empty)
{
    bool array = *p == '[';
    const char *first = space(p + 1);
    *empty = *first == (array ? ']' : '}');
    if (*empty)
        return first + 1;
    if (w->open >> JSON_VALIDATE_DEPTH)
        return NULL;
    w->open = w->open << 1 | array;
    if (array)
        return first;
    return expected(p, w) ? p + w->name++->length : name(p, w);
}

/* From behind a value to the next one, or to the end of the object. */
static const char *leave(const char *p, struct walk *w)
{
    for (;;) {
        p = space(p);
        if (*p == ',')
            return w->open & ARRAY ? space(p + 1) : name(p, w);
        if (*p != (w->open & ARRAY ? ']' : '}'))
            return NULL;
        p++;
        w->open >>= 1;
        if (w->open == NOTHING)
            return p;
    }
}

static inline const char *object(const char *p, struct walk *w)
{
    while (p) {
        if (*p == '"') {
            p = string(p + 1, w);
        } else if (digit(p)) {
            p = number(p);
        } else if (*p == '{' || *p == '[') {
            bool empty;
            p = enter(p, w, &empty);
            if (!empty)
                continue;
            if (w->open == NOTHING)
                return p;
        } else if (space(p) > p) {
            p = space(p); /* the name was expected without */
            continue;
        } else {
            p = literal_or_number(p, w);
        }
        if (!p)
            return NULL;
        if (*p == ',' && !(w->open & ARRAY) && expected(p, w)) {
            p += w->name++->length;
        } else {
            p = leave(p, w);
            if (w->open == NOTHING)
                return p;
        }
    }
    return NULL;
}

const char *json_validate(struct json_validator *j, struct slice text)
{
    const char *end = text.data + text.len;
    struct walk w = {.end = end,
                     .far = text.len > FAR ? end - FAR : text.data,
                     .name = j->names,
                     .last = j->names + sizeof j->names / sizeof *j->names - 1,
                     .open = NOTHING};
    const char *p = space(text.data);
    if (*p != '{')
        return NULL;
    p = object(p, &w);
    if (!p)
        return NULL;
    p = space(p);
    return *p == '\n' ? p : NULL;
}
