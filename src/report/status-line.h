#ifndef SHNEK_REPORT_STATUS_LINE_H
#define SHNEK_REPORT_STATUS_LINE_H

#include <stddef.h>
#include <stdint.h>

#define STATUS_LINE_UNKNOWN UINT64_MAX

/* Progress of a run, for the terminal. */
struct status_line {
    const char *verb; /* of the messages: "sent", "received" */
    uint64_t messages;
    uint64_t total; /* messages of the whole run; 0 if unknown */
    double rate;    /* messages per second */
    const char *latency_name;
    uint64_t latency_ns;   /* or STATUS_LINE_UNKNOWN */
    double fraction_done;  /* 0 to 1; negative if the end is unknown */
    uint64_t remaining_ns; /* or STATUS_LINE_UNKNOWN */
};

/*
 * Formats "sent 12 of 48 4/s lag 0.1ms left 0:09 [=>        ] 25%" into `text`, NUL-terminated, at
 * most `columns` wide. Parts that do not fit are omitted from the right; the bar fills the
 * remaining columns, up to 40. Returns the length.
 */
size_t status_line_format(const struct status_line *l, size_t columns, char *text, size_t size);

/* Shows the line on stderr, in the width of the terminal. */
void status_line_show(const struct status_line *l);

#endif
