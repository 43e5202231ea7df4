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

struct series_config {
    uint64_t interval; /* nanoseconds */
    const char *csv;   /* a file for the rows, "-" is stdout; or NULL */
    const char *plot;  /* a file for a drawing of them, or NULL */
    bool live;         /* a line on the terminal, where stderr is one */
};

struct interval {
    uint64_t end;      /* nanoseconds since the start */
    uint64_t messages; /* since the start */
    double rate;       /* messages a second */
};

/*
 * The source of the samples. look() reports an interval that has ended: it appends the values that
 * follow the rate to `row` and completes the status line.
 */
struct watched {
    const char *count_name; /* column of the message count */
    counter *messages;
    void (*look)(void *of, const struct interval *i, struct values *row, struct live *live);
    void *of;
};

/*
 * What a run does, interval by interval: rows of CSV, a line on the terminal, a plot. A thread
 * looks at the counters, so that this goes on where the rest is blocked in a write.
 */
struct series {
    const struct series_config *config;
    struct watched watched;
    struct output csv;
    struct plot plot;
    struct values row;
    uint64_t started;          /* clock_monotonic */
    struct interval before[2]; /* the last one, and the one before it */
    bool live;
    bool running;
    bool ending;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t end;
};

/*
 * Opens the files and writes the CSV header; `columns` are the columns that look() appends. `live`
 * permits the status line: nothing else is written to the terminal.
 */
bool series_open(struct series *s, const struct series_config *config, const struct watched *w,
                 const struct values *columns, bool live);

/* Whether anybody wants to know; nobody does where it was not opened. */
static inline bool series_wanted(const struct series *s)
{
    return s->config && (s->live || s->csv.fd >= 0 || s->plot.rows.fd >= 0);
}

/* Begins with the first interval, where it is wanted. Signals are to be blocked before. */
bool series_start(struct series *s, uint64_t started);

/* Ends the last interval; only then is nobody looking any more. */
void series_end(struct series *s);

/* Of all the time, messages a second. */
double series_rate(const struct series *s);

/* Draws what is wanted of it. False, and a report, where that fails. */
bool series_draw(struct series *s, enum plot_kind kind, const char *title);

/* Closes the files, where it was opened. False where any of them was not written. */
bool series_close(struct series *s);

#endif
