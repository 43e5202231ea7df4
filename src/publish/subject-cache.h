#ifndef SHNEK_PUBLISH_SUBJECT_CACHE_H
#define SHNEK_PUBLISH_SUBJECT_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "publish/line-template.h"

enum { SUBJECT_CACHE_SIZE = 256 /* subjects; a new one replaces another one */ };

/* Subjects that no stream had a short while ago. All zero is ready for use. */
struct subject_cache {
    struct subject_cache_entry {
        uint64_t until_ns; /* clock_monotonic; 0: empty */
        char subject[LINE_TEMPLATE_CAPACITY];
    } entries[SUBJECT_CACHE_SIZE];
};

/* Adds a subject of less than LINE_TEMPLATE_CAPACITY bytes for five seconds. */
void subject_cache_add(struct subject_cache *c, const char *subject, uint64_t now_ns);

bool subject_cache_has(const struct subject_cache *c, const char *subject, uint64_t now_ns);

#endif
