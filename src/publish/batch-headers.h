#ifndef SHNEK_PUBLISH_BATCH_HEADERS_H
#define SHNEK_PUBLISH_BATCH_HEADERS_H

#include <inttypes.h>
#include <stdio.h>

#include "publish/nats-conn.h"

enum { BATCH_HEADERS = 2 };

/* The headers of a batch of NDJSON. */
struct batch_headers {
    struct nats_conn_header list[BATCH_HEADERS];
    char count[16];
};

static inline void batch_headers_set(struct batch_headers *h, uint32_t record_count)
{
    snprintf(h->count, sizeof h->count, "%" PRIu32, record_count);
    h->list[0] = (struct nats_conn_header){"Content-Type", "application/x-ndjson"};
    h->list[1] = (struct nats_conn_header){"Shnek-Records", h->count};
}

#endif
