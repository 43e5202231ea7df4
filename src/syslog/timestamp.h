#ifndef SHNEK_SYSLOG_TIMESTAMP_H
#define SHNEK_SYSLOG_TIMESTAMP_H

#include <stdint.h>

#include "syslog/field-parse.h"

/* FULL-DATE "T" FULL-TIME of RFC 5424, section 6.2.3, from `p`; not NILVALUE. */
const char *timestamp_parse(const struct parse_input *in, const char *p);

/*
 * Writes times as TIMESTAMP, in one of the forms below. What repeats within a second is kept. All
 * zero is ready for use.
 */
struct timestamp_writer {
    bool utc; /* 'Z'; else the local zone's offset */
    int64_t second;
    char head[24]; /* up to the fraction; empty: nothing is kept */
    char tail[8];  /* behind it */
    unsigned tail_length;
};

enum { TIMESTAMP_MAX = 32, TIMESTAMP_UTC = 27, TIMESTAMP_FRACTION = 20, TIMESTAMP_RFC3164 = 15 };

/* Nanoseconds since 1970 to `to`, with six digits of TIME-SECFRAC, TIMESTAMP_MAX bytes, or
 * TIMESTAMP_UTC with 'Z'; gives the end of what it wrote. */
char *timestamp_write(struct timestamp_writer *w, uint64_t ns, char *to);

/* The six digits at TIMESTAMP_FRACTION: of nanoseconds since the second began. */
void timestamp_fraction(uint64_t ns, char *to);

/* The same as "Nov  2 15:04:05" in the local zone (RFC 3164, section 4.1.2), TIMESTAMP_RFC3164
 * bytes. */
char *timestamp_write_rfc3164(struct timestamp_writer *w, uint64_t ns, char *to);

#endif
