#ifndef SHNEK_SYSLOG_PRI_H
#define SHNEK_SYSLOG_PRI_H

#include <stdbool.h>

#include "base/slice.h"

/* The names of RFC 5424, section 6.2.1, as syslog.conf(5) writes them, in the order of their
 * numbers: a list of what the macro `each` makes of them. */
#define PRI_SEVERITIES(each, with)                                                                 \
    each("emerg", with), each("alert", with), each("crit", with), each("err", with),               \
        each("warning", with), each("notice", with), each("info", with), each("debug", with)
#define PRI_FACILITIES(each)                                                                       \
    each("kern"), each("user"), each("mail"), each("daemon"), each("auth"), each("syslog"),        \
        each("lpr"), each("news"), each("uucp"), each("cron"), each("authpriv"), each("ftp"),      \
        each("ntp"), each("audit"), each("alert"), each("clockd"), each("local0"), each("local1"), \
        each("local2"), each("local3"), each("local4"), each("local5"), each("local6"),            \
        each("local7")
extern const struct slice severity_names[8];
extern const struct slice facility_names[24];

/* "34" or "auth.crit"; a severity alone is of facility user, as logger(1) has it. */
bool pri_from_name(const char *text, unsigned *pri);

/* '<', one to three digits, '>'; NULL where something else stands at `p`, or a number over 191. */
const char *pri_read(const char *p, const char *end, unsigned *pri);

#endif
