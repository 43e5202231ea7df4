#include "syslog/selector.h"

#include <stdlib.h>
#include <strings.h>

#include "base/buffer.h"
#include "syslog/pri.h"

enum { SELECTOR_FACILITIES = 24, SELECTOR_ALL = 0xff };

void selector_free(struct selector *s)
{
    free(s->apps.globs);
    free(s->hosts.globs);
}

/* The part after the dot: the severities that it names, and whether it adds or removes them. */
struct selector_priority {
    unsigned char severities;
    bool removes;
};

/* As in syslogd, "none" removes all, and "!none" adds all. */
static const char *selector_parse_priority(struct slice text, struct selector_priority *priority)
{
    static const char expected[] =
        "expected a severity (emerg, alert, crit, err, warning, notice, info, debug), * or none";
    unsigned severity;
    bool negated = text.len && *text.data == '!';
    struct slice name = {text.data + negated, text.len - negated};
    bool single = name.len && *name.data == '=';
    name = (struct slice){name.data + single, name.len - single};
    *priority = (struct selector_priority){SELECTOR_ALL, negated};
    if (!single && name.len == 1 && *name.data == '*')
        return NULL;
    if (!single && name.len == 4 && strncasecmp(name.data, "none", 4) == 0) {
        priority->removes = !negated;
        return NULL;
    }
    if (!pri_find_severity(name, &severity))
        return expected;
    priority->severities =
        (unsigned char)(single ? 1U << severity : (2U << severity) - 1); /* 0 is the highest */
    return NULL;
}

static void selector_apply(unsigned char *severities, const struct selector_priority *priority)
{
    if (priority->removes)
        *severities &= (unsigned char)~priority->severities;
    else
        *severities |= priority->severities;
}

/* Returns the part of [p, end) before the first of the separators. */
static struct slice selector_part(const char *p, const char *separators)
{
    return (struct slice){p, strcspn(p, separators)};
}

static const char *selector_apply_facilities(unsigned char *severities, struct slice list,
                                             const struct selector_priority *priority,
                                             struct slice *bad)
{
    const char *end = list.data + list.len;
    unsigned facility;
    for (const char *p = list.data; p <= end; p = bad->data + bad->len + 1) {
        *bad = selector_part(p, ",.;");
        if (bad->len == 1 && *p == '*')
            for (facility = 0; facility < SELECTOR_FACILITIES; facility++)
                selector_apply(&severities[facility], priority);
        else if (pri_find_facility(*bad, &facility))
            selector_apply(&severities[facility], priority);
        else
            return "expected a facility such as auth or local0, or *";
    }
    return NULL;
}

/* Applies the part at `p` and sets `end` to the end of it. */
static const char *selector_apply_part(unsigned char *severities, const char *p, const char **end,
                                       struct slice *bad)
{
    struct selector_priority priority;
    struct slice facilities = selector_part(p, ".;");
    p += facilities.len;
    *bad = facilities;
    if (*p != '.')
        return "expected FACILITY.PRIORITY";
    *bad = selector_part(p + 1, ",;");
    *end = bad->data + bad->len;
    const char *error = selector_parse_priority(*bad, &priority);
    return error ? error : selector_apply_facilities(severities, facilities, &priority, bad);
}

const char *selector_add(struct selector *s, const char *text, struct slice *bad)
{
    unsigned char severities[SELECTOR_FACILITIES] = {0};
    const char *p = text;
    do {
        const char *error = selector_apply_part(severities, p, &p, bad);
        if (error)
            return error;
        p += strspn(p, ",;"); /* syslogd accepts both, repeated and at the end */
    } while (*p);
    for (int i = 0; i < SELECTOR_FACILITIES; i++)
        s->severities[i] |= severities[i];
    s->is_active = s->by_pri = true;
    return NULL;
}

static bool selector_names_add(struct selector_names *names, const char *pattern)
{
    size_t capacity = names->count;
    struct glob glob;
    if (*pattern == '\0' || !glob_compile(&glob, pattern))
        return false;
    names->globs = array_grow(names->globs, &capacity, names->count, sizeof *names->globs);
    names->globs[names->count++] = glob;
    return true;
}

bool selector_add_app(struct selector *s, const char *pattern)
{
    s->is_active = true;
    return selector_names_add(&s->apps, pattern);
}

bool selector_add_host(struct selector *s, const char *pattern)
{
    s->is_active = true;
    return selector_names_add(&s->hosts, pattern);
}

bool selector_names_match(const struct selector_names *names, struct slice value, bool fold)
{
    if (!value.data)
        return false;
    for (size_t i = 0; i < names->count; i++)
        if (glob_match(&names->globs[i], value, fold))
            return true;
    return false;
}
