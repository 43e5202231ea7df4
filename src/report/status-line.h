#ifndef SHNEK_REPORT_STATUS_LINE_H
#define SHNEK_REPORT_STATUS_LINE_H

#include <stddef.h>
#include <stdint.h>

#define LIVE_UNKNOWN UINT64_MAX

/* How far a run has come. */
struct live {
    const char *done; /* what was done with the messages */
    uint64_t messages;
    uint64_t all; /* messages; 0: it is not known how many */
    double rate;  /* messages a second */
    const char *late;
    uint64_t lateness; /* nanoseconds, or LIVE_UNKNOWN */
    double share;      /* of the whole run, 0 to 1; less than 0: its end is not known */
    uint64_t left;     /* nanoseconds, or LIVE_UNKNOWN */
};

/*
 * "sent 12 of 48 4/s lag 0.1ms left 0:09 [=>        ] 25%" in so many columns: what finds no place
 * is left out, from the right, and the bar takes what is left, up to 40. Gives the length.
 */
size_t live_line(const struct live *l, size_t columns, char *to, size_t size);

#endif
