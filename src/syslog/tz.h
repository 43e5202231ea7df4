#ifndef SHNEK_SYSLOG_TZ_H
#define SHNEK_SYSLOG_TZ_H

#include <stdbool.h>
#include <stdint.h>

enum { TZ_SLOTS = 8 };

/* What was found out for a quarter of an hour of the clock on the wall. */
struct tz_slot {
    int64_t quarter;
    int32_t before; /* seconds east of UTC; differs from `after` only where a time comes twice */
    int32_t after;
    bool known;
};

/* The zone of times that do not name theirs. All zero is the process's own, as of tzset(3). */
struct tz {
    bool fixed;
    int32_t offset; /* seconds east of UTC, where fixed */
    struct tz_slot slots[TZ_SLOTS];
};

/* "local", "utc", "UTC", "Z", or an offset such as +09:00. False for anything else. */
bool tz_parse(const char *text, struct tz *zone);

/*
 * How far east of UTC, in seconds, a clock in the zone is that shows `wall`: seconds since 1970 as
 * if it were UTC. Of a time that comes twice it is the one nearer to `now`; one that is left out,
 * when clocks go forward, counts as if they had not.
 */
int32_t tz_offset(struct tz *zone, int64_t wall, int64_t now);

#endif
