#include "relay/sink.h"

#include <string.h>
#include <unistd.h>

bool sink_open(struct sink *s, const struct relay_config *config, struct stats *stats)
{
    s->stats = stats;
    s->log_limit = (struct rate_limit){.quiet = config->quiet};
    memset(s->hinted, 0, sizeof s->hinted);
    atomic_init(&s->failed, false);
    relay_metrics_init(&s->metrics, stats, &s->failed, config->metrics.given);
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

static uint64_t sink_hash(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 0x100000001b3;
    return hash;
}

/* The first message of a source that looks like RFC 3164 is logged with a hint. */
static void sink_log_rejected(struct sink *s, const struct batch *b, size_t i)
{
    const struct batch_frame *f = &b->frames[i];
    const char *hint = "";
    uint64_t hash = f == b->rfc3164 ? sink_hash(b->origin.name) : 0;
    uint64_t *known = &s->hinted[hash % SINK_SOURCES];
    if (f == b->rfc3164 && *known != hash)
        hint = " (this looks like RFC 3164; -f auto reads it)";
    if (log_rejected(&s->log_limit, b->origin.name, f->number, &b->defects[i], hint) && *hint)
        *known = hash;
}

void sink_report(struct sink *s, const struct batch *b)
{
    rate_limit_poll(&s->log_limit);
    counter_add(&s->stats->out, b->count - b->rejected - b->filtered);
    if (b->filtered)
        counter_add(&s->stats->filtered, b->filtered);
    if (b->rejected == 0)
        return;
    counter_add(&s->stats->rejected, b->rejected);
    for (size_t i = 0; i < b->count; i++) {
        if (!b->frames[i].rejected)
            continue;
        counter_add(labelled_find(&s->metrics.rejected, b->defects[i].field), 1);
        sink_log_rejected(s, b, i);
    }
}

/* Lends the records to the output, so that they are not copied. */
static bool sink_write_records(struct sink *s, struct buffer *bytes)
{
    struct output *out = &s->records;
    struct buffer own = out->buffer;
    out->buffer = *bytes;
    relay_metrics_begin_write(&s->metrics);
    bool written = output_flush(out);
    relay_metrics_end_write(&s->metrics);
    *bytes = out->buffer;
    out->buffer = own;
    return written;
}

void sink_write(struct sink *s, struct batch *b)
{
    if (!sink_write_records(s, &b->records))
        sink_fail(s);
    sink_write_rejects(s, &b->rejects);
}
