#ifndef SHNEK_SYSLOG_TIMESTAMP_H
#define SHNEK_SYSLOG_TIMESTAMP_H

#include <stdint.h>

#include "syslog/parse.h"

enum { TIMESTAMP_MINUTE = 16 }; /* "2026-11-22T17:04" */

/*
 * FULL-DATE "T" FULL-TIME of RFC 5424, section 6.2.3, from `p`; not NILVALUE. `minute` keeps what
 * was valid of the last one, as the next one most often begins so; all zero is ready for use.
 */
const char *timestamp_parse(const struct parse *in, const char *p, char *minute);

/*
 * Writes times as TIMESTAMP, with six digits of TIME-SECFRAC. What repeats within a second is kept.
 * All zero is ready for use.
 */
struct timestamp_writer {
    bool utc; /* 'Z'; else the local zone's offset */
    int64_t second;
    char head[24]; /* up to the fraction */
    char tail[8];  /* behind it */
    unsigned tail_length;
};

enum { TIMESTAMP_MAX = 32 };

/* Nanoseconds since 1970 to `to`, at most TIMESTAMP_MAX bytes; gives the end of what it wrote. */
char *timestamp_write(struct timestamp_writer *w, uint64_t ns, char *to);

#endif
