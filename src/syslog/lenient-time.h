#ifndef SHNEK_SYSLOG_LENIENT_TIME_H
#define SHNEK_SYSLOG_LENIENT_TIME_H

#include <stdint.h>

#include "base/slice.h"
#include "syslog/tz.h"

enum { LENIENT_TIME_MAX = 48 };

/*
 * Reads times as they are found and reckons what they leave out: the year that puts one nearest to
 * now, and the zone.
 */
struct lenient_time {
    int64_t now; /* seconds since 1970 */
    struct tz tz;
    int64_t year_of; /* the time that `year` was found for, and its zone's offset; */
    int32_t offset;  /* year 0: none was */
    int year;
    char text[LENIENT_TIME_MAX]; /* the time read last, as RFC 3339 has it */
};

/*
 * A date and a time from `p`, whose forms the man page lists, up to the SP, TAB or end behind it; a
 * ':' there belongs to it. `timestamp` is what stands in `text`. NULL where there is none, or none
 * that exists.
 */
const char *lenient_time_read(struct lenient_time *r, const char *p, const char *end,
                              struct slice *timestamp);

/* The same, where only the form yyyy-mm-ddThh:mm:ss is taken. */
const char *lenient_time_read_iso(struct lenient_time *r, const char *p, const char *end,
                                  struct slice *timestamp);

#endif
