#ifndef SHNEK_BASE_RATE_LIMIT_H
#define SHNEK_BASE_RATE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/defect.h"

/*
 * Limits one kind of log line to ten per second; the next second starts with a line that counts
 * the suppressed ones. All zero is ready for use; `quiet` suppresses every line and the count.
 */
struct rate_limit {
    bool quiet;
    unsigned printed; /* in `second` */
    uint64_t second;  /* clock_monotonic, in seconds */
    uint64_t suppressed;
};

/* Returns whether a line may be printed now, and counts it as printed or suppressed. */
bool rate_limit_allow(struct rate_limit *limit);

/* Logs the number of suppressed lines if their second has passed. */
void rate_limit_poll(struct rate_limit *limit);

/* Logs the number of suppressed lines immediately. */
void rate_limit_flush(struct rate_limit *limit);

/* Logs "program: SOURCE:NUMBER: FIELD: reason (at byte N)" and the hint, which may be empty, within
 * the limit. Returns whether the line was printed. */
bool log_rejected(struct rate_limit *limit, const char *source, uint64_t number,
                  const struct defect *defect, const char *hint);

#endif
