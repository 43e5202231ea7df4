#include "syslog/pri.h"

#include <ctype.h>
#include <stdlib.h>

#include "syslog/field-parse.h"

#define NAME(literal)                                                                              \
    {                                                                                              \
        literal, sizeof literal - 1                                                                \
    }
#define SEVERITY(literal, none) NAME(literal)

const struct slice severity_names[8] = {PRI_SEVERITIES(SEVERITY, )};
const struct slice facility_names[24] = {PRI_FACILITIES(NAME)};

/* Other names that logger(1) accepts, and their standard names. */
static const struct slice pri_aliases[] = {NAME("panic"), NAME("error"), NAME("warn"),
                                           NAME("security")};
static const struct slice pri_alias_targets[] = {NAME("emerg"), NAME("err"), NAME("warning"),
                                                 NAME("auth")};

static struct slice pri_standard_name(struct slice name)
{
    for (unsigned i = 0; i < sizeof pri_aliases / sizeof *pri_aliases; i++)
        if (slice_equal(pri_aliases[i], name))
            return pri_alias_targets[i];
    return name;
}

static bool pri_find_name(const struct slice *names, unsigned count, struct slice name,
                          unsigned *number)
{
    name = pri_standard_name(name);
    for (unsigned i = 0; i < count; i++) {
        if (slice_equal(names[i], name)) {
            *number = i;
            return true;
        }
    }
    return false;
}

static bool pri_find_folded(const struct slice *names, unsigned count, struct slice name,
                            unsigned *number)
{
    char lower[16];
    if (name.len > sizeof lower)
        return false;
    for (size_t i = 0; i < name.len; i++)
        lower[i] = (char)tolower((unsigned char)name.data[i]);
    return pri_find_name(names, count, (struct slice){lower, name.len}, number);
}

bool pri_find_severity(struct slice name, unsigned *severity)
{
    return pri_find_folded(severity_names, 8, name, severity);
}

bool pri_find_facility(struct slice name, unsigned *facility)
{
    return pri_find_folded(facility_names, 24, name, facility);
}

bool pri_from_name(const char *text, unsigned *pri)
{
    char *end;
    if (*text >= '0' && *text <= '9') {
        unsigned long number = strtoul(text, &end, 10);
        *pri = (unsigned)number;
        return *end == '\0' && number <= PRI_MAX;
    }
    unsigned facility = 1;
    unsigned severity;
    const char *dot = strchr(text, '.');
    if (dot && !pri_find_name(facility_names, 24, slice_between(text, dot), &facility))
        return false;
    const char *name = dot ? dot + 1 : text;
    if (!pri_find_name(severity_names, 8, (struct slice){name, strlen(name)}, &severity))
        return false;
    *pri = facility * 8 + severity;
    return true;
}

const char *pri_read(const char *p, const char *end, unsigned *pri)
{
    unsigned number = 0;
    int digits = 0;
    if (p == end || *p++ != '<')
        return NULL;
    for (; p < end && is_digit(*p) && digits < 3; p++, digits++)
        number = number * 10 + (unsigned)(*p - '0');
    if (digits == 0 || number > PRI_MAX || p == end || *p != '>')
        return NULL;
    *pri = number;
    return p + 1;
}

enum pri_form pri_find(const char *p, const char *end)
{
    int digits = 0;
    if (p == end)
        return PRI_INCOMPLETE;
    if (*p++ != '<')
        return PRI_ABSENT;
    for (; p < end && is_digit(*p) && digits < 3; p++)
        digits++;
    if (p == end)
        return PRI_INCOMPLETE;
    return digits && *p == '>' ? PRI_PRESENT : PRI_ABSENT;
}
