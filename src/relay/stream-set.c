#include "relay/stream-set.h"

#include <stdlib.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "base/log.h"

void stream_set_init(struct stream_set *set, const struct relay_config *config,
                     struct pipeline *pipeline, struct access *access)
{
    set->context.config = config;
    set->context.pipeline = pipeline;
    set->context.access = access;
    timer_queue_init(&set->handshakes, config->handshake_timeout_ns);
    timer_queue_init(&set->first, config->first_message_timeout_ns);
    timer_queue_init(&set->idle, config->idle_timeout_ns);
    timer_queue_init(&set->unfinished, 0);
    timer_queue_init(&set->releases, PIPELINE_HOLD_MS * (NS_PER_S / 1000));
}

static void stream_set_change_count(struct stream_set *set, int change)
{
    set->count += (uint64_t)change;
    counter_set(&set->context.access->metrics->connections, set->count);
}

/* Notes the memory of an unfinished message, and that its peer is not idle. */
static void stream_set_memory(struct stream_set *set, struct source_stream *stream, size_t bytes)
{
    set->memory = set->memory - stream->memory + bytes;
    stream->memory = bytes;
    if (bytes)
        timer_arm(&set->unfinished, &stream->unfinished, 0);
    else
        timer_disarm(&stream->unfinished);
}

static void stream_set_close(struct stream_set *set, struct source_stream *stream, bool complete)
{
    set->by_fd[stream->io.fd] = NULL;
    set->unread -= stream->input.quota != 0;
    stream_set_change_count(set, -1);
    set->closed++;
    stream_set_memory(set, stream, 0);
    source_stream_destroy(stream, &set->context, complete);
}

void stream_set_free(struct stream_set *set)
{
    for (size_t fd = 0; fd < set->fd_capacity; fd++)
        if (set->by_fd[fd])
            stream_set_close(set, set->by_fd[fd], false);
    free(set->by_fd);
}

/* Returns the queue of the timeout for a connection that is ready for messages, or NULL. */
static struct timer_queue *stream_set_idle_queue(struct stream_set *set,
                                                 const struct source_stream *stream)
{
    bool first = !stream->completed && set->first.duration_ns &&
                 (!set->idle.duration_ns || set->first.duration_ns < set->idle.duration_ns);
    if (first)
        return &set->first;
    return set->idle.duration_ns ? &set->idle : NULL;
}

/* The timeout of a handshake covers all its reads; the others restart with each read. */
static void stream_set_arm(struct stream_set *set, struct source_stream *stream)
{
    struct timer_queue *idle = stream_set_idle_queue(set, stream);
    if (stream->phase != STREAM_MESSAGES && !stream->timeout.next)
        timer_arm(&set->handshakes, &stream->timeout, clock_monotonic());
    else if (stream->phase == STREAM_MESSAGES && idle)
        timer_arm(idle, &stream->timeout, clock_monotonic());
    else if (stream->phase == STREAM_MESSAGES)
        timer_disarm(&stream->timeout);
    if (framer_has_held(&stream->source.framer))
        timer_arm(&set->releases, &stream->release, clock_monotonic());
    else
        timer_disarm(&stream->release);
}

void stream_set_add(struct stream_set *set, struct source_stream *stream)
{
    size_t fd = (size_t)stream->io.fd;
    while (set->fd_capacity <= fd) {
        size_t before = set->fd_capacity;
        set->by_fd = array_grow(set->by_fd, &set->fd_capacity, before, sizeof *set->by_fd);
        memset(set->by_fd + before, 0, (set->fd_capacity - before) * sizeof *set->by_fd);
    }
    set->by_fd[fd] = stream;
    stream_set_change_count(set, 1);
    stream_set_arm(set, stream);
}

void stream_set_read(struct stream_set *set, struct source_stream *stream)
{
    bool unread = stream->input.quota != 0;
    enum stream_state state = source_stream_read(stream, &set->context);
    set->unread -= unread && stream->input.quota == 0;
    if (state == STREAM_OPEN) {
        stream_set_memory(set, stream, source_stream_memory(stream));
        stream_set_arm(set, stream);
    } else {
        stream_set_close(set, stream, state == STREAM_ENDED);
    }
}

void stream_set_limit(struct stream_set *set)
{
    for (size_t fd = 0; fd < set->fd_capacity; fd++) {
        struct source_stream *stream = set->by_fd[fd];
        if (!stream || stream->input.limited)
            continue;
        input_limit(&stream->input);
        set->unread += stream->input.quota != 0;
        if (input_drained(&stream->input, source_stream_mid_message(stream)))
            stream_set_close(set, stream, true);
    }
}

/* Returns whether data has arrived, so that it is we who are late and not the peer. */
static bool stream_set_has_unread(const struct source_stream *stream)
{
    int arrived = 0;
    return ioctl(stream->io.fd, FIONREAD, &arrived) == 0 && arrived > 0;
}

static void stream_set_time_out(struct stream_set *set, struct source_stream *stream)
{
    struct access *access = set->context.access;
    if (stream->phase == STREAM_PROXY_HEADER)
        access_refuse(access, stream->name, REFUSED_TIMEOUT,
                      "PROXY header timed out (--handshake-timeout)");
    else if (stream->phase == STREAM_HANDSHAKE)
        access_refuse(access, stream->name, REFUSED_TIMEOUT,
                      "TLS: handshake timed out (--handshake-timeout)");
    else if (rate_limit_allow(&access->log_limit))
        log_warning("%s: closed, %s", stream->name,
                    stream_set_idle_queue(set, stream) == &set->first
                        ? "no message for too long (--first-message-timeout)"
                        : "idle for too long (--idle-timeout)");
    stream_set_close(set, stream, false);
}

/* Closes the streams that have timed out, unless a read shows that they have not. */
static void stream_set_expire(struct stream_set *set, const struct timer_queue *q, uint64_t now)
{
    struct timer *t;
    while ((t = timer_queue_expired(q, now))) {
        struct source_stream *stream = OWNER(t, struct source_stream, timeout);
        if (stream_set_has_unread(stream))
            stream_set_read(set, stream);
        if (timer_queue_expired(q, now) == t)
            stream_set_time_out(set, stream);
    }
}

/* Closes the connections whose unfinished messages have been idle for longest until the others fit
 * in --max-memory. */
static void stream_set_evict(struct stream_set *set)
{
    while (set->memory > set->context.config->max_memory) {
        struct source_stream *stream =
            OWNER(set->unfinished.head.next, struct source_stream, unfinished);
        if (rate_limit_allow(&set->context.access->log_limit))
            log_warning("%s: closed, its unfinished message exceeds the memory for all of them "
                        "(--max-memory)",
                        stream->name);
        stream_set_close(set, stream, false);
    }
}

/* Releases the held messages that no line has continued in time. */
static void stream_set_release_held(struct stream_set *set, uint64_t now)
{
    struct timer *t;
    while ((t = timer_queue_expired(&set->releases, now))) {
        struct source_stream *stream = OWNER(t, struct source_stream, release);
        pipeline_release(set->context.pipeline, &stream->source);
        timer_disarm(t);
    }
}

void stream_set_run_timers(struct stream_set *set)
{
    uint64_t now = clock_monotonic();
    stream_set_expire(set, &set->handshakes, now);
    stream_set_expire(set, &set->first, now);
    stream_set_expire(set, &set->idle, now);
    stream_set_evict(set);
    stream_set_release_held(set, now);
}

uint64_t stream_set_remaining_ns(const struct stream_set *set)
{
    uint64_t now = clock_monotonic();
    uint64_t least_ns = UINT64_MAX;
    const struct timer_queue *queues[] = {&set->handshakes, &set->first, &set->idle,
                                          &set->releases};
    for (size_t i = 0; i < sizeof queues / sizeof *queues; i++) {
        uint64_t remaining_ns = timer_queue_remaining_ns(queues[i], now);
        least_ns = remaining_ns < least_ns ? remaining_ns : least_ns;
    }
    return least_ns;
}
