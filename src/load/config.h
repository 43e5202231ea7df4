#ifndef SHNEK_LOAD_CONFIG_H
#define SHNEK_LOAD_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "load/arrivals.h"
#include "load/destination.h"
#include "load/malformed.h"
#include "load/message-config.h"
#include "load/sender.h"
#include "report/sampler.h"

/* A sending run. */
struct load_config {
    struct destination destination;
    struct message_config message;
    struct arrivals_config arrivals;
    struct senders_config senders;
    struct malformed_config malformed;
    uint64_t count;             /* of messages; 0: no limit */
    uint64_t duration_ns;       /* 0: no limit */
    uint64_t stats_interval_ns; /* 0: no lines of counters */
    struct sampler_config sampler;
    const char *json_path; /* file of the JSON report, "-" for stdout, "" for stderr; NULL: none */
    bool quiet;            /* prints no report */
};

#endif
