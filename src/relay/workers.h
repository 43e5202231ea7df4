#ifndef SHNEK_RELAY_WORKERS_H
#define SHNEK_RELAY_WORKERS_H

#include <stdbool.h>

#include "relay/batch.h"
#include "relay/config.h"
#include "relay/sink.h"

enum { WORKERS_MAX = 64 };

/*
 * Threads that parse batches in parallel while the caller fills the next one. Batches are written
 * in the order of submission, by the thread that finishes the oldest one. There are two batches per
 * thread and two more; if all are in use because writing is slow, the caller waits. All functions
 * are for the one thread that fills batches.
 */
struct workers;

/* Starts the threads; call it after signals_open(). Returns NULL and logs the reason on failure. */
struct workers *workers_new(unsigned threads, const struct relay_config *config, struct sink *sink);

/* Waits for the submitted batches and ends the threads. */
void workers_destroy(struct workers *w);

/* Returns the next batch to fill, waiting until one is free; NULL if the sink has failed. */
struct batch *workers_next_batch(struct workers *w);

/* Submits the batch that workers_next_batch() returned last. */
void workers_submit(struct workers *w);

/* Waits until every submitted batch is written or the sink has failed. */
void workers_wait(struct workers *w);

/* Returns whether every submitted batch is written. */
bool workers_idle(struct workers *w);

#endif
