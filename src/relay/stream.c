#include "relay/stream.h"

#include "base/clock.h"
#include "json/record.h"
#include "json/reject.h"

void stream_start(struct stream *s, struct relay *r, const char *name, const char *transport)
{
    s->name = s->peer = name;
    s->transport = transport;
    framer_start(&s->framer, r->config->framing, (size_t)r->config->max_size, r->config->truncate);
    if (r->config->multiline)
        framer_join_lines(&s->framer);
}

static __attribute__((noinline)) bool refuse(struct stream *s, struct relay *r,
                                             const struct frame *frame)
{
    count(&r->stats.rejected, 1);
    complain(&r->complaints, s->name, frame->number, &frame->defect);
    if (!r->config->rejects)
        return true;
    reject_write(&r->rejects.buffer, s->name, frame->number, &frame->defect, frame->message);
    return output_flush_full(&r->rejects);
}

static inline bool make_record(struct parser *p, struct frame *frame, struct buffer *records)
{
    if (!format_parse(&p->format, frame->message, &p->message, &frame->defect))
        return false;
    struct record_extras extras = {0};
    if (p->config->meta)
        extras.meta = (struct slice){p->meta.at, p->meta.len};
    if (p->config->raw)
        extras.raw = frame->message;
    record_write(records, &p->message, &extras);
    return true;
}

static inline bool pass_on(struct stream *s, struct relay *r, struct frame *frame)
{
    if (!make_record(&r->parser, frame, &r->records.buffer))
        return refuse(s, r, frame);
    if (!output_flush_full(&r->records))
        return false;
    count(&r->stats.out, 1);
    return true;
}

/* The way of one message: frame -> format -> record -> output. */
static inline enum stream_state take_frame(struct stream *s, struct relay *r, enum frame_kind kind,
                                           struct frame *frame)
{
    count(&r->stats.in, 1);
    if (!(kind == FRAME_MESSAGE ? pass_on(s, r, frame) : refuse(s, r, frame)))
        return STREAM_STUCK;
    return kind == FRAME_BROKEN ? STREAM_BROKEN : STREAM_OPEN;
}

/* When a block came, and where from: once for all messages in it. */
static void note_arrival(struct stream *s, struct relay *r)
{
    if (!r->config->meta && r->config->format == FORMAT_RFC5424)
        return;
    uint64_t time = clock_real();
    r->parser.format.reckoning.now = (int64_t)(time / NS_PER_S);
    if (!r->config->meta)
        return;
    char now[TIMESTAMP_MAX];
    char *end = timestamp_write(&r->parser.clock, time, now);
    r->parser.meta.len = 0;
    record_meta(&r->parser.meta, (struct slice){s->peer, strlen(s->peer)},
                (struct slice){s->transport, strlen(s->transport)}, slice_between(now, end));
}

enum stream_state stream_take(struct stream *s, struct relay *r, struct slice block)
{
    enum stream_state state = STREAM_OPEN;
    enum frame_kind kind;
    struct frame frame;
    count(&r->stats.bytes, block.len);
    complaints_tick(&r->complaints);
    note_arrival(s, r);
    framer_feed(&s->framer, block);
    while (state == STREAM_OPEN && (kind = framer_next(&s->framer, &frame)) != FRAME_NONE)
        state = take_frame(s, r, kind, &frame);
    return state;
}

enum stream_state stream_take_datagram(struct stream *s, struct relay *r, struct slice bytes,
                                       size_t length)
{
    struct frame frame;
    count(&r->stats.bytes, length);
    enum frame_kind kind = framer_datagram(&s->framer, bytes, length, &frame);
    if (kind == FRAME_NONE)
        return STREAM_OPEN;
    note_arrival(s, r);
    return take_frame(s, r, kind, &frame);
}

bool stream_holds(const struct stream *s)
{
    return framer_holds(&s->framer);
}

enum stream_state stream_release(struct stream *s, struct relay *r)
{
    struct frame frame;
    enum frame_kind kind = framer_release(&s->framer, &frame);
    note_arrival(s, r);
    return kind == FRAME_NONE ? STREAM_OPEN : take_frame(s, r, kind, &frame);
}

enum stream_state stream_end(struct stream *s, struct relay *r, bool whole)
{
    enum stream_state state = STREAM_OPEN;
    enum frame_kind kind;
    struct frame frame;
    note_arrival(s, r);
    while (state == STREAM_OPEN && (kind = framer_end(&s->framer, whole, &frame)) != FRAME_NONE)
        state = take_frame(s, r, kind, &frame);
    framer_free(&s->framer);
    return state;
}
