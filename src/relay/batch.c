#include "relay/batch.h"

#include "base/clock.h"
#include "json/record.h"
#include "json/reject.h"

void batch_init(struct batch *b, size_t max_frames)
{
    b->count = b->rejected = 0;
    b->max_frames = max_frames;
    b->bytes = b->records = b->rejects = (struct buffer){0};
}

void batch_free(struct batch *b)
{
    buffer_free(&b->bytes);
    buffer_free(&b->records);
    buffer_free(&b->rejects);
}

/* Frames point into the copies, so only the first one may move them: later ones fit. */
void batch_add_copy(struct batch *b, enum frame_kind kind, const struct frame *frame)
{
    struct frame copy = *frame;
    if (b->count == 0)
        buffer_reserve(&b->bytes, BATCH_BYTES);
    buffer_append(&b->bytes, frame->message);
    copy.message.data = b->bytes.data + b->bytes.len - frame->message.len;
    batch_add(b, kind, &copy);
}

void batch_parser_init(struct batch_parser *p, const struct relay_config *config)
{
    *p = (struct batch_parser){
        .config = config,
        .syslog = {.format = config->format, .time = {.tz = config->tz}, .host = config->host},
        .clock = {.utc = true}};
}

void batch_parser_free(struct batch_parser *p)
{
    syslog_message_free(&p->message);
    buffer_free(&p->meta);
}

static void batch_parser_set_origin(struct batch_parser *p, const struct batch_origin *origin)
{
    p->syslog.time.now = (int64_t)(origin->received_ns / NS_PER_S);
    if (!p->config->meta)
        return;
    char text[TIMESTAMP_MAX];
    const char *end = timestamp_write(&p->clock, origin->received_ns, text);
    p->meta.len = 0;
    record_format_meta(&p->meta, (struct slice){origin->peer, strlen(origin->peer)},
                       (struct slice){origin->transport, strlen(origin->transport)},
                       slice_between(text, end));
}

static __attribute__((noinline)) void
batch_append_extras(struct batch *b, const struct batch_parser *p, struct slice message)
{
    struct record_extras extras = {0};
    if (p->config->meta)
        extras.meta = (struct slice){p->meta.data, p->meta.len};
    if (p->config->raw)
        extras.raw = message;
    record_append_extras(&b->records, &extras);
}

static __attribute__((noinline)) void batch_reject(struct batch *b, const struct batch_parser *p,
                                                   size_t i)
{
    struct batch_frame *f = &b->frames[i];
    f->rejected = true;
    b->rejected++;
    if (p->config->rejects)
        reject_write(&b->rejects, b->origin.name, f->number, &b->defects[i],
                     (struct slice){f->data, f->len});
}

/* "flatten", because the size of the inlined parser must not decide whether it is inlined. */
__attribute__((flatten)) void batch_parse(struct batch *b, struct batch_parser *p)
{
    bool extras = p->config->meta || p->config->raw;
    if (b->origin.received_ns)
        batch_parser_set_origin(p, &b->origin);
    for (size_t i = 0; i < b->count; i++) {
        const struct batch_frame *f = &b->frames[i];
        struct slice message = {f->data, f->len};
        if (f->rejected || !syslog_parse(&p->syslog, message, &p->message, &b->defects[i])) {
            batch_reject(b, p, i);
            continue;
        }
        record_write(&b->records, &p->message);
        if (extras)
            batch_append_extras(b, p, message);
    }
}
