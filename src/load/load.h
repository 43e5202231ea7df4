#ifndef SHNEK_LOAD_LOAD_H
#define SHNEK_LOAD_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/signals.h"
#include "load/config.h"

/* Generates and sends messages, and prints the report. Returns the exit status. */
int load_run(const struct load_config *config);

struct load_sent {
    uint64_t generated;  /* messages, including those that UDP refused */
    uint64_t min_lag_ns; /* the smallest lag in the last quarter of the duration */
};

/*
 * Sends without a report. May run in any thread, repeatedly, with signals that the caller has
 * opened. Returns false and logs the reason on failure; refused datagrams are not a failure.
 */
bool load_send(const struct load_config *config, struct signals *signals, struct load_sent *sent);

#endif
