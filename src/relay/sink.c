#include "relay/sink.h"

#include <unistd.h>

bool sink_open(struct sink *s, const struct relay_config *config, struct stats *stats)
{
    s->stats = stats;
    s->log_limit = (struct rate_limit){.quiet = config->quiet};
    atomic_init(&s->failed, false);
    output_init(&s->records, STDOUT_FILENO, "stdout");
    return reject_file_open(&s->rejects, config->rejects);
}

static void sink_write_rejects(struct sink *s, struct buffer *lines)
{
    if (lines->len == 0)
        return;
    reject_file_append(&s->rejects, lines);
    reject_file_write(&s->rejects);
}

void sink_reopen(struct sink *s)
{
    reject_file_reopen(&s->rejects);
}

bool sink_close(struct sink *s)
{
    if (!output_close(&s->records))
        sink_fail(s);
    if (!reject_file_close(&s->rejects))
        sink_fail(s);
    rate_limit_flush(&s->log_limit);
    return !sink_failed(s);
}

void sink_fail(struct sink *s)
{
    atomic_store_explicit(&s->failed, true, memory_order_relaxed);
}

void sink_report(struct sink *s, const struct batch *b)
{
    rate_limit_poll(&s->log_limit);
    counter_add(&s->stats->out, b->count - b->rejected);
    if (b->rejected == 0)
        return;
    counter_add(&s->stats->rejected, b->rejected);
    for (size_t i = 0; i < b->count; i++)
        if (b->frames[i].rejected)
            log_rejected(&s->log_limit, b->origin.name, b->frames[i].number, &b->defects[i]);
}

/* Lends the bytes to the output, so that they are not copied. */
static bool sink_write_buffer(struct output *out, struct buffer *bytes)
{
    struct buffer own = out->buffer;
    out->buffer = *bytes;
    bool written = output_flush(out);
    *bytes = out->buffer;
    out->buffer = own;
    return written;
}

void sink_write(struct sink *s, struct batch *b)
{
    if (!sink_write_buffer(&s->records, &b->records))
        sink_fail(s);
    sink_write_rejects(s, &b->rejects);
}
