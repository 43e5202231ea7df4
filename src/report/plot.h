#ifndef SHNEK_REPORT_PLOT_H
#define SHNEK_REPORT_PLOT_H

#include <stdbool.h>

#include "base/output.h"

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
};

/*
 * Checks that gnuplot can be run and opens the files. `path` NULL: no plot. Returns false and logs
 * the reason on failure.
 */
bool plot_open(struct plot *p, const char *path);

/* Runs gnuplot on the rows written so far. Returns false and logs the reason on failure. */
bool plot_draw(struct plot *p, enum plot_kind kind, const char *title);

/* Returns false if a file could not be written. */
bool plot_close(struct plot *p);

#endif
