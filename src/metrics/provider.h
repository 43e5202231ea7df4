#ifndef SHNEK_METRICS_PROVIDER_H
#define SHNEK_METRICS_PROVIDER_H

#include <stdbool.h>

#include "base/buffer.h"

/* The program's side of its metrics. Both functions are called by another thread than the one that
 * moves messages: they read atomic counters and never wait. */
struct metrics_provider {
    void (*write)(void *argument, struct buffer *to); /* appends all metrics */
    /* Returns NULL if the program is ready for messages, otherwise why it is not. */
    const char *(*not_ready)(void *argument);
    void *argument;
};

#endif
