#ifndef SHNEK_VERIFY_VERIFY_H
#define SHNEK_VERIFY_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/input.h"
#include "report/sampler.h"
#include "syslog/frame.h"
#include "verify/verify-report.h"

enum { VERIFY_LINE_MAX = 16 << 20 };

struct verify_config {
    char *const *files;    /* "-" is stdin */
    int file_count;        /* 0: stdin */
    bool require_checksum; /* a message without a mark is damaged */
    uint64_t connection_count;
    uint64_t expected;          /* messages; 0: it is not known how many */
    uint64_t idle_timeout_ns;   /* nanoseconds; 0: no limit */
    const char *json_path;      /* a file for the report as JSON, or NULL */
    const char *hgrm_path;      /* a file for the percentiles, or NULL */
    uint64_t stats_interval_ns; /* nanoseconds, 0: none */
    struct sampler_config sampler;
    bool quiet; /* do not print what is damaged */
};

/* Reads messages of spamlog and reports what became of them. Gives the exit status. */
int verify_run(const struct verify_config *config);

/*
 * The same in parts, for who sends run after run himself and reads them back from one input. Of the
 * config, `connections` and `quiet` count. NULL, and a report, where memory ends.
 */
struct verify;
struct verify *verify_new(const struct verify_config *config);
void verify_destroy(struct verify *v);

/* What is counted of all that is read. */
struct stats *verify_stats(struct verify *v);

/* From now on only messages of this run count, whose name must stay; the findings begin anew. */
const struct verify_report *verify_start_run(struct verify *v, const char *run);

/* Reads a block, which is ready. False where the input has ended or failed, which is reported. */
bool verify_read_block(struct verify *v, struct input *in, struct framer *f, const char *name);

#endif
