#include "json/member-scan.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "json/escape.h"

struct member_scan_path {
    struct slice names[MEMBER_SCAN_DEPTH]; /* in JSON; owned */
    size_t depth;
    size_t top;
    struct slice value; /* JSON text; used if depth > 1 */
};

struct member_scan_top {
    struct slice name;  /* of a path */
    struct slice value; /* JSON text */
};

/* Setup */

static struct slice member_encode_name(struct slice name)
{
    struct buffer copy = {0};
    buffer_grow(&copy, JSON_STRING_CAPACITY(name.len));
    return slice_between(copy.data, json_escape(copy.data, name));
}

static size_t member_find_top(const struct member_scan *s, struct slice name)
{
    size_t i = 0;
    while (i < s->top_count && !slice_equal(s->tops[i].name, name))
        i++;
    return i;
}

size_t member_scan_add(struct member_scan *s, const struct slice *names, size_t depth)
{
    s->paths = array_grow(s->paths, &s->path_capacity, s->path_count, sizeof *s->paths);
    struct member_scan_path *path = &s->paths[s->path_count];
    *path = (struct member_scan_path){.depth = depth};
    for (size_t i = 0; i < depth; i++)
        path->names[i] = member_encode_name(names[i]);
    path->top = member_find_top(s, path->names[0]);
    if (path->top == s->top_count) {
        s->tops = array_grow(s->tops, &s->top_capacity, s->top_count, sizeof *s->tops);
        s->tops[s->top_count++] = (struct member_scan_top){.name = path->names[0]};
    }
    memset(s->names, 0, sizeof s->names);
    return s->path_count++;
}

/* Reading: each function returns the end of what it has read, at most `end` */

static inline const char *member_skip_space(const char *p, const char *end)
{
    while (p < end && (unsigned char)*p <= ' ' &&
           (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
        p++;
    return p;
}

/* A string after its opening quote. */
static inline const char *member_skip_string(const char *p, const char *end)
{
    while (end - p >= SIMD_SIZE) {
        uint64_t mask = simd_is_any(simd_load(p), '"', '\\', '"');
        if (!mask) {
            p += SIMD_SIZE;
            continue;
        }
        p += simd_first(mask);
        if (*p == '"')
            return p + 1;
        p += end - p > 1 ? 2 : 1;
    }
    while (p < end) {
        if (*p == '"')
            return p + 1;
        p += *p == '\\' && end - p > 1 ? 2 : 1;
    }
    return end;
}

static const char *member_skip_nested(const char *p, const char *end)
{
    size_t depth = 0;
    while (p < end) {
        char c = *p++;
        if (c == '"')
            p = member_skip_string(p, end);
        else if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && --depth == 0)
            return p;
    }
    return end;
}

static inline const char *member_skip_value(const char *p, const char *end)
{
    if (p == end)
        return end;
    if (*p == '"')
        return member_skip_string(p + 1, end);
    if (*p == '{' || *p == '[')
        return member_skip_nested(p, end);
    while (p < end && *p != ',' && *p != '}' && *p != ']' && (unsigned char)*p > ' ')
        p++;
    return p;
}

/* A name with the '{' or ',' before it, up to its value. Returns NULL if there is none. */
static const char *member_read_name(const char *p, const char *end, struct slice *name)
{
    p = member_skip_space(p + 1, end);
    if (p == end || *p != '"')
        return NULL;
    const char *start = p + 1;
    p = member_skip_string(start, end);
    *name = slice_between(start, p > start ? p - 1 : start);
    p = member_skip_space(p, end);
    return p < end && *p == ':' ? member_skip_space(p + 1, end) : NULL;
}

static struct slice member_find(struct slice object, struct slice path_name)
{
    const char *end = object.data + object.len;
    const char *p = object.data;
    struct slice name;
    if (object.len == 0 || *p != '{')
        return (struct slice){0};
    while (p < end && (*p == '{' || *p == ',') && (p = member_read_name(p, end, &name))) {
        const char *value = p;
        p = member_skip_value(value, end);
        if (slice_equal(name, path_name))
            return slice_between(value, p);
        p = member_skip_space(p, end);
    }
    return (struct slice){0};
}

/* The outermost object */

static inline bool member_is_expected(const struct member_scan_name *n, const char *p,
                                      const char *end)
{
    uint64_t words[2];
    if (end - p < (ptrdiff_t)sizeof words)
        return false;
    memcpy(words, p, sizeof words);
    return (words[0] | n->mask[0]) == n->bytes[0] && (words[1] | n->mask[1]) == n->bytes[1];
}

static void member_remember(struct member_scan_name *n, struct slice text, size_t top)
{
    char bytes[sizeof n->bytes];
    if (text.len > sizeof bytes)
        return;
    memset(bytes, 0xFF, sizeof bytes);
    memcpy(bytes, text.data, text.len);
    memcpy(n->bytes, bytes, sizeof bytes);
    memset(bytes, 0, text.len);
    memcpy(n->mask, bytes, sizeof bytes);
    n->len = text.len;
    n->top = top;
}

/* Member `i` of the line, from the '{' or ',' before it. Returns its value, or NULL. */
static inline const char *member_start(struct member_scan *s, size_t i, const char *p,
                                       const char *end, size_t *top)
{
    struct member_scan_name *expected = &s->names[i % MEMBER_SCAN_NAMES];
    struct slice name;
    if (member_is_expected(expected, p, end)) {
        *top = expected->top;
        return p + expected->len;
    }
    const char *value = member_read_name(p, end, &name);
    if (!value)
        return NULL;
    *top = member_find_top(s, name);
    member_remember(expected, slice_between(p, value), *top);
    return value;
}

static void member_find_tops(struct member_scan *s, struct slice line)
{
    const char *end = line.data + line.len;
    const char *p = member_skip_space(line.data, end);
    size_t missing = s->top_count;
    if (p == end || *p != '{')
        return;
    for (size_t i = 0; missing && p < end && (*p == ',' || *p == '{'); i++) {
        size_t top;
        const char *value = member_start(s, i, p, end, &top);
        if (!value)
            return;
        value = member_skip_space(value, end); /* the remembered name had no space after it */
        p = member_skip_value(value, end);
        if (top < s->top_count && !s->tops[top].value.data) {
            s->tops[top].value = slice_between(value, p);
            missing--;
        }
        p = member_skip_space(p, end);
    }
}

void member_scan_run(struct member_scan *s, struct slice line)
{
    member_scan_clear(s);
    member_find_tops(s, line);
    for (size_t i = 0; i < s->path_count; i++) {
        struct member_scan_path *path = &s->paths[i];
        if (path->depth == 1)
            continue;
        path->value = s->tops[path->top].value;
        for (size_t k = 1; k < path->depth && path->value.data; k++)
            path->value = member_find(path->value, path->names[k]);
    }
}

void member_scan_clear(struct member_scan *s)
{
    for (size_t i = 0; i < s->top_count; i++)
        s->tops[i].value = (struct slice){0};
    for (size_t i = 0; i < s->path_count; i++)
        s->paths[i].value = (struct slice){0};
}

struct slice member_scan_text(const struct member_scan *s, size_t i)
{
    const struct member_scan_path *path = &s->paths[i];
    struct slice value = path->depth == 1 ? s->tops[path->top].value : path->value;
    if (value.len == 0)
        return (struct slice){0};
    switch (*value.data) {
    case '"':
        return value.len > 1 ? (struct slice){value.data + 1, value.len - 2} : (struct slice){0};
    case '{':
    case '[':
    case 'n':
        return (struct slice){0};
    default:
        return value;
    }
}

void member_scan_free(struct member_scan *s)
{
    for (size_t i = 0; i < s->path_count; i++)
        for (size_t k = 0; k < s->paths[i].depth; k++)
            free((void *)(uintptr_t)s->paths[i].names[k].data);
    free(s->paths);
    free(s->tops);
    *s = (struct member_scan){0};
}
