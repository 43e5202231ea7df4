#ifndef SHNEK_REPORT_SAMPLER_H
#define SHNEK_REPORT_SAMPLER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/output.h"
#include "base/stats.h"
#include "report/plot.h"
#include "report/status-line.h"
#include "report/values.h"

struct sampler_config {
    uint64_t interval_ns;
    const char *csv_path;    /* "-" is stdout; NULL for none */
    const char *plot_path;   /* SVG; NULL for none */
    bool plot_skips_silence; /* as in struct plot */
    bool allow_status;       /* show a status line if stderr is a terminal */
};

/* The end of one interval. */
struct sample {
    uint64_t end_ns;   /* since the start of the run */
    uint64_t messages; /* since the start of the run */
    double rate;       /* messages per second in the interval */
};

/*
 * The sampled run. At the end of each interval, the sampler's thread calls end_interval(), which
 * returns the messages since the start and keeps all other values of the same moment, and
 * on_sample(), which appends these values to the row, after the rate, and completes the status
 * line.
 */
struct sampler_source {
    const char *count_name; /* column of the message count */
    uint64_t (*end_interval)(void *context);
    void (*on_sample)(void *context, const struct sample *sample, struct values *row,
                      struct status_line *status);
    void *context;
};

/*
 * Samples a run at a fixed interval into CSV rows, a status line and a plot. It has its own thread,
 * so that it continues while the run is blocked in a write.
 */
struct sampler {
    const struct sampler_config *config;
    struct sampler_source source;
    struct output csv;
    struct plot plot;
    struct values row;
    uint64_t start_ns;         /* clock_monotonic() */
    struct sample previous[2]; /* the last one, and the one before it */
    bool shows_status;
    bool running;
    bool stop;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stop_changed;
};

/*
 * Opens the files and writes the CSV header; `columns` are the columns that on_sample() appends.
 * `terminal_is_free` permits the status line: nothing else is written to the terminal. Returns
 * false and logs the reason on failure.
 */
bool sampler_open(struct sampler *s, const struct sampler_config *config,
                  const struct sampler_source *source, const struct values *columns,
                  bool terminal_is_free);

/* Returns false if there is nothing to write samples to, or if the sampler was not opened. */
static inline bool sampler_is_enabled(const struct sampler *s)
{
    return s->config && (s->shows_status || s->csv.fd >= 0 || s->plot.rows.fd >= 0);
}

/*
 * Starts the thread with the first interval, if the sampler is enabled. Signals must be blocked.
 * Returns false and logs the reason on failure.
 */
bool sampler_start_thread(struct sampler *s, uint64_t start_ns);

/* Stops the thread, after a last sample. on_sample() is not called again. */
void sampler_finish(struct sampler *s);

/* Returns the messages per second from the start to the last sample. */
double sampler_mean_rate(const struct sampler *s);

/* Draws the plot, if one is configured. Returns false and logs the reason on failure. */
bool sampler_plot(struct sampler *s, enum plot_kind kind, const char *title);

/* Closes the files, if the sampler was opened. Returns false if data could not be written. */
bool sampler_close(struct sampler *s);

#endif
