#ifndef SHNEK_METRICS_TEXT_FILE_H
#define SHNEK_METRICS_TEXT_FILE_H

#include <pthread.h>
#include <stdbool.h>

#include "metrics/provider.h"

/* A file that a thread replaces every 15 s, for the textfile collector of node_exporter. */
struct text_file {
    const struct metrics_provider *provider;
    const char *path;
    char *temporary; /* path of the next file, in the same directory */
    struct buffer text;
    bool failing; /* which was logged */
    bool ending;
    pthread_t thread;
    pthread_mutex_t lock;   /* guards `ending` */
    pthread_cond_t changed; /* with CLOCK_MONOTONIC */
};

/* Writes the file for the first time and starts the thread. The arguments are borrowed. Returns
 * false and logs the reason on failure. */
bool text_file_open(struct text_file *f, const char *path, const struct metrics_provider *provider);

/* Replaces the file with one that contains the current metrics: a reader sees either of them, never
 * a part. Returns false on failure; the first one in a row is logged. */
bool text_file_write(struct text_file *f);

/* Ends the thread and writes the file for the last time. */
void text_file_close(struct text_file *f);

#endif
