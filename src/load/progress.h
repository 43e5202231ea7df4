#ifndef SHNEK_LOAD_PROGRESS_H
#define SHNEK_LOAD_PROGRESS_H

#include "load/load.h"

/*
 * How long a run goes on, in nanoseconds, or LIVE_UNKNOWN: `passed` of it have, the next message is
 * due at `due`. Where it is behind its time, it is taken to go on as fast as it went so far.
 */
uint64_t progress_remaining_ns(const struct load_config *c, uint64_t elapsed_ns, uint64_t due_ns,
                               uint64_t sent);

/* Which part of it is over, 0 to 1; less than 0 where it has no end. */
double progress_fraction(const struct load_config *c, uint64_t elapsed_ns, uint64_t sent);

#endif
