#ifndef SHNEK_SYSLOG_LENIENT_TIME_H
#define SHNEK_SYSLOG_LENIENT_TIME_H

#include <stdint.h>

#include "base/slice.h"
#include "syslog/tz.h"

enum { LENIENT_TIME_MAX = 48 };

/*
 * Parses times in many forms and completes them: a missing year becomes the one in which the time
 * is nearest to `now`, a missing time zone `tz`. All zero, with `now` and `tz` as required, is
 * ready for use.
 */
struct lenient_time {
    int64_t now; /* seconds since 1970 */
    struct tz tz;
    bool no_host;                /* letters before a TAG are a time zone, not a host */
    int64_t cached_now;          /* the time with these offset and year; */
    int32_t offset;              /* seconds east of UTC */
    int year;                    /* 0 if nothing is cached */
    char text[LENIENT_TIME_MAX]; /* the last time, as in RFC 3339 */
};

/*
 * Parses a date and a time at `p`, in one of the forms that shnek-parse(1) lists, up to SP, TAB or
 * the end. A ':' before these is part of the time. Returns the byte after it, and sets `timestamp`
 * to r->text, or NULL if there is no time, or none that exists.
 */
const char *lenient_time_read(struct lenient_time *r, const char *p, const char *end,
                              struct slice *timestamp);

/* Returns the byte after the time at `p`, as lenient_time_read() does, without completing it. */
const char *lenient_time_skip(const char *p, const char *end);

/* lenient_time_read() for times that begin with a date like yyyy-mm-dd only. */
const char *lenient_time_read_iso(struct lenient_time *r, const char *p, const char *end,
                                  struct slice *timestamp);

#endif
