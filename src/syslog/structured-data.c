#include "syslog/structured-data.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "base/scan.h"
#include "syslog/chain.h"
#include "syslog/name-table.h"
#include "syslog/window.h"

enum { NAME_MAX_LENGTH = 32 };

/* Why an SD-NAME cannot end at `p`; `stop` is for what may end others. */
static const char *bad_name(const struct parse *in, const char *start, const char *p,
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
static inline const char *sd_name(const struct parse *in, const char *p, const char *field,
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
static const char *param_value(const struct parse *in, const char *p, struct sd_param *param)
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
    *param = (struct sd_param){.next = SD_NONE};
    return param;
}

static inline struct sd_element *new_element(struct structured_data *sd)
{
    if (sd->element_count == sd->element_capacity)
        sd->elements = array_grow(sd->elements, &sd->element_capacity, sd->element_count,
                                  sizeof *sd->elements);
    return &sd->elements[sd->element_count++];
}

static const char *sd_param(const struct parse *in, const char *p, struct structured_data *sd)
{
    struct sd_param *param = add_param(sd);
    p = sd_name(in, p, "PARAM-NAME", '=', '=', "expected '='", &param->name);
    return p ? param_value(in, p + 1, param) : NULL;
}

static const char *sd_element(const struct parse *in, const char *p, struct structured_data *sd)
{
    struct sd_element *element = new_element(sd);
    *element = (struct sd_element){.first = sd->param_count, .next = SD_NONE};
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
struct ends {
    const char *start;
    uint64_t name;  /* what ends SD-NAME, from where the next one begins */
    uint64_t value; /* what is not in JSON as it is, or ends PARAM-VALUE */
};

struct straight {
    const struct parse *in;
    const char *last; /* of the bytes: it is not looked at, so that one is behind each end */
    struct ends ends;
    struct sd_param *param; /* the next one, and where there is no room for one */
    struct sd_param *room;
    uint32_t params; /* how many there are */
    uint64_t names; /* a bit for each of an element: those that differ in it need not be compared */
    uint64_t ids;   /* the same for the elements */
    uint64_t alike; /* those that do not differ */
};

/* From `p` on; there is a window before `last`. */
static inline struct ends ends_from(const char *p, const char *last)
{
    const char *start = last - p < WINDOW ? last - WINDOW : p;
    uint64_t from = ~(uint64_t)0 << (p - start);
    return (struct ends){start,
                         window_within(start, WINDOW - BLOCK, block_bits_not_sd).marks & from,
                         window_within(start, WINDOW - BLOCK, block_bits_not_value).marks & from};
}

static __attribute__((noinline)) struct ends next_ends(const char *p, const char *last)
{
    return ends_from(p, last);
}

/* The bits of what is `n` or more behind a mark. */
static inline uint64_t behind(const struct ends *ends, const char *mark, int n)
{
    return (~(uint64_t)0 << n) << (mark - ends->start);
}

static inline const char *first_end(const struct ends *ends, uint64_t which)
{
    return ends->start + (unsigned)__builtin_ctzll(which);
}

/* SD-NAME; gives its end. */
static inline const char *straight_name(struct straight *s, const char *p, struct slice *name,
                                        uint64_t *names)
{
    if (s->ends.name == 0) {
        s->ends = next_ends(p, s->last);
        if (s->ends.name == 0)
            return NULL;
    }
    const char *end = first_end(&s->ends, s->ends.name);
    size_t length = (size_t)(end - p);
    if (length - 1 >= NAME_MAX_LENGTH)
        return NULL;
    *name = (struct slice){p, length};
    uint64_t bit =
        (uint64_t)1 << ((length * 8 + (unsigned char)p[0] + (unsigned char)end[-1]) % 64);
    s->alike |= *names & bit;
    *names |= bit;
    return end;
}

/* Its closing quote where all of it is in JSON as it is, \" and \\ too; else NULL. */
static inline const char *plain_value(struct straight *s, const char *p)
{
    uint64_t ends = s->ends.value & behind(&s->ends, p, 0);
    if (ends == 0) {
        s->ends = next_ends(p, s->last);
        ends = s->ends.value;
        if (ends == 0)
            return NULL;
    }
    const char *end = first_end(&s->ends, ends);
    while (*end != '"') {
        if (*end != '\\' || (end[1] != '"' && end[1] != '\\'))
            return NULL;
        ends &= behind(&s->ends, end, 2);
        if (ends == 0)
            return NULL;
        end = first_end(&s->ends, ends);
    }
    return end;
}

/* From the end of its name; gives what is behind the closing quote. */
static inline const char *straight_value(struct straight *s, const char *p, struct sd_param *param)
{
    if (memcmp(p, "=\"", 2) != 0)
        return NULL;
    p += 2;
    param->next = SD_NONE;
    param->repeats = param->escapes = false;
    const char *end = plain_value(s, p);
    param->plain = param->usual = end != NULL;
    if (end) {
        param->value = slice_between(p, end);
        s->ends.name &= behind(&s->ends, end, 2);
        return end + 1;
    }
    p = param_value(s->in, p - 1, param);
    if (!p || p >= s->last)
        return NULL;
    s->ends.name = p - s->ends.start < WINDOW ? s->ends.name & behind(&s->ends, p, 1) : 0;
    return p;
}

static inline struct sd_param *straight_param(struct straight *s, struct structured_data *sd)
{
    if (s->param == s->room) {
        sd->params = array_grow(sd->params, &sd->param_capacity, s->params, sizeof *sd->params);
        s->param = sd->params + s->params;
        s->room = sd->params + sd->param_capacity;
    }
    s->params++;
    return s->param++;
}

/* Behind its '['. */
static inline const char *straight_element(struct straight *s, const char *p,
                                           struct structured_data *sd)
{
    struct sd_element *element = new_element(sd);
    element->first = s->params;
    element->next = SD_NONE;
    element->repeats = false;
    p = straight_name(s, p, &element->id, &s->ids);
    if (!p)
        return NULL;
    s->ends.name &= s->ends.name - 1;
    s->names = 0;
    while (*p == ' ') {
        struct sd_param *param = straight_param(s, sd);
        p = straight_name(s, p + 1, &param->name, &s->names);
        p = p ? straight_value(s, p, param) : NULL;
        if (!p)
            return NULL;
    }
    element->end = s->params;
    return *p == ']' ? p + 1 : NULL;
}

static const char *straight(const struct parse *in, const char *p, struct structured_data *sd)
{
    const char *last = in->end - 1;
    struct straight s = {.in = in,
                         .last = last,
                         .ends = ends_from(p, last),
                         .param = sd->params,
                         .room = sd->params + sd->param_capacity};
    while (p && p < in->end && *p == '[')
        p = straight_element(&s, p + 1, sd);
    if (!p)
        return NULL;
    sd->param_count = s.params;
    if (s.alike)
        structured_data_chain(sd);
    sd->bare = true;
    return p;
}

const char *structured_data_parse_with_care(const struct parse *in, const char *p,
                                            struct structured_data *sd)
{
    sd->element_count = sd->param_count = 0;
    sd->bare = false;
    while (p && p < in->end && *p == '[')
        p = sd_element(in, p + 1, sd);
    if (p)
        structured_data_chain(sd);
    return p;
}

const char *structured_data_parse(const struct parse *in, const char *p, struct structured_data *sd)
{
    static const char field[] = "STRUCTURED-DATA";
    sd->element_count = sd->param_count = 0;
    if (p == in->end || (*p != '-' && *p != '['))
        return parse_fail(in, field, "expected '-' or '['", p);
    if (*p == '-') {
        p++;
    } else {
        const char *behind = in->end - in->start > WINDOW ? straight(in, p, sd) : NULL;
        p = behind ? behind : structured_data_parse_with_care(in, p, sd);
    }
    if (p && p < in->end && *p != ' ')
        return parse_fail(in, field, "expected SP or the end", p);
    return p;
}

void structured_data_free(struct structured_data *sd)
{
    free(sd->elements);
    free(sd->params);
    name_table_free(sd->table);
    *sd = (struct structured_data){0};
}
