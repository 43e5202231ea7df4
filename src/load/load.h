#ifndef SHNEK_LOAD_LOAD_H
#define SHNEK_LOAD_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "load/bad.h"
#include "load/destination.h"
#include "load/message.h"
#include "load/sender.h"
#include "load/series.h"
#include "load/shape.h"

struct load_config {
    struct destination destination;
    struct message_config message;
    struct shape shape;
    struct senders_config senders;
    struct bad_config bad;
    uint64_t count;          /* 0: no limit */
    uint64_t duration;       /* nanoseconds, 0: no limit */
    uint64_t stats_interval; /* nanoseconds, 0: none */
    struct series_config series;
    const char *json; /* a file for the report, "-" is stdout, "" is stderr; or NULL */
    bool quiet;       /* no report at the end */
};

/* Sends what was asked for. Gives the exit status. */
int load_run(const struct load_config *config);

#endif
