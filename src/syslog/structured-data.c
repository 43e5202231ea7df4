#include "syslog/structured-data.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "base/byte-scan.h"
#include "base/defect.h"
#include "syslog/name-hash.h"
#include "syslog/sd-merge.h"

enum { NAME_MAX_LENGTH = 32 };

/* Why an SD-NAME cannot end at `p`; `stop` is for what may end others. */
static const char *bad_name(const struct parse_input *in, const char *start, const char *p,
                            const char *field, const char *stop)
{
    if (p - start > NAME_MAX_LENGTH)
        return parse_fail(in, field, "longer than 32 characters", start + NAME_MAX_LENGTH);
    if (p == in->end)
        return parse_fail(in, field, "", p);
    if (*p != '=' && *p != ']' && *p != '"' && *p != ' ')
        return parse_fail(in, field, "not printable US-ASCII", p);
    return parse_fail(in, field, p == start ? "is empty" : stop, p);
}

/* SD-NAME, and one of two bytes that may end it. */
static inline const char *sd_name(const struct parse_input *in, const char *p, const char *field,
                                  char ender, char other, const char *stop, struct slice *name)
{
    const char *start = p;
    p = scan_sd_name(p, in->end);
    if (p == start || p - start > NAME_MAX_LENGTH || p == in->end || (*p != ender && *p != other))
        return bad_name(in, start, p, field, stop);
    *name = slice_between(start, p);
    return p;
}

/* The byte behind the closing quote. */
static const char *param_value(const struct parse_input *in, const char *p, struct sd_param *param)
{
    static const char field[] = "PARAM-VALUE";
    if (p == in->end || *p != '"')
        return parse_fail(in, field, "expected '\"'", p);
    const char *start = ++p;
    for (;; p++) {
        p = scan_param_value(p, in->end);
        if (p == in->end)
            return parse_fail(in, field, "", p);
        if (*p == '"')
            break;
        if (*p == ']')
            return parse_fail(in, field, "']' is not escaped", p);
        param->escapes = true;
        if (p + 1 < in->end && (p[1] == '"' || p[1] == '\\' || p[1] == ']'))
            p++;
    }
    param->value = slice_between(start, p);
    return p + 1;
}

static inline struct sd_param *add_param(struct structured_data *sd)
{
    if (sd->param_count == sd->param_capacity)
        sd->params =
            array_grow(sd->params, &sd->param_capacity, sd->param_count, sizeof *sd->params);
    struct sd_param *param = &sd->params[sd->param_count++];
    *param = (struct sd_param){0};
    return param;
}

static inline struct sd_element *new_element(struct structured_data *sd)
{
    if (sd->element_count == sd->element_capacity)
        sd->elements = array_grow(sd->elements, &sd->element_capacity, sd->element_count,
                                  sizeof *sd->elements);
    return &sd->elements[sd->element_count++];
}

static const char *sd_param(const struct parse_input *in, const char *p, struct structured_data *sd)
{
    struct sd_param *param = add_param(sd);
    p = sd_name(in, p, "PARAM-NAME", '=', '=', "expected '='", &param->name);
    return p ? param_value(in, p + 1, param) : NULL;
}

static const char *sd_element(const struct parse_input *in, const char *p,
                              struct structured_data *sd)
{
    struct sd_element *element = new_element(sd);
    *element = (struct sd_element){.first = sd->param_count};
    p = sd_name(in, p, "SD-ID", ' ', ']', "expected SP or ']'", &element->id);
    while (p && p < in->end && *p == ' ')
        p = sd_param(in, p + 1, sd);
    if (!p)
        return NULL;
    if (p == in->end || *p != ']')
        return parse_fail(in, "SD-ELEMENT", "expected SP or ']'", p);
    element->end = sd->param_count;
    return p + 1;
}

/*
 * The straight way through 1*SD-ELEMENT. Where it does not see that all is well it gives NULL, and
 * the careful way looks again.
 */
enum { SEEN = 48 };

/* A bit for each of the bytes from a cursor on, as many as were seen. */
struct ends {
    uint64_t name;  /* what ends SD-NAME */
    uint64_t value; /* what is not in JSON as it is, or ends PARAM-VALUE */
};

struct straight {
    const char *last; /* of the bytes: it is not looked at, so that one is behind each end */
    struct ends ends;
    struct sd_param *param; /* the next one, and where there is no room for one */
    struct sd_param *room;
    uint32_t params; /* how many there are */
    uint64_t names;  /* a bit for each of an element: names with different ones differ */
    uint64_t ids;    /* the same for the elements */
};

/* There are SEEN bytes before `last`. */
static __attribute__((noinline)) struct ends ends_from(const char *p, const char *last)
{
    struct ends ends = {0, 0};
    if (p >= last)
        return ends;
    const char *start = last - p < SEEN ? last - SEEN : p;
#pragma GCC unroll 6
    for (size_t i = 0; i < SEEN; i += SIMD_SIZE) {
        simd_block b = simd_load(start + i);
        ends.name |= simd_bits_not_sd(b) << i;
        ends.value |= simd_bits_not_value(b) << i;
    }
    return (struct ends){ends.name >> (p - start), ends.value >> (p - start)};
}

/* Field by field, or gcc keeps a copy of both in memory. */
static inline void look(struct straight *s, const char *p)
{
    struct ends ends = ends_from(p, s->last);
    s->ends.name = ends.name;
    s->ends.value = ends.value;
}

/* The cursor moves on by less than 64 bytes. */
static inline void pass(struct straight *s, size_t n)
{
    s->ends.name >>= n;
    s->ends.value >>= n;
}

static inline size_t first_end(uint64_t ends)
{
    return (unsigned)__builtin_ctzll(ends);
}

/* The length of SD-NAME, or what it cannot be. */
static inline size_t straight_name(struct straight *s, const char *p)
{
    if (__builtin_expect(s->ends.name == 0, 0)) {
        look(s, p);
        if (s->ends.name == 0)
            return 0;
    }
    return first_end(s->ends.name);
}

static inline void add_name(struct structured_data *sd, uint64_t *names, struct slice name)
{
    size_t sum =
        name.len * 8 + (unsigned char)name.data[0] + (unsigned char)name.data[name.len - 1];
    uint64_t bit = (uint64_t)1 << sum % 64;
    if (*names & bit)
        sd->usual = false;
    *names |= bit;
}

/* Whether up to its closing quote, which is seen, all is in JSON as it is, \" and \\ too. */
static inline bool plain_value(const char *p, uint64_t ends, size_t *length)
{
    if (ends == 0)
        return false;
    *length = first_end(ends);
    while (__builtin_expect(p[*length] != '"', 0)) {
        const char *end = p + *length;
        if (*end != '\\' || (end[1] != '"' && end[1] != '\\'))
            return false;
        ends &= ~((uint64_t)3 << *length);
        if (ends == 0)
            return false;
        *length = first_end(ends);
    }
    return true;
}

/* From the opening quote of one that is not plain. */
static __attribute__((noinline)) const char *other_value(const char *p, const char *end,
                                                         struct sd_param *param)
{
    struct defect unused;
    const struct parse_input in = {p, end, &unused};
    param->plain = param->escapes = param->repeats = param->more = false;
    return param_value(&in, p, param);
}

/* From behind the opening quote to behind the closing one. */
static inline const char *straight_value(struct straight *s, const char *p, struct sd_param *param)
{
    if (s->ends.value == 0)
        look(s, p);
    size_t length;
    if (__builtin_expect(plain_value(p, s->ends.value, &length), 1)) {
        param->value = (struct slice){p, length};
        param->plain = true;
        param->escapes = param->repeats = param->more = false;
        pass(s, length + 2);
        return p + length + 1;
    }
    const char *behind = other_value(p - 1, s->last + 1, param);
    if (!behind || behind >= s->last)
        return NULL;
    if (behind - p < SEEN)
        pass(s, (size_t)(behind + 1 - p));
    else
        s->ends.name = s->ends.value = 0;
    return behind;
}

static inline struct sd_param *next_param(struct straight *s, struct structured_data *sd)
{
    if (s->param == s->room) {
        sd->params = array_grow(sd->params, &sd->param_capacity, s->params, sizeof *sd->params);
        s->param = sd->params + s->params;
        s->room = sd->params + sd->param_capacity;
    }
    s->params++;
    return s->param++;
}

/* From behind its SP to behind its closing quote. */
static inline const char *straight_param(struct straight *s, const char *p,
                                         struct structured_data *sd)
{
    struct sd_param *param = next_param(s, sd);
    size_t length = straight_name(s, p);
    if (length - 1 >= NAME_MAX_LENGTH || memcmp(p + length, "=\"", 2) != 0)
        return NULL;
    param->name = (struct slice){p, length};
    add_name(sd, &s->names, param->name);
    pass(s, length + 2);
    return straight_value(s, p + length + 2, param);
}

/* From behind its '[' to behind its ']'. */
static inline const char *straight_element(struct straight *s, const char *p,
                                           struct structured_data *sd)
{
    struct sd_element *element = new_element(sd);
    size_t length = straight_name(s, p);
    if (length - 1 >= NAME_MAX_LENGTH)
        return NULL;
    element->id = (struct slice){p, length};
    element->first = s->params;
    element->repeats = element->more = false;
    add_name(sd, &s->ids, element->id);
    s->names = 0;
    pass(s, length + 1);
    p += length;
    while (*p == ' ') {
        p = straight_param(s, p + 1, sd);
        if (!p)
            return NULL;
    }
    element->end = s->params;
    pass(s, 1);
    return *p == ']' ? p + 1 : NULL;
}

/* From '['. */
static const char *straight(const struct parse_input *in, const char *p, struct structured_data *sd)
{
    const char *end = in->end;
    if (end - in->start <= SEEN)
        return NULL;
    sd->element_count = 0;
    sd->bare = sd->usual = true;
    struct straight s = {
        .last = end - 1, .param = sd->params, .room = sd->params + sd->param_capacity};
    do {
        p = straight_element(&s, p + 1, sd);
        if (!p)
            return NULL;
    } while (p < end && *p == '[');
    if (p < end && *p != ' ')
        return NULL;
    sd->param_count = s.params;
    if (!sd->usual)
        sd_merge(sd);
    if (end - p < SIMD_SIZE)
        sd->usual = false;
    return p;
}

const char *structured_data_parse_reference(const struct parse_input *in, const char *p,
                                            struct structured_data *sd)
{
    sd->element_count = sd->param_count = 0;
    sd->bare = sd->usual = false;
    while (p && p < in->end && *p == '[')
        p = sd_element(in, p + 1, sd);
    if (p)
        sd_merge(sd);
    return p;
}

const char *structured_data_parse(const struct parse_input *in, const char *p,
                                  struct structured_data *sd)
{
    static const char field[] = "STRUCTURED-DATA";
    sd->element_count = sd->param_count = 0;
    if (p == in->end || (*p != '-' && *p != '['))
        return parse_fail(in, field, "expected '-' or '['", p);
    if (*p == '-') {
        p++;
    } else {
        const char *behind = straight(in, p, sd);
        if (behind)
            return behind;
        p = structured_data_parse_reference(in, p, sd);
    }
    if (p && p < in->end && *p != ' ')
        return parse_fail(in, field, "expected SP or the end", p);
    return p;
}

void structured_data_free(struct structured_data *sd)
{
    free(sd->elements);
    free(sd->params);
    name_hash_free(sd->table);
    *sd = (struct structured_data){0};
}
