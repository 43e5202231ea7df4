#ifndef SHNEK_LOAD_VERIFY_H
#define SHNEK_LOAD_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "load/series.h"

struct verify_config {
    char *const *files; /* "-" is stdin */
    int file_count;     /* 0: stdin */
    bool marked;        /* a message without a mark is damaged */
    uint64_t connections;
    uint64_t expect;         /* messages; 0: it is not known how many */
    uint64_t idle;           /* nanoseconds; 0: no limit */
    const char *json;        /* a file for the report as JSON, or NULL */
    const char *hgrm;        /* a file for the percentiles, or NULL */
    uint64_t stats_interval; /* nanoseconds, 0: none */
    struct series_config series;
    bool quiet; /* do not print what is damaged */
};

/* Reads messages of spamlog and reports what became of them. Gives the exit status. */
int verify_run(const struct verify_config *config);

#endif
