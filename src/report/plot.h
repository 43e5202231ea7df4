#ifndef SHNEK_REPORT_PLOT_H
#define SHNEK_REPORT_PLOT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/output.h"
#include "report/values.h"

/* The lower panel; the upper one is the throughput. */
enum plot_kind {
    PLOT_LAG,
    PLOT_LATENCY,
    PLOT_RATE_ONLY /* no lower panel */
};

/* CSV rows in a temporary file, and the SVG file that gnuplot draws from them. */
struct plot {
    struct output rows; /* fd is -1 if there is no plot */
    struct output svg;
    bool skips_silence;   /* omits rows before the first message and after the last one */
    bool ends_in_silence; /* the last row has no messages of its own */
    uint64_t messages;    /* in the last row */
    off_t len;            /* of the rows */
    off_t end_of_traffic; /* offset of the last row with messages of its own */
};

/*
 * Checks that gnuplot is installed and opens the files. `path` NULL: no plot. Returns false and
 * logs the reason on failure.
 */
bool plot_open(struct plot *p, const char *path);

/* Appends a row of an interval, at whose end there had been `messages` messages. */
void plot_add_row(struct plot *p, const struct values *row, uint64_t messages);

/* Runs gnuplot on the rows written so far. Returns false and logs the reason on failure. */
bool plot_draw(struct plot *p, enum plot_kind kind, const char *title);

/*
 * Draws latencies against rates, with the limit of the p99 latency as a line. The rows are those of
 * trials: number, rate, result ("held" or a reason), five other values, p50, p99 and maximum in
 * seconds, in any order. `best_rate` is marked unless it is 0.
 */
bool plot_draw_trials(struct plot *p, const char *title, uint64_t limit_ns, uint64_t best_rate);

/* Returns false if a file could not be written. */
bool plot_close(struct plot *p);

#endif
