#include "relay/pipeline.h"

#include "base/clock.h"
#include "base/rate-limit.h"
#include "json/record.h"
#include "json/reject.h"

void stream_start(struct stream *s, struct relay *r, const char *name, const char *transport)
{
    s->name = s->peer = name;
    s->transport = transport;
    framer_init(&s->framer, r->config->framing, (size_t)r->config->max_size, r->config->truncate);
    if (r->config->multiline)
        framer_enable_multiline(&s->framer);
}

static __attribute__((noinline)) bool refuse(struct stream *s, struct relay *r,
                                             const struct frame *frame)
{
    counter_add(&r->stats.rejected, 1);
    log_rejected(&r->complaints, s->name, frame->number, &frame->defect);
    if (!r->config->rejects)
        return true;
    reject_write(&r->rejects.buffer, s->name, frame->number, &frame->defect, frame->message);
    return output_flush_full(&r->rejects);
}

static __attribute__((noinline)) void extend(const struct parser *p, const struct frame *frame,
                                             struct buffer *records)
{
    struct record_extras extras = {0};
    if (p->config->meta)
        extras.meta = (struct slice){p->meta.data, p->meta.len};
    if (p->config->raw)
        extras.raw = frame->message;
    record_append_extras(records, &extras);
}

static inline bool make_record(struct parser *p, struct frame *frame, struct buffer *records)
{
    if (!syslog_parse(&p->format, frame->message, &p->message, &frame->defect))
        return false;
    record_write(records, &p->message);
    if (p->config->meta || p->config->raw)
        extend(p, frame, records);
    return true;
}

static inline bool pass_on(struct stream *s, struct relay *r, struct frame *frame)
{
    if (!make_record(&r->parser, frame, &r->records.buffer))
        return refuse(s, r, frame);
    if (!output_flush_full(&r->records))
        return false;
    counter_add(&r->stats.out, 1);
    return true;
}

/* The way of one message: frame -> format -> record -> output. */
static inline enum stream_state take_frame(struct stream *s, struct relay *r, enum frame_kind kind,
                                           struct frame *frame)
{
    counter_add(&r->stats.in, 1);
    if (!(kind == FRAME_MESSAGE ? pass_on(s, r, frame) : refuse(s, r, frame)))
        return STREAM_STUCK;
    return kind == FRAME_BROKEN ? STREAM_BROKEN : STREAM_OPEN;
}

static inline enum stream_state collect_frame(struct relay *r, enum frame_kind kind,
                                              const struct frame *frame)
{
    counter_add(&r->stats.in, 1);
    if (!jobs_add(r->jobs, kind, frame))
        return STREAM_STUCK;
    return kind == FRAME_BROKEN ? STREAM_BROKEN : STREAM_OPEN;
}

static void tell_origin(struct parser *p, const struct batch_origin *from)
{
    p->format.time.now = (int64_t)(from->arrived / NS_PER_S);
    if (!p->config->meta)
        return;
    char now[TIMESTAMP_MAX];
    char *end = timestamp_write(&p->clock, from->arrived, now);
    p->meta.len = 0;
    record_format_meta(&p->meta, (struct slice){from->source, strlen(from->source)},
                       (struct slice){from->transport, strlen(from->transport)},
                       slice_between(now, end));
}

/* When a block came, and where from: once for all messages in it. */
static void note_arrival(struct stream *s, struct relay *r)
{
    struct batch_origin from = {s->peer, s->transport, 0};
    if (r->config->meta)
        from.arrived = clock_real();
    else if (r->config->format != FORMAT_RFC5424)
        from.arrived = clock_real() / NS_PER_S * NS_PER_S; /* only the year depends on it */
    if (r->jobs)
        jobs_origin(r->jobs, &from);
    else if (from.arrived)
        tell_origin(&r->parser, &from);
}

/* All frames in what was fed. Whether the parser is inlined is not left to its size here. */
static __attribute__((flatten)) enum stream_state take_block(struct stream *s, struct relay *r)
{
    enum stream_state state = STREAM_OPEN;
    enum frame_kind kind;
    struct frame frame;
    while (state == STREAM_OPEN && (kind = framer_next(&s->framer, &frame)) != FRAME_NONE)
        state = take_frame(s, r, kind, &frame);
    return state;
}

static enum stream_state collect_block(struct stream *s, struct relay *r)
{
    enum stream_state state = STREAM_OPEN;
    enum frame_kind kind;
    struct frame frame;
    while (state == STREAM_OPEN && (kind = framer_next(&s->framer, &frame)) != FRAME_NONE)
        state = collect_frame(r, kind, &frame);
    return state;
}

enum stream_state stream_take(struct stream *s, struct relay *r, struct slice block)
{
    counter_add(&r->stats.bytes, block.len);
    note_arrival(s, r);
    framer_feed(&s->framer, block);
    if (r->jobs)
        return collect_block(s, r);
    rate_limit_poll(&r->complaints);
    return take_block(s, r);
}

enum stream_state stream_take_datagram(struct stream *s, struct relay *r, struct slice bytes,
                                       size_t length)
{
    struct frame frame;
    counter_add(&r->stats.bytes, length);
    enum frame_kind kind = framer_datagram(&s->framer, bytes, length, &frame);
    if (kind == FRAME_NONE)
        return STREAM_OPEN;
    note_arrival(s, r);
    return take_frame(s, r, kind, &frame);
}

bool stream_holds(const struct stream *s)
{
    return framer_has_held(&s->framer);
}

enum stream_state stream_release(struct stream *s, struct relay *r)
{
    struct frame frame;
    enum frame_kind kind = framer_release(&s->framer, &frame);
    note_arrival(s, r);
    if (kind == FRAME_NONE)
        return STREAM_OPEN;
    return r->jobs ? collect_frame(r, kind, &frame) : take_frame(s, r, kind, &frame);
}

enum stream_state stream_end(struct stream *s, struct relay *r, bool whole)
{
    enum stream_state state = STREAM_OPEN;
    enum frame_kind kind;
    struct frame frame;
    note_arrival(s, r);
    while (state == STREAM_OPEN && (kind = framer_end(&s->framer, whole, &frame)) != FRAME_NONE)
        state = r->jobs ? collect_frame(r, kind, &frame) : take_frame(s, r, kind, &frame);
    framer_free(&s->framer);
    return state;
}

static __attribute__((noinline)) void refuse_in_batch(const struct relay_config *config,
                                                      struct batch *b, size_t i,
                                                      const struct frame *frame)
{
    struct batch_frame *f = &b->frames[i];
    if (!f->refused)
        b->defects[i] = frame->defect;
    f->refused = true;
    b->refused++;
    if (config->rejects)
        reject_write(&b->rejects, b->origin.source, f->number, &b->defects[i], frame->message);
}

static __attribute__((flatten)) void parse_batch(struct parser *p, struct batch *b)
{
    const char *at = b->bytes.data;
    if (b->origin.arrived)
        tell_origin(p, &b->origin);
    for (size_t i = 0; i < b->count; i++) {
        struct frame frame = {.message = {at, b->frames[i].length}};
        at += b->frames[i].length;
        if (b->frames[i].refused || !make_record(p, &frame, &b->records))
            refuse_in_batch(p->config, b, i, &frame);
    }
}

void stream_work(void *relay, struct jobs *jobs)
{
    const struct relay *r = relay;
    struct parser parser;
    struct batch *b;
    parser_start(&parser, r->config);
    while ((b = jobs_take(jobs))) {
        parse_batch(&parser, b);
        jobs_done(jobs, b);
    }
    parser_free(&parser);
}

/* Writes all of `made`, and leaves it the buffer that was empty. */
static bool write_made(struct output *out, struct buffer *made)
{
    struct buffer empty = out->buffer;
    out->buffer = *made;
    *made = empty;
    return output_flush(out);
}

bool stream_write(void *relay, struct batch *b)
{
    struct relay *r = relay;
    rate_limit_poll(&r->complaints);
    for (size_t i = 0; b->refused && i < b->count; i++)
        if (b->frames[i].refused)
            log_rejected(&r->complaints, b->origin.source, b->frames[i].number, &b->defects[i]);
    counter_add(&r->stats.rejected, b->refused);
    if (!write_made(&r->records, &b->records) || !write_made(&r->rejects, &b->rejects))
        return false;
    counter_add(&r->stats.out, b->count - b->refused);
    return true;
}
