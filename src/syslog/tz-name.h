#ifndef SHNEK_SYSLOG_TZ_NAME_H
#define SHNEK_SYSLOG_TZ_NAME_H

#include <stdint.h>

#include "base/slice.h"

/* The names of time zones that devices write after a time. */

enum { TZ_NAME_MIN_LEN = 3, TZ_NAME_MAX_LEN = 4, TZ_NAME_AMBIGUOUS = INT16_MAX };

/*
 * Whether `word` is the name of a time zone, such as CEST. Sets its offset in minutes east of UTC,
 * or TZ_NAME_AMBIGUOUS if several zones have this name. UTC and GMT are not among them.
 */
bool tz_name_read(struct slice word, int *minutes);

#endif
