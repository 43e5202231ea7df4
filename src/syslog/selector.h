#ifndef SHNEK_SYSLOG_SELECTOR_H
#define SHNEK_SYSLOG_SELECTOR_H

#include <stddef.h>

#include "base/glob.h"
#include "syslog/message.h"

struct selector_names {
    struct glob *globs;
    size_t count;
};

/* Which messages are selected. All zero selects all. */
struct selector {
    bool is_active;               /* some messages may not be selected */
    bool by_pri;                  /* by `severities` */
    unsigned char severities[24]; /* a bit for each severity, indexed by facility */
    struct selector_names apps;
    struct selector_names hosts;
};

void selector_free(struct selector *s);

/*
 * Also selects what a selector of syslog.conf(5) selects: FACILITIES.PRIORITY[;...], each of which
 * changes the result of those before. Returns NULL, or what is wrong with `bad`, a part of `text`;
 * nothing is added then.
 */
const char *selector_add(struct selector *s, const char *text, struct slice *bad);

/* Also selects an APP-NAME, or a HOSTNAME, whose case is ignored. Returns false if the
 * pattern is malformed. */
bool selector_add_app(struct selector *s, const char *pattern);
bool selector_add_host(struct selector *s, const char *pattern);

/* Whether one of the names matches; an absent value matches none. */
bool selector_names_match(const struct selector_names *names, struct slice value, bool fold);

/* Whether a message is selected: by its PRI, APP-NAME and HOSTNAME, as far as these matter. */
static inline bool selector_selects(const struct selector *s, const struct syslog_message *m)
{
    if (s->by_pri && !(s->severities[m->pri / 8] >> m->pri % 8 & 1))
        return false;
    return (s->apps.count == 0 || selector_names_match(&s->apps, m->appname, false)) &&
           (s->hosts.count == 0 || selector_names_match(&s->hosts, m->hostname, true));
}

#endif
