#include "publish/batcher.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

enum { BUFFER_KEPT = 64 * 1024 /* bytes of a buffer that is not in use */ };

static void batcher_put_unused(struct batcher *b, struct open_batch *batch)
{
    batch->next = b->unused;
    b->unused = batch;
}

bool batcher_init(struct batcher *b, const struct batch_config *config, struct window *w,
                  struct publish_transport *t, uint64_t recovered)
{
    *b = (struct batcher){.config = config,
                          .window = w,
                          .transport = t,
                          .reader = {.window = w},
                          .recovered = recovered,
                          .active = config->size || w->next.offset < recovered};
    b->batches = calloc(BATCHER_MAX, sizeof *b->batches);
    if (!b->batches) {
        log_printf("out of memory");
        return false;
    }
    for (size_t i = BATCHER_MAX; i; i--)
        batcher_put_unused(b, &b->batches[i - 1]);
    return true;
}

void batcher_free(struct batcher *b)
{
    for (size_t i = 0; b->batches && i < BATCHER_MAX; i++) {
        buffer_free(&b->batches[i].key);
        buffer_free(&b->batches[i].text);
    }
    free(b->batches);
    span_reader_free(&b->reader);
}

/* Open batches */

/* FNV-1a */
static uint64_t batcher_hash(struct slice key)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ (unsigned char)key.data[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static bool open_batch_has_key(const struct open_batch *batch, struct slice key)
{
    return slice_equal((struct slice){batch->key.data, batch->key.len}, key);
}

static struct open_batch *batcher_find(struct batcher *b, struct slice key, uint64_t *hash)
{
    if (b->last && open_batch_has_key(b->last, key)) {
        *hash = b->last->hash;
        return b->last;
    }
    *hash = batcher_hash(key);
    struct open_batch *batch = b->buckets[*hash % BATCHER_MAX];
    while (batch && (batch->hash != *hash || !open_batch_has_key(batch, key)))
        batch = batch->next;
    return batch;
}

/* The caller knows that one is unused. */
static struct open_batch *batcher_open(struct batcher *b, struct slice key, uint64_t hash)
{
    struct open_batch *batch = b->unused;
    struct open_batch **bucket = &b->buckets[hash % BATCHER_MAX];
    b->unused = batch->next;
    batch->hash = hash;
    batch->key.len = batch->text.len = 0;
    buffer_append(&batch->key, key);
    batch->opened_ns = clock_monotonic();
    batch->older = b->newest;
    batch->newer = NULL;
    if (b->newest)
        b->newest->newer = batch;
    else
        b->oldest = batch;
    b->newest = batch;
    batch->next = *bucket;
    *bucket = batch;
    return batch;
}

static void batcher_close(struct batcher *b, struct open_batch *batch)
{
    struct open_batch **place = &b->buckets[batch->hash % BATCHER_MAX];
    while (*place != batch)
        place = &(*place)->next;
    *place = batch->next;
    *(batch->older ? &batch->older->newer : &b->oldest) = batch->newer;
    *(batch->newer ? &batch->newer->older : &b->newest) = batch->older;
    if (b->last == batch)
        b->last = NULL;
    if (batch->text.capacity > BUFFER_KEPT)
        buffer_free(&batch->text);
    batcher_put_unused(b, batch);
}

void batcher_clear(struct batcher *b)
{
    while (b->oldest)
        batcher_close(b, b->oldest);
}

static struct slice open_batch_text(struct batcher *b, struct open_batch *batch)
{
    if (batch->span.is_whole)
        return span_read(&b->reader, &batch->span);
    return (struct slice){batch->text.data, batch->text.len};
}

/* Only records that are not one piece of the ring are copied. */
static void open_batch_extend(struct batcher *b, struct open_batch *batch,
                              const struct window_line *line)
{
    bool was_whole = batch->span.is_whole;
    size_t length = batch->span.length;
    span_extend(&batch->span, b->window, line);
    if (batch->span.is_whole)
        return;
    if (was_whole)
        buffer_append(
            &batch->text,
            (struct slice){ring_byte(&b->window->ring, batch->span.start.offset), length});
    buffer_append(&batch->text, (struct slice){"\n", 1});
    buffer_append(&batch->text, line->text);
}

/* Sending */

static enum transport_result batcher_send(struct batcher *b, struct span *span, struct slice text)
{
    const struct window_mark *sent = batcher_sent(b);
    struct transport_message m = {.text = text,
                                  .span = span,
                                  .settled = b->adding && !b->oldest ? &b->position : sent,
                                  .is_batch = b->config->size || span->count > 1};
    return b->transport->ops->send(b->transport, &m);
}

/* The server has reduced its max_payload while the batch was collected. */
static enum transport_result batcher_send_singly(struct batcher *b, struct span span)
{
    while (span.count) {
        struct span record = span_take(&b->reader, &span, 1);
        struct slice text = span_read(&b->reader, &record);
        enum transport_result result = batcher_send(b, &record, text);
        if (result == TRANSPORT_TOO_LONG)
            b->reject(b->reject_argument, &record, text, b->transport->line_max);
        else if (result != TRANSPORT_SENT)
            return result;
    }
    return TRANSPORT_SENT;
}

/* The batch is no longer open, also after a failure. */
static enum transport_result batcher_send_batch(struct batcher *b, struct open_batch *batch)
{
    struct span span = batch->span;
    struct buffer text = batch->text;
    struct slice records = open_batch_text(b, batch);
    batch->text = (struct buffer){0};
    batcher_close(b, batch);
    enum transport_result result = batcher_send(b, &span, records);
    if (text.capacity <= BUFFER_KEPT)
        batch->text = text;
    else
        buffer_free(&text);
    return result == TRANSPORT_TOO_LONG ? batcher_send_singly(b, span) : result;
}

enum transport_result batcher_send_oldest(struct batcher *b)
{
    return batcher_send_batch(b, b->oldest);
}

static size_t batcher_size(const struct batcher *b)
{
    size_t max = b->transport->batch_max;
    return b->config->size < max ? (size_t)b->config->size : max;
}

/* Returns whether the line is a message of its own. Sets *target if it was the first record of a
 * batch before. */
static bool batcher_is_single(const struct batcher *b, const struct open_batch *batch,
                              const struct window_line *line, uint32_t *target)
{
    if (line->offset >= b->recovered)
        return line->text.len > batcher_size(b);
    if (!batch)
        *target = window_find_batch(b->window, line->offset);
    return !batch && *target < 2;
}

static bool open_batch_is_full(const struct batcher *b, const struct open_batch *batch,
                               const struct window_line *line)
{
    return line->offset >= b->recovered &&
           (batch->target || batch->span.length + 1 + line->text.len > batcher_size(b));
}

/* The first result that is not TRANSPORT_SENT. */
static enum transport_result earlier_result(enum transport_result a, enum transport_result b)
{
    return a == TRANSPORT_SENT ? b : a;
}

/* The line is kept also if the connection is lost meanwhile. */
static enum transport_result batcher_add_line(struct batcher *b, struct slice key,
                                              const struct window_line *line)
{
    uint64_t hash;
    uint32_t target = 0;
    enum transport_result result = TRANSPORT_SENT;
    struct span span = span_of_line(b->window, line);
    struct open_batch *batch = batcher_find(b, key, &hash);
    bool is_single = batcher_is_single(b, batch, line, &target);
    b->adding = true;
    b->position = span.start;
    if (batch && (is_single || open_batch_is_full(b, batch, line))) {
        result = batcher_send_batch(b, batch);
        batch = NULL;
    }
    if (!batch && !is_single && !b->unused)
        result = earlier_result(result, batcher_send_oldest(b));
    b->adding = false;
    if (is_single) {
        enum transport_result sent = batcher_send(b, &span, line->text);
        return sent == TRANSPORT_SENT ? result : sent;
    }
    if (batch) {
        open_batch_extend(b, batch, line);
    } else {
        batch = batcher_open(b, key, hash);
        batch->span = span;
        batch->target = target;
    }
    b->last = batch;
    if (batch->target && batch->span.count == batch->target)
        result = earlier_result(result, batcher_send_batch(b, batch));
    return result;
}

/* Most lines belong to the batch of the line before, and fit. */
static bool batcher_extend_last(struct batcher *b, struct slice key, const struct window_line *line)
{
    struct open_batch *last = b->last;
    bool extends = last && line->offset >= b->recovered && open_batch_has_key(last, key) &&
                   !open_batch_is_full(b, last, line);
    if (extends)
        open_batch_extend(b, last, line);
    return extends;
}

enum transport_result batcher_add(struct batcher *b, struct slice key,
                                  const struct window_line *line)
{
    if (batcher_extend_last(b, key, line))
        return TRANSPORT_SENT;
    enum transport_result result = batcher_add_line(b, key, line);
    b->active = b->config->size || b->window->next.offset < b->recovered || b->oldest;
    return result;
}

/* Time */

static uint64_t batcher_due_ns(const struct batcher *b)
{
    return b->oldest->opened_ns + b->config->wait_ns;
}

bool batcher_is_due(const struct batcher *b, uint64_t now_ns, bool is_last)
{
    if (!b->oldest || b->window->next.offset < b->recovered)
        return false;
    return is_last || now_ns >= batcher_due_ns(b);
}

int batcher_timeout_ms(const struct batcher *b)
{
    if (!b->oldest)
        return -1;
    uint64_t now_ns = clock_monotonic();
    uint64_t due_ns = batcher_due_ns(b);
    return now_ns >= due_ns ? 0 : (int)((due_ns - now_ns + 999999) / 1000000);
}
