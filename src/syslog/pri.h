#ifndef SHNEK_SYSLOG_PRI_H
#define SHNEK_SYSLOG_PRI_H

#include <stdbool.h>

#include "base/slice.h"

/* The names of RFC 5424, section 6.2.1, as syslog.conf(5) writes them, by their numbers. None is
 * longer than PRI_NAME, and of each so many bytes can be read. */
enum { PRI_NAME = 8 };
extern const struct slice severity_names[8];
extern const struct slice facility_names[24];

/* "34" or "auth.crit"; a severity alone is of facility user, as logger(1) has it. */
bool pri_from_name(const char *text, unsigned *pri);

/* '<', one to three digits, '>'; NULL where something else stands at `p`, or a number over 191. */
const char *pri_read(const char *p, const char *end, unsigned *pri);

#endif
