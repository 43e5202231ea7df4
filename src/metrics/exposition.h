#ifndef SHNEK_METRICS_EXPOSITION_H
#define SHNEK_METRICS_EXPOSITION_H

#include <stdint.h>

#include "base/buffer.h"
#include "metrics/duration-histogram.h"
#include "metrics/labelled.h"

/*
 * Metrics in the text format of Prometheus, version 0.0.4. Each function appends a whole metric
 * with its HELP and TYPE. `help` is a sentence without a backslash or an LF.
 */

void exposition_counter(struct buffer *to, const char *name, const char *help, uint64_t value);
void exposition_counter_seconds(struct buffer *to, const char *name, const char *help,
                                uint64_t value_ns);
void exposition_gauge(struct buffer *to, const char *name, const char *help, uint64_t value);
void exposition_gauge_seconds(struct buffer *to, const char *name, const char *help,
                              uint64_t value_ns);

/* A counter for each value of a label; "other" only if it is not zero. */
void exposition_labelled(struct buffer *to, const char *name, const char *help, const char *label,
                         struct labelled *l);

void exposition_histogram(struct buffer *to, const char *name, const char *help,
                          struct duration_histogram *h);

/* shnek_build_info, with the name and the version of the program. */
void exposition_build_info(struct buffer *to);

#endif
