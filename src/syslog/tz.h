#ifndef SHNEK_SYSLOG_TZ_H
#define SHNEK_SYSLOG_TZ_H

#include <stdbool.h>
#include <stdint.h>

enum { TZ_SLOTS = 8 };

/* Offsets of the local time zone in a quarter of an hour, of local time. */
struct tz_slot {
    int64_t quarter;
    int32_t before; /* seconds east of UTC; differs from `after` only if the hour repeats */
    int32_t after;
    bool known;
};

/* The time zone of times without one. All zero is the process's own, see tzset(3). */
struct tz {
    bool fixed;
    int32_t offset; /* seconds east of UTC, if fixed */
    struct tz_slot slots[TZ_SLOTS];
};

/* Parses "local", "utc", "UTC", "Z", or an offset like +09:00. Returns false for anything else. */
bool tz_parse(const char *text, struct tz *zone);

/*
 * Returns the offset, in seconds east of UTC, at the local time `wall`: seconds since 1970 as if it
 * were UTC. When clocks are set back, a time occurs twice; it is the one nearer to `now`. When they
 * are set forward, a skipped time counts as if they had not been.
 */
int32_t tz_offset(struct tz *zone, int64_t wall, int64_t now);

enum tz_kind {
    TZ_NONE,
    TZ_UTC,    /* Z, UTC or GMT */
    TZ_OFFSET, /* such as +01:00, or CEST */
    TZ_UNKNOWN /* such as CST; ambiguous, so the time counts as one without zone */
};

/* A time zone that was written after a time. */
struct tz_suffix {
    enum tz_kind kind;
    bool named; /* by letters, which may also be the name of a host */
    bool west;  /* also for "-00:00" */
    int32_t minutes;
};

/* Parses Z, z, or +hh:mm, +hhmm, +hh with either sign. Returns the byte after it, or NULL. */
const char *tz_read_offset(const char *p, const char *end, struct tz_suffix *suffix);

/* Parses an offset or a name, after which a time may end. Returns the byte after it, or NULL. */
const char *tz_read(const char *p, const char *end, struct tz_suffix *suffix);

/* Whether a time may end at `p`: at SP, TAB, the end, or ':' before one of these. */
bool tz_is_end(const char *p, const char *end);

#endif
