#ifndef SHNEK_VERIFY_VERIFY_H
#define SHNEK_VERIFY_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "report/sampler.h"

struct verify_config {
    char *const *files; /* "-" is stdin */
    int file_count;     /* 0: stdin */
    bool require_checksum;
    uint64_t connection_count;  /* of the sender */
    uint64_t expected;          /* messages; 0 if unknown */
    uint64_t idle_timeout_ns;   /* 0: none */
    const char *json_path;      /* NULL: none; "-" is stdout, here and below */
    const char *hgrm_path;      /* percentiles as an HdrHistogram file */
    uint64_t stats_interval_ns; /* 0: none */
    struct sampler_config sampler;
    bool quiet; /* do not log damaged messages */
};

/*
 * Reads messages of spamlog from all files and reports loss, duplicates, reordering, corruption and
 * latency. Returns the exit status: STATUS_REJECTED if no message was received, or if messages were
 * lost, duplicated or damaged.
 */
int verify_run(const struct verify_config *config);

#endif
