#include "syslog/structured-data.h"

#include <stdlib.h>

#include "base/byte-scan.h"
#include "base/defect.h"
#include "syslog/name-hash.h"
#include "syslog/sd-merge.h"

/* Reports why the SD-NAME from `start` cannot end at `p`. `expected` is what must follow one. */
static const char *sd_name_fail(const struct parse_input *in, const char *start, const char *p,
                                const char *field, const char *expected)
{
    if (p - start > SD_NAME_MAX)
        return parse_fail(in, field, "longer than 32 characters", start + SD_NAME_MAX);
    if (p == in->end)
        return parse_fail(in, field, "", p);
    if (*p != '=' && *p != ']' && *p != '"' && *p != ' ')
        return parse_fail(in, field, "not printable US-ASCII", p);
    return parse_fail(in, field, p == start ? "is empty" : expected, p);
}

/* SD-NAME, followed by one of two delimiters. Returns the delimiter. */
static const char *sd_parse_name(const struct parse_input *in, const char *p, const char *field,
                                 char delimiter, char other, const char *expected,
                                 struct slice *name)
{
    const char *start = p;
    p = scan_sd_name(p, in->end);
    if (p == start || p - start > SD_NAME_MAX || p == in->end || (*p != delimiter && *p != other))
        return sd_name_fail(in, start, p, field, expected);
    *name = slice_between(start, p);
    return p;
}

const char *sd_parse_value(const struct parse_input *in, const char *p, struct sd_param *param)
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

static const char *sd_parse_param(const struct parse_input *in, const char *p,
                                  struct structured_data *sd)
{
    struct sd_param *param = sd_new_param(sd);
    *param = (struct sd_param){0};
    p = sd_parse_name(in, p, "PARAM-NAME", '=', '=', "expected '='", &param->name);
    return p ? sd_parse_value(in, p + 1, param) : NULL;
}

/* From the byte after '[' to the byte after ']'. */
static const char *sd_parse_element(const struct parse_input *in, const char *p,
                                    struct structured_data *sd)
{
    struct sd_element *element = sd_new_element(sd);
    *element = (struct sd_element){.first = sd->param_count};
    p = sd_parse_name(in, p, "SD-ID", ' ', ']', "expected SP or ']'", &element->id);
    while (p && p < in->end && *p == ' ')
        p = sd_parse_param(in, p + 1, sd);
    if (!p)
        return NULL;
    if (p == in->end || *p != ']')
        return parse_fail(in, "SD-ELEMENT", "expected SP or ']'", p);
    element->end = sd->param_count;
    return p + 1;
}

const char *structured_data_parse(const struct parse_input *in, const char *p,
                                  struct structured_data *sd)
{
    static const char field[] = "STRUCTURED-DATA";
    sd->element_count = sd->param_count = 0;
    sd->names_verbatim = sd->is_simple = false;
    if (p == in->end || (*p != '-' && *p != '['))
        return parse_fail(in, field, "expected '-' or '['", p);
    if (*p == '-') {
        p++;
    } else {
        while (p && p < in->end && *p == '[')
            p = sd_parse_element(in, p + 1, sd);
        if (!p)
            return NULL;
        sd_merge(sd);
    }
    return p == in->end || *p == ' ' ? p : parse_fail(in, field, "expected SP or the end", p);
}

void structured_data_free(struct structured_data *sd)
{
    free(sd->elements);
    free(sd->params);
    name_hash_destroy(sd->names);
    *sd = (struct structured_data){0};
}
