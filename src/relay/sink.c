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
