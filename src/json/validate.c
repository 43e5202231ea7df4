#include "json/validate.h"

#include "base/byte-scan.h"
#include "base/utf8.h"

/*
 * Each function reads from a byte of the text on and returns the end of what it accepted, or NULL
 * if the text is invalid. None accepts LF, and the text ends with LF, so only the functions that
 * read several bytes in one step need to check for the end.
 */
struct validation {
    const char *end;
    const char *block_end;  /* VALIDATE_BLOCK bytes can be loaded from each byte before it */
    struct json_name *name; /* the next one expected */
    struct json_name *last; /* never filled in: nothing is expected after the others */
    uint64_t containers;    /* a stack of bits, array or object, lowest innermost, below a 1 */
};

enum {
    VALIDATE_TOP = 1,
    VALIDATE_ARRAY = 1,
    VALIDATE_BLOCK = sizeof((struct json_name *)0)->bytes
};

/* Skips whitespace except LF; most lines have none. */
static inline const char *validate_space(const char *p)
{
    while ((unsigned char)*p <= ' ' && (*p == ' ' || *p == '\t' || *p == '\r'))
        p++;
    return p;
}

static inline bool validate_is_digit(const char *p)
{
    return (unsigned char)(*p - '0') < 10;
}

static bool validate_is_hex_digit(const char *p)
{
    return validate_is_digit(p) || (unsigned char)((*p | 0x20) - 'a') < 6;
}

/* An escape sequence after its backslash. */
static const char *validate_escape(const char *p)
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
            if (!validate_is_hex_digit(++p))
                return NULL;
        return p + 1;
    default:
        return NULL;
    }
}

/* A string from its first byte that is not plain, or from near the end of the text. */
static const char *validate_string_rest(const char *p, const struct validation *v)
{
    for (;;) {
        p = scan_plain(p, v->end);
        if (*p == '"')
            return p + 1;
        if (*p == '\\') {
            p = validate_escape(p + 1);
            if (!p)
                return NULL;
            continue;
        }
        if ((unsigned char)*p < 0x80)
            return NULL;
        do {
            /* Also 0 within the last bytes, which have no space for '"', '}' and LF after it. */
            size_t n = utf8_length_at(p, v->end);
            if (!n)
                return NULL;
            p += n;
        } while ((unsigned char)*p >= 0x80);
    }
}

/* A string after its opening quote. */
static inline const char *validate_string(const char *p, const struct validation *v)
{
    for (; p < v->block_end; p += SIMD_SIZE) {
        uint64_t mask = simd_not_plain(simd_load(p));
        if (mask) {
            p += simd_first(mask);
            if (*p == '"')
                return p + 1;
            break;
        }
    }
    return validate_string_rest(p, v);
}

static inline const char *validate_digits(const char *p)
{
    if (!validate_is_digit(p))
        return NULL;
    do
        p++;
    while (validate_is_digit(p));
    return p;
}

/* A number from its '.' or exponent. */
static const char *validate_number_rest(const char *p)
{
    if (*p == '.')
        p = validate_digits(p + 1);
    if (p && (*p | 0x20) == 'e') {
        p++;
        if (*p == '+' || *p == '-')
            p++;
        p = validate_digits(p);
    }
    return p;
}

static inline const char *validate_number(const char *p)
{
    if (*p == '-')
        p++;
    p = *p == '0' ? p + 1 : validate_digits(p);
    return p && (*p == '.' || (*p | 0x20) == 'e') ? validate_number_rest(p) : p;
}

/* The four bytes of `four`. In a valid line at least '}' and LF follow. */
static inline const char *validate_literal(const char *p, const char *four,
                                           const struct validation *v)
{
    return v->end - p > 4 && memcmp(p, four, 4) == 0 ? p + 4 : NULL;
}

static const char *validate_scalar(const char *p, const struct validation *v)
{
    switch (*p) {
    case 't':
        return validate_literal(p, "true", v);
    case 'n':
        return validate_literal(p, "null", v);
    case 'f':
        return validate_literal(p + 1, "alse", v);
    default:
        return validate_number(p);
    }
}

static inline bool validate_is_expected(const char *p, const struct validation *v)
{
    uint64_t words[2];
    if (p >= v->block_end)
        return false;
    memcpy(words, p, sizeof words);
    return (words[0] | v->name->mask[0]) == v->name->bytes[0] &&
           (words[1] | v->name->mask[1]) == v->name->bytes[1];
}

static void validate_remember(struct json_name *n, const char *p, size_t len)
{
    char bytes[sizeof n->bytes];
    if (len > sizeof bytes)
        return;
    memset(bytes, 0xFF, sizeof bytes);
    memcpy(bytes, p, len);
    memcpy(n->bytes, bytes, sizeof bytes);
    memset(bytes, 0, len);
    memcpy(n->mask, bytes, sizeof bytes);
    n->len = len;
}

/* A name with the '{' or ',' before it, up to its value. Remembers it for the next line. */
static const char *validate_name(const char *start, struct validation *v)
{
    const char *p = validate_space(start + 1);
    p = *p == '"' ? validate_string(p + 1, v) : NULL;
    if (!p)
        return NULL;
    p = validate_space(p);
    if (*p != ':')
        return NULL;
    p = validate_space(p + 1);
    if (v->name < v->last)
        validate_remember(v->name++, start, (size_t)(p - start));
    return p;
}

/* The start of an object or array, up to its first value, or all of it if it is empty. */
static inline const char *validate_open(const char *p, struct validation *v, bool *empty)
{
    bool array = *p == '[';
    const char *first = validate_space(p + 1);
    *empty = *first == (array ? ']' : '}');
    if (*empty)
        return first + 1;
    if (v->containers >> JSON_VALIDATE_DEPTH)
        return NULL;
    v->containers = v->containers << 1 | array;
    if (array)
        return first;
    return validate_is_expected(p, v) ? p + v->name++->len : validate_name(p, v);
}

/* After a value: up to the next value, or to the end of the outermost object. */
static const char *validate_next(const char *p, struct validation *v)
{
    for (;;) {
        p = validate_space(p);
        if (*p == ',')
            return v->containers & VALIDATE_ARRAY ? validate_space(p + 1) : validate_name(p, v);
        if (*p != (v->containers & VALIDATE_ARRAY ? ']' : '}'))
            return NULL;
        p++;
        v->containers >>= 1;
        if (v->containers == VALIDATE_TOP)
            return p;
    }
}

static inline const char *validate_object(const char *p, struct validation *v)
{
    while (p) {
        if (*p == '"') {
            p = validate_string(p + 1, v);
        } else if (validate_is_digit(p)) {
            p = validate_number(p);
        } else if (*p == '{' || *p == '[') {
            bool empty;
            p = validate_open(p, v, &empty);
            if (!empty)
                continue;
            if (v->containers == VALIDATE_TOP)
                return p;
        } else if (validate_space(p) > p) {
            p = validate_space(p); /* the remembered name had no space after it */
            continue;
        } else {
            p = validate_scalar(p, v);
        }
        if (!p)
            return NULL;
        if (*p == ',' && !(v->containers & VALIDATE_ARRAY) && validate_is_expected(p, v)) {
            p += v->name++->len;
        } else {
            p = validate_next(p, v);
            if (v->containers == VALIDATE_TOP)
                return p;
        }
    }
    return NULL;
}

const char *json_validate(struct json_validator *j, struct slice text)
{
    const char *end = text.data + text.len;
    struct validation v = {.end = end,
                           .block_end =
                               text.len > VALIDATE_BLOCK ? end - VALIDATE_BLOCK : text.data,
                           .name = j->names,
                           .last = j->names + sizeof j->names / sizeof *j->names - 1,
                           .containers = VALIDATE_TOP};
    const char *p = validate_space(text.data);
    if (*p != '{')
        return NULL;
    p = validate_object(p, &v);
    if (!p)
        return NULL;
    p = validate_space(p);
    return *p == '\n' ? p : NULL;
}
