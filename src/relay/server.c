#include "relay/server.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "base/retry.h"
#include "base/service.h"
#include "relay/access.h"
#include "relay/listeners.h"
#include "relay/source-datagram.h"
#include "relay/source-stream.h"
#include "relay/stream-set.h"
#include "relay/timers.h"

enum { EVENTS_MAX = 256, ACCEPTS_MAX = 64 };

#define NS_PER_MS      (NS_PER_S / 1000)
#define DRAIN_GRACE_NS (5 * NS_PER_S)

struct server {
    const struct relay_config *config;
    struct pipeline *pipeline;
    struct signals *signals;
    struct access access;
    int epoll;
    struct io stop;
    struct io hangup;
    struct io output;
    struct listeners listeners;
    struct source_datagram datagrams[LISTENERS_MAX];
    int datagram_count;
    struct datagram_context *datagram_context; /* NULL without datagram listeners */
    struct tls *tls;                           /* NULL without --tls-cert */
    bool accepting;
    bool draining;             /* connections in the backlog are accepted without a limit */
    bool accept_failing;       /* which was logged */
    uint64_t accept_retry_ns;  /* clock_monotonic, if accept_failing */
    struct retry wait_failure; /* of epoll_wait(2); the first one was logged */
    bool wait_failed;          /* sticky: what is left to read is unknown */
    bool lost;           /* input, because of a failure that is neither the peer's nor a refusal */
    bool limit_reported; /* --max-connections is reached, which was logged */
    struct timer_queue retries; /* of datagram sockets that cannot be read */
    uint64_t closed_before;     /* streams that were closed when connections were accepted last */
    struct stream_set streams;
};

static bool server_failed(const struct server *s)
{
    return sink_failed(s->pipeline->sink) || s->wait_failed;
}

static bool server_watch(struct server *s, struct io *io, uint32_t events, int operation)
{
    struct epoll_event event = {.events = events, .data.ptr = io};
    return epoll_ctl(s->epoll, operation, io->fd, &event) == 0;
}

static bool server_add_io(struct server *s, struct io *io, int fd,
                          void (*ready)(struct server *, struct io *), uint32_t events)
{
    io->fd = fd;
    io->ready = ready;
    return server_watch(s, io, events, EPOLL_CTL_ADD);
}

static void server_set_accepting(struct server *s, bool accepting)
{
    if (s->accepting == accepting || s->draining)
        return;
    s->accepting = accepting;
    for (int i = 0; i < s->listeners.count; i++) {
        struct listener *l = &s->listeners.items[i];
        if (!transport_is_datagram(l->transport))
            server_watch(s, &l->io, accepting ? EPOLLIN : 0, EPOLL_CTL_MOD);
    }
}

/* Logs when the maximum of connections is reached, and when a tenth of them is free again. */
static void server_report_limit(struct server *s)
{
    uint64_t max = s->config->max_connections;
    bool reached = s->streams.count >= max;
    if (s->draining || reached == s->limit_reported ||
        (!reached && s->streams.count > max - (max + 9) / 10))
        return;
    s->limit_reported = reached;
    if (!rate_limit_allow(&s->access.log_limit))
        return;
    if (reached)
        log_warning("%" PRIu64 " connection%s open; others wait (--max-connections)",
                    s->streams.count, s->streams.count == 1 ? " is" : "s are");
    else
        log_info("connections are accepted again; %" PRIu64 " %s open", s->streams.count,
                 s->streams.count == 1 ? "is" : "are");
}

static bool server_has_capacity(const struct server *s)
{
    return s->draining || s->streams.count < s->config->max_connections;
}

static void server_read_stream(struct server *s, struct io *io)
{
    stream_set_read(&s->streams, OWNER(io, struct source_stream, io));
}

static void server_add_stream(struct server *s, const struct listener *l, int fd,
                              const struct sockaddr *address, socklen_t address_len)
{
    struct tls *tls = l->transport == TRANSPORT_TLS ? s->tls : NULL;
    struct source_stream *stream =
        source_stream_new(&s->streams.context, fd, l->transport, address, address_len, tls);
    if (!stream) {
        close(fd);
        return;
    }
    if (!server_add_io(s, &stream->io, fd, server_read_stream, EPOLLIN)) {
        log_printf("%s: epoll: %m", stream->name);
        s->lost = true;
        source_stream_destroy(stream, &s->streams.context, true);
        return;
    }
    stream_set_add(&s->streams, stream);
    server_report_limit(s);
}

/* Ends the program with what has arrived elsewhere. errno is the error that lasts. */
static void server_give_up(struct server *s, const char *what)
{
    if (signals_stopping(s->signals))
        return;
    log_printf("%s: %m for %d seconds; stopping", what, RETRY_LIMIT_S);
    s->lost = true;
    signals_request_stop(s->signals);
}

/* If descriptors or memory are exhausted, connections wait without a limit. */
static void server_pause_accepting(struct server *s, struct listener *l)
{
    bool exhausted = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    retry_note(&l->failure);
    if (!s->accept_failing && !s->draining)
        log_warning("accept: %m; %s",
                    exhausted ? "new connections wait until another one is closed" : "retrying");
    if (!exhausted && retry_is_over(&l->failure))
        server_give_up(s, l->name);
    s->accept_failing = true;
    s->accept_retry_ns = clock_monotonic() + RETRY_MS * NS_PER_MS;
    server_set_accepting(s, false);
}

/* Whether accept(2) reports an error of the connection that it removed from the queue. */
static bool server_is_connection_error(int error)
{
    return error == EINTR || error == ECONNABORTED || error == EPERM || error == EPROTO ||
           error == ENOPROTOOPT || error == EOPNOTSUPP || error == ENETDOWN ||
           error == ENETUNREACH || error == EHOSTDOWN || error == EHOSTUNREACH || error == ENONET ||
           error == ETIMEDOUT;
}

/* Returns false if no more connections are waiting or can be accepted. */
static bool server_accept_some(struct server *s, struct listener *l)
{
    for (int i = 0; i < ACCEPTS_MAX && server_has_capacity(s); i++) {
        struct sockaddr_storage address;
        socklen_t len = sizeof address;
        int fd = accept4(l->io.fd, (struct sockaddr *)&address, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0 || errno == EAGAIN)
            retry_reset(&l->failure);
        if (fd >= 0) {
            server_add_stream(s, l, fd, (struct sockaddr *)&address, len);
            continue;
        }
        if (server_is_connection_error(errno))
            continue;
        if (errno == EAGAIN)
            s->accept_failing = false;
        else
            server_pause_accepting(s, l);
        return false;
    }
    server_set_accepting(s, server_has_capacity(s));
    return server_has_capacity(s);
}

static void server_accept(struct server *s, struct io *io)
{
    server_accept_some(s, OWNER(io, struct listener, io));
}

static void server_read_datagrams(struct server *s, struct io *io)
{
    struct source_datagram *d = OWNER(io, struct source_datagram, io);
    if (source_datagram_read(d, s->datagram_context) != DATAGRAM_FAILED)
        return;
    if (retry_is_over(&d->failure))
        server_give_up(s, d->listener->name);
    epoll_ctl(s->epoll, EPOLL_CTL_DEL, io->fd, NULL);
    timer_arm(&s->retries, &d->retry, clock_monotonic());
}

/* The event only ends the wait; server_run() checks signals_stopping(). */
static void server_stop(struct server *s, struct io *io)
{
    (void)s;
    (void)io;
}

/* The reader of stdout has gone. */
static void server_output_closed(struct server *s, struct io *io)
{
    (void)io;
    sink_fail(s->pipeline->sink);
}

static void server_reload_tls(struct server *s)
{
    struct tls *tls = tls_server_new(&s->config->tls);
    if (tls) {
        tls_destroy(s->tls);
        s->tls = tls;
        log_info("certificates reloaded");
    } else {
        log_printf("reload failed, keeping the old certificates");
    }
}

static void server_notify_ready(const struct server *s)
{
    char status[64];
    snprintf(status, sizeof status, "listening on %d socket%s", s->listeners.count,
             s->listeners.count == 1 ? "" : "s");
    service_notify_ready(status);
}

static void server_reload(struct server *s, struct io *io)
{
    (void)io;
    if (!signals_take_hangup(s->signals))
        return;
    service_notify_reloading();
    sink_reopen(s->pipeline->sink);
    if (s->tls)
        server_reload_tls(s);
    server_notify_ready(s);
}

static void server_retry_datagrams(struct server *s, uint64_t now)
{
    struct timer *t;
    while ((t = timer_queue_expired(&s->retries, now))) {
        struct source_datagram *d = OWNER(t, struct source_datagram, retry);
        if (server_watch(s, &d->io, EPOLLIN, EPOLL_CTL_ADD))
            timer_disarm(t);
        else
            timer_arm(&s->retries, t, now);
    }
}

static void server_run_timers(struct server *s)
{
    rate_limit_poll(&s->access.log_limit);
    stream_set_run_timers(&s->streams);
    server_retry_datagrams(s, clock_monotonic());
}

/* The smaller of two timeouts in ms, of which -1 is none. */
static int server_min_timeout(int a, int b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

static int server_ns_to_ms(uint64_t ns)
{
    if (ns == UINT64_MAX)
        return -1;
    return ns > 1000 * NS_PER_S ? 1000000 : (int)((ns + NS_PER_MS - 1) / NS_PER_MS);
}

static int server_timeout_ms(const struct server *s)
{
    uint64_t streams_ns = stream_set_remaining_ns(&s->streams);
    uint64_t retries_ns = timer_queue_remaining_ns(&s->retries, clock_monotonic());
    int timeout_ms = pipeline_timeout_ms(s->pipeline);
    if (s->accept_failing)
        timeout_ms = server_min_timeout(timeout_ms, RETRY_MS);
    if (s->access.log_limit.suppressed)
        timeout_ms = server_min_timeout(timeout_ms, 1000);
    timeout_ms = server_min_timeout(timeout_ms, server_ns_to_ms(streams_ns));
    return server_min_timeout(timeout_ms, server_ns_to_ms(retries_ns));
}

/* Waiting for events has failed: it is retried, except during a drain, which ends before that. */
static void server_delay_wait(struct server *s)
{
    if (errno == EINTR)
        return;
    if (retry_note(&s->wait_failure))
        log_warning("epoll: %m; retrying");
    s->wait_failed = s->draining || retry_is_over(&s->wait_failure);
    if (s->wait_failed)
        log_printf("epoll: %m; stopped, connections were not read");
    else
        retry_sleep();
}

/* Waits for events, at most `max_ms` unless that is -1, and handles them and the timers. */
static void server_poll(struct server *s, int max_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int timeout_ms = server_min_timeout(server_timeout_ms(s), max_ms);
    int n = epoll_wait(s->epoll, events, EVENTS_MAX, timeout_ms);
    if (n < 0)
        server_delay_wait(s);
    else
        retry_reset(&s->wait_failure);
    if (n == 0) {
        bool pending = pipeline_timeout_ms(s->pipeline) == 0;
        pipeline_on_idle(s->pipeline);
        if (!pending)
            rate_limit_flush(&s->access.log_limit);
    }
    for (int i = 0; i < n && !server_failed(s); i++) {
        struct io *io = events[i].data.ptr;
        io->ready(s, io);
    }
    if (!server_failed(s))
        server_run_timers(s);
}

static bool server_open_listeners(struct server *s)
{
    if (!listeners_open(&s->listeners, s->config))
        return false;
    for (int i = 0; i < s->listeners.count; i++) {
        const struct listener *l = &s->listeners.items[i];
        if (l->transport == TRANSPORT_TLS && !s->tls) {
            log_printf("%s: requires --tls-cert", l->name);
            return false;
        }
        if (!transport_is_datagram(l->transport))
            continue;
        if (!s->datagram_context)
            s->datagram_context = datagram_context_new(s->config, s->pipeline, &s->access);
        if (!s->datagram_context)
            return false;
        source_datagram_init(&s->datagrams[s->datagram_count++], s->datagram_context, l);
    }
    return true;
}

static bool server_watch_all(struct server *s)
{
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    bool good = s->epoll >= 0 &&
                server_add_io(s, &s->stop, s->signals->stop_fd, server_stop, EPOLLIN) &&
                server_add_io(s, &s->hangup, s->signals->hangup_fd, server_reload, EPOLLIN);
    for (int i = 0; good && i < s->listeners.count; i++) {
        struct listener *l = &s->listeners.items[i];
        if (!transport_is_datagram(l->transport))
            good = server_add_io(s, &l->io, l->io.fd, server_accept, EPOLLIN);
    }
    for (int i = 0; good && i < s->datagram_count; i++) {
        struct io *io = &s->datagrams[i].io;
        good = server_add_io(s, io, io->fd, server_read_datagrams, EPOLLIN);
    }
    if (!good)
        log_printf("epoll: %m");
    /* Fails if stdout is a file, which has no reader that could go away. */
    server_add_io(s, &s->output, STDOUT_FILENO, server_output_closed, 0);
    return good;
}

static bool server_open(struct server *s)
{
    descriptors_raise_limit();
    if (s->config->tls.cert && !(s->tls = tls_server_new(&s->config->tls)))
        return false;
    return server_open_listeners(s) && server_watch_all(s);
}

/* Accepts connections again after one was closed, or when a failure is to be retried. */
static void server_update_accepting(struct server *s)
{
    bool closed = s->streams.closed != s->closed_before;
    s->closed_before = s->streams.closed;
    if (closed || (s->accept_failing && clock_monotonic() >= s->accept_retry_ns))
        server_set_accepting(s, server_has_capacity(s));
    if (closed)
        server_report_limit(s);
}

static void server_serve(struct server *s)
{
    atomic_bool *reading = &s->pipeline->sink->metrics.reading;
    atomic_store(reading, true);
    while (!signals_stopping(s->signals) && !server_failed(s)) {
        server_update_accepting(s);
        server_poll(s, -1);
    }
    atomic_store(reading, false);
}

static void server_drain_datagrams(struct server *s)
{
    for (int i = 0; i < s->datagram_count; i++) {
        struct source_datagram *d = &s->datagrams[i];
        source_datagram_shutdown(d);
        enum datagram_state state;
        do
            state = source_datagram_read(d, s->datagram_context);
        while (state == DATAGRAM_MORE && !server_failed(s));
        s->lost = s->lost || state == DATAGRAM_FAILED;
        timer_disarm(&d->retry);
        epoll_ctl(s->epoll, EPOLL_CTL_DEL, d->io.fd, NULL);
        source_datagram_count_dropped(d, s->datagram_context);
    }
}

/* Accepts the backlog and reads what has arrived; repeats that while streams that have ended free
 * the descriptors that are needed for others. */
static void server_drain_streams(struct server *s)
{
    uint64_t before;
    do {
        s->accept_failing = false;
        for (int i = 0; i < s->listeners.count; i++)
            while (!transport_is_datagram(s->listeners.items[i].transport) &&
                   server_accept_some(s, &s->listeners.items[i]))
                ;
        before = s->streams.count;
        stream_set_limit(&s->streams);
        while (s->streams.unread && !server_failed(s))
            server_poll(s, -1);
    } while (s->accept_failing && s->streams.count < before && !server_failed(s));
}

/* Reads what has arrived, and then up to the end of the message that each stream is in. Returns
 * false if connections were left in the backlog. */
static bool server_drain(struct server *s)
{
    server_set_accepting(s, false);
    s->draining = true;
    epoll_ctl(s->epoll, EPOLL_CTL_DEL, s->stop.fd, NULL);
    server_drain_datagrams(s);
    server_drain_streams(s);
    bool complete = !s->accept_failing || server_failed(s);
    if (!complete)
        log_printf("accept: failed; connections in the accept queue were not read");
    listeners_close(&s->listeners);
    uint64_t deadline = clock_monotonic() + DRAIN_GRACE_NS;
    uint64_t now;
    while (s->streams.count && !server_failed(s) && (now = clock_monotonic()) < deadline)
        server_poll(s, (int)((deadline - now) / NS_PER_MS) + 1);
    return complete;
}

static void server_close(struct server *s)
{
    stream_set_free(&s->streams);
    listeners_close(&s->listeners);
    datagram_context_destroy(s->datagram_context);
    tls_destroy(s->tls);
    if (s->epoll >= 0)
        close(s->epoll);
    rate_limit_flush(&s->access.log_limit);
}

bool server_run(const struct relay_config *config, struct pipeline *pipeline,
                struct signals *signals)
{
    struct server *s = calloc(1, sizeof *s);
    if (!s) {
        log_printf("out of memory");
        return false;
    }
    s->config = config;
    s->pipeline = pipeline;
    s->signals = signals;
    s->epoll = -1;
    s->accepting = true;
    access_init(&s->access, &config->access, &pipeline->sink->metrics, config->quiet);
    stream_set_init(&s->streams, config, pipeline, &s->access);
    timer_queue_init(&s->retries, RETRY_MS * NS_PER_MS);
    bool good = server_open(s);
    if (good) {
        server_notify_ready(s);
        server_serve(s);
        if (!server_failed(s))
            good = server_drain(s);
    }
    server_close(s);
    good = good && !s->lost && !s->wait_failed && !s->streams.context.lost;
    free(s);
    return good;
}
