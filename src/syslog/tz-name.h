#ifndef SHNEK_SYSLOG_TZ_NAME_H
#define SHNEK_SYSLOG_TZ_NAME_H

#include <stdbool.h>
#include <stdint.h>

/* How the zone of a time is written behind it. */

enum zone_kind {
    ZONE_UNSAID,
    ZONE_UTC,    /* Z, UTC or GMT */
    ZONE_OFFSET, /* as +01:00 */
    ZONE_LETTERS /* as CEST: these do not say which one they mean, so they count as unsaid */
};

struct zone_reading {
    enum zone_kind kind;
    bool west; /* "-00:00", too */
    int32_t minutes;
};

/* Whether a time may end here: at a SP, a TAB, the end, or a ':' before one of these. */
bool zone_stops(const char *p, const char *end);

/* Z, z, or +hh:mm, +hhmm, +hh with either sign. NULL where none stands at `p`. */
const char *zone_offset_read(const char *p, const char *end, struct zone_reading *zone);

/* The same, or a name; something that stops must be behind it. */
const char *zone_read(const char *p, const char *end, struct zone_reading *zone);

#endif
