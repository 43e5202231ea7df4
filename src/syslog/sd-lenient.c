#include "syslog/sd-lenient.h"

#include "base/byte-scan.h"
#include "syslog/sd-merge.h"

static const char *sd_lenient_skip_sp(const char *p, const char *end)
{
    while (p < end && *p == ' ')
        p++;
    return p;
}

static const char *sd_lenient_name(const char *p, const char *end, struct slice *name)
{
    const char *start = p;
    p = scan_sd_name(p, end);
    *name = slice_between(start, p);
    return p > start ? p : NULL;
}

/* Whether an SD-ID is a name, '@' and digits: that of a vendor. */
static bool sd_lenient_is_vendor(struct slice id)
{
    const char *end = id.data + id.len;
    const char *at = memchr(id.data, '@', id.len);
    if (!at || at == id.data || at + 1 == end)
        return false;
    for (const char *p = at + 1; p < end; p++)
        if (!is_digit(*p) && (*p != '.' || p == at + 1 || p + 1 == end || p[1] == '.'))
            return false;
    return true;
}

/* A value without quotes, up to SP or ']'. A backslash is not an escape. After '[' its end is not
 * known. */
static const char *sd_lenient_bare_value(const char *p, const char *end, struct sd_param *param)
{
    const char *start = p;
    while (p < end && *p != ' ' && *p != ']' && *p != '"' && *p != '[')
        p++;
    param->value = slice_between(start, p);
    return p < end && (*p == ' ' || *p == ']') ? p : NULL;
}

/* PARAM-NAME, '=' and PARAM-VALUE. */
static const char *sd_lenient_param(const char *p, const char *end, bool vendor,
                                    struct structured_data *sd)
{
    struct defect unused;
    struct sd_param *param = sd_new_param(sd);
    *param = (struct sd_param){0};
    p = sd_lenient_name(p, end, &param->name);
    p = p ? sd_lenient_skip_sp(p, end) : NULL;
    if (!p || p == end || *p != '=')
        return NULL;
    const char *value = sd_lenient_skip_sp(++p, end);
    if (value < end && *value == '"')
        return sd_parse_value(&(struct parse_input){value, end, &unused}, value, param);
    return vendor ? sd_lenient_bare_value(p, end, param) : NULL;
}

/* From the byte after '[' to the byte after ']'. */
static const char *sd_lenient_element(const char *p, const char *end, struct structured_data *sd)
{
    struct sd_element *element = sd_new_element(sd);
    *element = (struct sd_element){.first = sd->param_count};
    p = sd_lenient_name(p, end, &element->id);
    if (!p)
        return NULL;
    bool vendor = sd_lenient_is_vendor(element->id);
    for (;;) {
        const char *next = sd_lenient_skip_sp(p, end);
        if (next < end && *next == ']')
            p = next;
        if (p < end && *p == ']')
            break;
        p = next > p ? sd_lenient_param(next, end, vendor, sd) : NULL;
        if (!p)
            return NULL;
    }
    element->end = sd->param_count;
    return p + 1;
}

const char *sd_lenient_parse(const char *p, const char *end, struct structured_data *sd)
{
    sd->element_count = sd->param_count = 0;
    sd->names_verbatim = sd->is_simple = false;
    const char *start = p;
    while (p && p < end && *p == '[')
        p = sd_lenient_element(p + 1, end, sd);
    if (p && p > start && (p == end || *p == ' ')) {
        sd_merge(sd);
        return p;
    }
    sd->element_count = sd->param_count = 0;
    return NULL;
}
