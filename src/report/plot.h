#ifndef SHNEK_REPORT_PLOT_H
#define SHNEK_REPORT_PLOT_H

#include <stdbool.h>

#include "base/output.h"

/* What stands below the throughput. */
enum plot_kind {
    PLOT_LAG,
    PLOT_LATENCY,
    PLOT_NOTHING /* no latency was taken */
};

/* Rows, and the file in which gnuplot draws them. */
struct plot {
    struct output rows; /* fd -1: none is wanted */
    struct output svg;
};

/* Looks whether there is a gnuplot, and opens the files. NULL: none is wanted. */
bool plot_open(struct plot *p, const char *path);

/* False, and a report, where it cannot be drawn. */
bool plot_draw(struct plot *p, enum plot_kind kind, const char *title);

/* False where a file was not written. */
bool plot_close(struct plot *p);

#endif
