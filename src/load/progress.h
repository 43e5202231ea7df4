#ifndef SHNEK_LOAD_PROGRESS_H
#define SHNEK_LOAD_PROGRESS_H

#include "load/config.h"

/*
 * Returns the remaining time of a run in ns, or STATUS_LINE_UNKNOWN. elapsed_ns have passed since
 * its start, due_ns is when the next message is due. If the run is late, its average speed so far
 * is extrapolated.
 */
uint64_t progress_remaining_ns(const struct load_config *config, uint64_t elapsed_ns,
                               uint64_t due_ns, uint64_t sent);

/* Returns the completed fraction of a run, 0 to 1, or a negative number if it has no end. */
double progress_fraction(const struct load_config *config, uint64_t elapsed_ns, uint64_t sent);

#endif
