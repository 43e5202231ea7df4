#ifndef SHNEK_PUBLISH_BATCHER_H
#define SHNEK_PUBLISH_BATCHER_H

#include "publish/transport.h"

struct batch_config {
    uint64_t size;    /* bytes; 0: each record is a message */
    uint64_t wait_ns; /* from the first record of a batch until it is sent */
};

enum { BATCHER_MAX = 256 /* open batches */ };

/* A batch that is not yet sent. */
struct open_batch {
    struct span span;
    struct buffer key;
    struct buffer text; /* the records if the span is not whole */
    uint64_t hash;      /* of the key */
    uint64_t opened_ns; /* clock_monotonic */
    uint32_t target;    /* records of the same batch in an earlier process; 0: not sent before */
    struct open_batch *newer;
    struct open_batch *older;
    struct open_batch *next; /* in its bucket, or the next free one */
};

/* A record of a batch that the transport refused as a whole. `limit` is in bytes. */
typedef void batcher_reject(void *argument, const struct span *record, struct slice text,
                            size_t limit);

/*
 * Collects consecutive lines with the same key to batches of NDJSON, and sends those that are
 * complete. Records of a key keep their order.
 *
 * With a spool and identifiers, lines of an earlier process (those before `recovered`) are sent in
 * the same batches as before, so that a stream recognizes them.
 */
struct batcher {
    const struct batch_config *config;
    struct window *window;
    struct publish_transport *transport;
    struct span_reader reader;
    batcher_reject *reject;
    void *reject_argument;
    uint64_t recovered; /* offset */
    bool active;        /* lines go to batcher_add(); otherwise each one is a message */

    struct open_batch *batches; /* BATCHER_MAX */
    struct open_batch *unused;
    struct open_batch *oldest;
    struct open_batch *newest;
    struct open_batch *buckets[BATCHER_MAX];
    struct open_batch *last; /* the one of the last line; NULL: none */
    bool adding;             /* the line at `position` is in no batch */
    struct window_mark position;
};

/* All arguments are borrowed. Returns false and logs the reason if there is no memory. */
bool batcher_init(struct batcher *b, const struct batch_config *config, struct window *w,
                  struct publish_transport *t, uint64_t recovered);

void batcher_free(struct batcher *b);

/* Forgets all open batches. */
void batcher_clear(struct batcher *b);

/*
 * Adds the line that window_next_line() returned last; up to two messages are sent. Returns
 * TRANSPORT_TOO_LONG if the line is to be rejected, and TRANSPORT_DISCONNECTED if the connection
 * is lost.
 */
enum transport_result batcher_add(struct batcher *b, struct slice key,
                                  const struct window_line *line);

/* Returns whether the oldest batch is to be sent: `now` in ns, or because nothing can be added. */
bool batcher_is_due(const struct batcher *b, uint64_t now_ns, bool is_last);

enum transport_result batcher_send_oldest(struct batcher *b);

/* Returns the milliseconds until a batch is due, -1 if there is none. */
int batcher_timeout_ms(const struct batcher *b);

/* Returns the end of the lines that were sent, or will not be. */
static inline const struct window_mark *batcher_sent(const struct batcher *b)
{
    return b->oldest ? &b->oldest->span.start : &b->window->next;
}

#endif
