#ifndef SHNEK_METRICS_LABELLED_H
#define SHNEK_METRICS_LABELLED_H

#include <stddef.h>
#include <string.h>

#include "base/stats.h"

enum { LABELLED_MAX = 24 };

/*
 * Counters of one metric, by the value of a label. Values that are not in the list count as its
 * last one, "other", so that nothing in a message can create a time series.
 */
struct labelled {
    const char *const *values; /* at most LABELLED_MAX, NULL-terminated, the last is "other" */
    counter counts[LABELLED_MAX];
};

/* Returns the counter of a value. */
static inline counter *labelled_find(struct labelled *l, const char *value)
{
    size_t i = 0;
    while (l->values[i + 1] && (*l->values[i] != *value || strcmp(l->values[i], value) != 0))
        i++;
    return &l->counts[i];
}

#endif
