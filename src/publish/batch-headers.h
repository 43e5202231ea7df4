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
    *h = (struct batch_headers){
        .list = {{"Content-Type", "application/x-ndjson"}, {"Shnek-Records", h->count}}};
    snprintf(h->count, sizeof h->count, "%" PRIu32, record_count);
}

#endif
