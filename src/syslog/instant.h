#ifndef SHNEK_SYSLOG_INSTANT_H
#define SHNEK_SYSLOG_INSTANT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* What instant_read keeps from one TIMESTAMP to the next, which most often shares its second. */
struct instant_reader {
    char head[20]; /* up to the fraction */
    char tail[8];  /* behind it */
    size_t tail_length;
    uint64_t second; /* that these are, in nanoseconds since 1970 */
};

/* The nanoseconds since 1970 that a TIMESTAMP tells. False where it is none, or before 1970. */
bool instant_read(struct instant_reader *r, struct slice timestamp, uint64_t *ns);

#endif
