#include "relay/pipeline.h"

#include "base/clock.h"

/* A batch that is parsed inline is small, so that its frames stay in the first-level cache. */
enum { INLINE_FRAMES = 64 };

bool pipeline_init(struct pipeline *p, const struct relay_config *config, struct sink *sink)
{
    p->config = config;
    p->sink = sink;
    p->workers = NULL;
    p->batch = NULL;
    p->origin = (struct batch_origin){0};
    if (!batch_parser_init(&p->parser, config))
        return false;
    batch_init(&p->inline_batch, INLINE_FRAMES);
    if (config->jobs == 1)
        p->batch = &p->inline_batch;
    else
        p->workers = workers_new((unsigned)config->jobs, config, sink);
    return p->batch || p->workers;
}

void pipeline_source_init(const struct pipeline *p, struct source *s, const char *name,
                          const char *transport, const struct peer *sender)
{
    static const struct peer unknown;
    s->sender = sender ? sender : &unknown;
    s->name = s->peer = name;
    s->transport = transport;
    s->messages = labelled_find(&p->sink->metrics.messages, transport);
    framer_init(&s->framer, p->config->framing, (size_t)p->config->max_size, p->config->truncate);
    if (p->config->multiline)
        framer_enable_multiline(&s->framer, p->config->format != FORMAT_RFC5424);
}

static void pipeline_parse_inline(struct pipeline *p)
{
    struct batch *b = p->batch;
    if (!sink_failed(p->sink)) {
        batch_parse(b, &p->parser);
        sink_report(p->sink, b);
        if (b->records.len >= OUTPUT_BLOCK || b->rejects.len >= OUTPUT_BLOCK)
            sink_write(p->sink, b);
    }
    batch_clear(b);
}

void pipeline_submit(struct pipeline *p)
{
    if (!p->batch || p->batch->count == 0)
        return;
    counter_add(&p->sink->stats->in, p->batch->count);
    counter_add(p->messages, p->batch->count);
    if (p->workers) {
        p->batch = NULL;
        workers_submit(p->workers);
    } else {
        pipeline_parse_inline(p);
    }
}

/* Ensures that there is a batch to fill. Returns false if the sink has failed. */
static bool pipeline_acquire(struct pipeline *p)
{
    if (sink_failed(p->sink))
        return false;
    if (!p->batch) {
        p->batch = workers_next_batch(p->workers);
        if (p->batch)
            p->batch->origin = p->origin;
    }
    return p->batch != NULL;
}

static __attribute__((noinline)) bool pipeline_next_batch(struct pipeline *p)
{
    pipeline_submit(p);
    return pipeline_acquire(p);
}

/* The clock is read once for all messages of a block. */
static uint64_t pipeline_received_ns(const struct pipeline *p)
{
    if (schema_needs_time(&p->config->schema) || p->config->rejects)
        return clock_real();
    if (p->config->format != FORMAT_RFC5424)
        return clock_real() / NS_PER_S * NS_PER_S; /* only the year is derived from it */
    return 0;
}

void pipeline_begin(struct pipeline *p, const struct source *s)
{
    struct batch_origin origin = {s->name, s->peer, s->transport, s->sender,
                                  pipeline_received_ns(p)};
    if (origin.name != p->origin.name || origin.received_ns != p->origin.received_ns)
        pipeline_submit(p);
    p->origin = origin;
    p->messages = s->messages;
    if (p->batch)
        p->batch->origin = origin;
}

/* Adds a frame to the batch: a copy for the workers, otherwise a reference. Returns false if the
 * sink has failed. */
static inline __attribute__((always_inline)) bool
pipeline_add(struct pipeline *p, bool copy, enum frame_kind kind, const struct frame *frame)
{
    if (!batch_has_space(p->batch, copy ? frame->message.len : 0) && !pipeline_next_batch(p))
        return false;
    if (copy)
        batch_add_copy(p->batch, kind, frame);
    else
        batch_add(p->batch, kind, frame);
    return true;
}

/* A frame that does not refer to `block` is in the framer's memory, which the framer may reuse, so
 * it is parsed before the next one. */
static inline __attribute__((always_inline)) bool pipeline_add_slow(struct pipeline *p, bool copy,
                                                                    struct slice block,
                                                                    enum frame_kind kind,
                                                                    const struct frame *frame)
{
    if (!pipeline_add(p, copy, kind, frame))
        return false;
    bool in_block = (uintptr_t)frame->message.data - (uintptr_t)block.data < block.len;
    return copy || in_block || pipeline_next_batch(p);
}

/* Adds all frames of the framer's block. Returns false if its framing is broken. */
static inline __attribute__((always_inline)) bool
pipeline_add_block(struct pipeline *p, bool copy, struct framer *framer, struct slice block)
{
    struct frame frame;
    for (;;) {
        while (framer_fast_line(framer, &frame))
            if (!pipeline_add(p, copy, FRAME_MESSAGE, &frame))
                return true;
        enum frame_kind kind = framer_next_slow(framer, &frame);
        if (kind == FRAME_NONE || !pipeline_add_slow(p, copy, block, kind, &frame))
            return true;
        if (kind == FRAME_BROKEN)
            return false;
    }
}

bool pipeline_feed(struct pipeline *p, struct source *s, struct slice block)
{
    counter_add(&p->sink->stats->bytes, block.len);
    pipeline_begin(p, s);
    if (!pipeline_acquire(p))
        return true;
    framer_feed(&s->framer, block);
    if (p->workers)
        return pipeline_add_block(p, true, &s->framer, block);
    bool intact = pipeline_add_block(p, false, &s->framer, block);
    pipeline_submit(p);
    return intact;
}

static void pipeline_add_single(struct pipeline *p, struct slice block, enum frame_kind kind,
                                const struct frame *frame)
{
    if (pipeline_acquire(p))
        pipeline_add_slow(p, p->workers != NULL, block, kind, frame);
}

void pipeline_add_datagram(struct pipeline *p, struct source *s, struct slice bytes, size_t len)
{
    struct frame frame;
    counter_add(&p->sink->stats->bytes, len);
    enum frame_kind kind = framer_datagram(&s->framer, bytes, len, &frame);
    if (kind != FRAME_NONE)
        pipeline_add_single(p, bytes, kind, &frame);
}

void pipeline_release(struct pipeline *p, struct source *s)
{
    enum frame_kind kind;
    struct frame frame;
    pipeline_begin(p, s);
    while ((kind = framer_release(&s->framer, &frame)) != FRAME_NONE)
        pipeline_add_single(p, (struct slice){0}, kind, &frame);
}

void pipeline_end(struct pipeline *p, struct source *s, bool complete)
{
    enum frame_kind kind;
    struct frame frame;
    pipeline_begin(p, s);
    while ((kind = framer_end(&s->framer, complete, &frame)) != FRAME_NONE)
        pipeline_add_single(p, (struct slice){0}, kind, &frame);
    framer_free(&s->framer);
}

static bool pipeline_pending(const struct pipeline *p)
{
    const struct batch *b = p->batch;
    return b && (b->count || b->records.len || b->rejects.len);
}

static void pipeline_flush(struct pipeline *p)
{
    pipeline_submit(p);
    if (!p->workers)
        sink_write(p->sink, p->batch);
}

int pipeline_timeout_ms(const struct pipeline *p)
{
    if (pipeline_pending(p))
        return 0;
    bool writing = p->workers && !workers_idle(p->workers);
    return writing || p->sink->log_limit.suppressed ? 1000 : -1;
}

void pipeline_on_idle(struct pipeline *p)
{
    if (pipeline_pending(p))
        pipeline_flush(p);
    else if (!p->workers || workers_idle(p->workers))
        rate_limit_flush(&p->sink->log_limit);
}

void pipeline_wait(struct pipeline *p)
{
    pipeline_submit(p);
    if (p->workers)
        workers_wait(p->workers);
}

void pipeline_free(struct pipeline *p)
{
    pipeline_flush(p);
    if (p->workers)
        workers_destroy(p->workers);
    batch_parser_free(&p->parser);
    batch_free(&p->inline_batch);
}
