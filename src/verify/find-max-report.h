#ifndef SHNEK_VERIFY_FIND_MAX_REPORT_H
#define SHNEK_VERIFY_FIND_MAX_REPORT_H

#include "report/plot.h"
#include "verify/trial.h"

/* Paths of files: "-" is stdout, except for the plot; NULL: none. */
struct find_max_report_config {
    const char *csv_path;  /* a row for each trial */
    const char *json_path; /* the report */
    const char *plot_path; /* latency against rate, SVG */
    const char *destination;
    uint64_t max_latency_ns; /* limit of the p99 latency */
};

struct find_max_report {
    const struct find_max_report_config *config;
    struct output csv;
    struct output json;
    struct plot plot;
};

/* The result of --find-max. */
struct find_max_result {
    unsigned trials;
    uint64_t best_rate;       /* highest rate that passed, per second; 0: none */
    uint64_t failed_rate;     /* lowest rate that failed; 0: none */
    const char *limit;        /* why it failed */
    struct trial_result best; /* at best_rate */
};

/* Opens the files. `config` must outlive the report. Returns false and logs the reason on failure.
 */
bool find_max_report_open(struct find_max_report *r, const struct find_max_report_config *config);

/* Adds trial `number`, at `rate` messages per second, to the CSV and the plot. `limit` is the
 * reason why it failed, or NULL. */
void find_max_report_add_trial(struct find_max_report *r, unsigned number, uint64_t rate,
                               const char *limit, const struct trial_result *t);

/* Prints the report, as text to stdout unless a file uses that, and draws the plot. Returns false
 * and logs the reason on failure. */
bool find_max_report_write(struct find_max_report *r, const struct find_max_result *result);

/* Closes the files. Returns false and logs the reason if data could not be written. */
bool find_max_report_close(struct find_max_report *r);

/* Appends "3.78 ms" or "1.5 s". */
void find_max_report_print_duration(struct buffer *out, uint64_t us);

#endif
