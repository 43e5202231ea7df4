#include "relay/sink.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum { REJECTS_KEPT = 1024 * 1024 }; /* bytes to be written once the file can be written again */

bool sink_open(struct sink *s, const struct relay_config *config, struct stats *stats)
{
    s->stats = stats;
    s->log_limit = (struct rate_limit){.quiet = config->quiet};
    s->rejects = (struct output){.fd = -1};
    s->rejects_failing = false;
    s->rejects_lost = 0;
    memset(s->hinted, 0, sizeof s->hinted);
    atomic_init(&s->failed, false);
    output_init(&s->records, STDOUT_FILENO, "stdout");
    return !config->rejects || output_open_append(&s->rejects, "--rejects", config->rejects);
}

/* Returns the number of lines. */
static uint64_t sink_count_lines(const struct buffer *lines)
{
    uint64_t count = 0;
    const char *end = lines->data + lines->len;
    for (const char *p = lines->data; p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++)
        count++;
    return count;
}

static void sink_flush_rejects(struct sink *s)
{
    if (output_try_flush(&s->rejects)) {
        if (s->rejects_failing)
            log_printf("%s: can be written again", s->rejects.name);
        s->rejects_failing = false;
        return;
    }
    if (!s->rejects_failing)
        log_printf("%s: %m; retrying every second", s->rejects.name);
    s->rejects_failing = true;
    s->rejects_retry_ns = clock_monotonic() + NS_PER_S;
}

/* A failure does not stop the relay: the messages are kept, up to a limit. */
static void sink_write_rejects(struct sink *s, struct buffer *lines)
{
    if (lines->len == 0)
        return;
    if (s->rejects.buffer.len < REJECTS_KEPT)
        buffer_append(&s->rejects.buffer, (struct slice){lines->data, lines->len});
    else
        s->rejects_lost += sink_count_lines(lines);
    lines->len = 0;
    if (!s->rejects_failing || clock_monotonic() >= s->rejects_retry_ns)
        sink_flush_rejects(s);
}

void sink_reopen(struct sink *s)
{
    if (s->rejects.fd >= 0 && output_reopen(&s->rejects))
        sink_flush_rejects(s);
}

/* Returns false if rejected messages were not written to --rejects. */
static bool sink_close_rejects(struct sink *s)
{
    sink_flush_rejects(s);
    s->rejects_lost += sink_count_lines(&s->rejects.buffer);
    s->rejects.buffer.len = 0;
    if (s->rejects_lost)
        log_printf("%s: %" PRIu64 " rejected message%s not written", s->rejects.name,
                   s->rejects_lost, s->rejects_lost == 1 ? "" : "s");
    return output_close(&s->rejects) && s->rejects_lost == 0;
}

bool sink_close(struct sink *s)
{
    if (!output_close(&s->records))
        sink_fail(s);
    if (s->rejects.fd >= 0 && !sink_close_rejects(s))
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
    counter_add(&s->stats->out, b->count - b->rejected);
    if (b->rejected == 0)
        return;
    counter_add(&s->stats->rejected, b->rejected);
    for (size_t i = 0; i < b->count; i++)
        if (b->frames[i].rejected)
            sink_log_rejected(s, b, i);
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
