#ifndef SHNEK_METRICS_METRICS_H
#define SHNEK_METRICS_METRICS_H

#include <stdbool.h>

#include "base/address.h"
#include "metrics/http-server.h"
#include "metrics/provider.h"
#include "metrics/text-file.h"

/* The value of --metrics. */
struct metrics_target {
    bool given;
    const char *path; /* of a file, or NULL for `address` */
    struct address address;
};

/* Parses FILE.prom or HOST:PORT. HOST defaults to 127.0.0.1, and "*" is every IPv4 address; port 0
 * is a free one. Returns false and logs the reason if `text` is neither. */
bool metrics_target_parse(struct metrics_target *t, const char *text);

struct metrics {
    struct metrics_provider provider;
    struct http_server *server; /* or NULL */
    struct text_file file;      /* if has_file */
    bool has_file;
};

/* Publishes the metrics of a provider from another thread until metrics_close(); does nothing if
 * no target was given. Returns false and logs the reason on failure. */
bool metrics_open(struct metrics *m, const struct metrics_target *t,
                  const struct metrics_provider *provider);

void metrics_close(struct metrics *m);

#endif
