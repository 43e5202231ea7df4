#ifndef SHNEK_SYSLOG_PRI_H
#define SHNEK_SYSLOG_PRI_H

#include <stdbool.h>

#include "base/slice.h"

/*
 * Severities and facilities (RFC 5424, section 6.2.1), named as in syslog.conf(5). These lists
 * apply the macro `each` to the names, in the order of their numbers.
 */
#define PRI_SEVERITIES(each, with)                                                                 \
    each("emerg", with), each("alert", with), each("crit", with), each("err", with),               \
        each("warning", with), each("notice", with), each("info", with), each("debug", with)
#define PRI_FACILITIES(each)                                                                       \
    each("kern"), each("user"), each("mail"), each("daemon"), each("auth"), each("syslog"),        \
        each("lpr"), each("news"), each("uucp"), each("cron"), each("authpriv"), each("ftp"),      \
        each("ntp"), each("audit"), each("alert"), each("clockd"), each("local0"), each("local1"), \
        each("local2"), each("local3"), each("local4"), each("local5"), each("local6"),            \
        each("local7")
enum { PRI_MAX = 191 };

extern const struct slice severity_names[8];
extern const struct slice facility_names[24];

/* Find a name or one of its aliases, such as "error" for "err"; the case of letters is
 * ignored. Return false if there is no such name. */
bool pri_find_severity(struct slice name, unsigned *severity);
bool pri_find_facility(struct slice name, unsigned *facility);

/*
 * Parses "34", "auth.crit", or "crit", whose facility is user, as for logger(1). Returns false if
 * `text` is none of these.
 */
bool pri_from_name(const char *text, unsigned *pri);

/*
 * Parses '<', one to three digits, and '>' at `p`; accepts leading zeros. Returns the byte after
 * it, or NULL if there is something else, or a number over 191.
 */
const char *pri_read(const char *p, const char *end, unsigned *pri);

enum pri_form { PRI_ABSENT, PRI_INCOMPLETE, PRI_PRESENT };

/*
 * Whether [p, end) begins like a PRI: with '<', one to three digits, and '>'. PRI_INCOMPLETE means
 * that the text, which may be empty, ends within them.
 */
enum pri_form pri_find(const char *p, const char *end);

#endif
