#ifndef SHNEK_SYSLOG_TIMESTAMP_H
#define SHNEK_SYSLOG_TIMESTAMP_H

#include <stdint.h>

#include "syslog/field-parse.h"

/* TIMESTAMP of RFC 5424, section 6.2.3: validated, converted to nanoseconds, and written. */

/* Parses FULL-DATE "T" FULL-TIME at `p`; not NILVALUE. Returns the byte after it, or NULL. */
const char *timestamp_parse(const struct parse_input *in, const char *p);

/* The last TIMESTAMP of timestamp_read(). All zero is ready for use. */
struct timestamp_reader {
    char head[20]; /* up to the fraction */
    char tail[8];  /* 'Z' or the offset */
    size_t tail_len;
    uint64_t second_ns; /* since 1970, without the fraction */
};

/*
 * Converts a TIMESTAMP to nanoseconds since 1970. Most often it has the second of the last one,
 * which `r` remembers. Returns false if it is invalid, or before 1970.
 */
bool timestamp_read(struct timestamp_reader *r, struct slice timestamp, uint64_t *ns);

/*
 * Writes times. What changes once a second is remembered, so use one writer for one function. All
 * zero, with `utc` as required, is ready for use.
 */
struct timestamp_writer {
    bool utc; /* write 'Z'; false: the offset of the local time zone */
    int64_t second;
    char head[24]; /* up to the fraction; empty if nothing is remembered */
    char tail[8];  /* 'Z' or the offset */
    unsigned tail_len;
};

enum { TIMESTAMP_MAX = 32, TIMESTAMP_UTC = 27, TIMESTAMP_FRACTION = 20, TIMESTAMP_RFC3164 = 15 };

/*
 * Writes a TIMESTAMP with six digits of TIME-SECFRAC for `ns` nanoseconds since 1970 to `to`: at
 * most TIMESTAMP_MAX bytes, exactly TIMESTAMP_UTC in UTC. Returns the end of what it wrote.
 */
char *timestamp_write(struct timestamp_writer *w, uint64_t ns, char *to);

/*
 * Writes the six digits that are at TIMESTAMP_FRACTION in a TIMESTAMP; `ns` is nanoseconds since
 * the begin of the second.
 */
void timestamp_fraction(uint64_t ns, char *to);

/*
 * Writes "Nov  2 15:04:05" in the local time zone (RFC 3164, section 4.1.2), TIMESTAMP_RFC3164
 * bytes. Returns the end of what it wrote.
 */
char *timestamp_write_rfc3164(struct timestamp_writer *w, uint64_t ns, char *to);

#endif
