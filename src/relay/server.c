#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/descriptors.h"
#include "base/input.h"
#include "relay/listener.h"
#include "relay/stream.h"

enum { LISTENERS = 64, EVENTS = 256, ACCEPTS = 64, RETRY_MS = 100 };

static const uint64_t grace = NS_PER_S;

struct connection {
    struct input input;
    struct stream stream;
    char name[ADDRESS_NAME];
};

struct server {
    struct relay *relay;
    int epoll;
    int listeners[LISTENERS];
    int listener_count;
    bool accepting;
    bool draining;     /* who waited for room is let in to be read, too */
    bool starved;      /* of descriptors, which was reported */
    uint64_t retry_at; /* clock_monotonic, while starved */
    struct connection **by_fd;
    size_t fd_capacity;
    uint64_t connection_count;
    uint64_t unread; /* connections that a drain has not read to their quota */
};

static bool watch(struct server *s, int fd, void *who, uint32_t events, int operation)
{
    struct epoll_event event = {.events = events, .data.ptr = who};
    return epoll_ctl(s->epoll, operation, fd, &event) == 0;
}

static void set_accepting(struct server *s, bool on)
{
    if (s->accepting == on || s->draining)
        return;
    s->accepting = on;
    for (int i = 0; i < s->listener_count; i++)
        watch(s, s->listeners[i], &s->listeners[i], on ? EPOLLIN : 0, EPOLL_CTL_MOD);
}

static bool room_left(const struct server *s)
{
    return s->draining || s->connection_count < s->relay->config->max_connections;
}

static bool drop(struct server *s, struct connection *c, bool whole)
{
    bool wrote = stream_end(&c->stream, s->relay, whole) != STREAM_STUCK;
    close(c->input.fd);
    s->by_fd[c->input.fd] = NULL;
    s->unread -= c->input.quota != 0;
    s->connection_count--;
    free(c);
    if (!signals_stopping(&s->relay->signals))
        set_accepting(s, room_left(s));
    return wrote;
}

/* Whatever they were in the middle of is cut. */
static bool drop_all(struct server *s)
{
    bool wrote = true;
    for (size_t fd = 0; fd < s->fd_capacity; fd++)
        if (s->by_fd[fd])
            wrote = drop(s, s->by_fd[fd], false) && wrote;
    return wrote;
}

static void add(struct server *s, int fd, const struct sockaddr *peer, socklen_t length)
{
    struct connection *c = calloc(1, sizeof *c);
    if (!c || !watch(s, fd, c, EPOLLIN, EPOLL_CTL_ADD)) {
        report("connection: %m");
        free(c);
        close(fd);
        return;
    }
    input_start(&c->input, fd);
    address_name(peer, length, c->name);
    stream_start(&c->stream, s->relay, c->name);
    while (s->fd_capacity <= (size_t)fd) {
        size_t before = s->fd_capacity;
        s->by_fd = array_grow(s->by_fd, &s->fd_capacity, before, sizeof *s->by_fd);
        memset(s->by_fd + before, 0, (s->fd_capacity - before) * sizeof *s->by_fd);
    }
    s->by_fd[fd] = c;
    s->connection_count++;
}

/* False where no more connections wait. */
static bool accept_some(struct server *s, int listener)
{
    for (int i = 0; i < ACCEPTS && room_left(s); i++) {
        struct sockaddr_storage peer;
        socklen_t length = sizeof peer;
        int fd = accept4(listener, (struct sockaddr *)&peer, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            add(s, fd, (struct sockaddr *)&peer, length);
            continue;
        }
        if (errno == EAGAIN)
            s->starved = false;
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            if (!s->starved && !s->draining)
                report("accept: %m; new connections wait until one ends");
            s->starved = true;
            s->retry_at = clock_monotonic() + RETRY_MS * NS_PER_S / 1000;
            set_accepting(s, false);
        }
        return false;
    }
    set_accepting(s, room_left(s));
    return room_left(s);
}

/* One read for each turn, so that no peer waits for another one's flood. */
static bool read_some(struct server *s, struct connection *c)
{
    struct relay *r = s->relay;
    bool unread = c->input.quota != 0;
    ssize_t n = input_read(&c->input, r->block, RELAY_BLOCK, framer_within(&c->stream.framer));
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return true;
    if (n < 0 && complaints_allow(&r->complaints))
        report("%s: %m", c->name);
    if (n <= 0)
        return drop(s, c, n == 0);
    s->unread -= unread && c->input.quota == 0;
    switch (stream_take(&c->stream, r, (struct slice){r->block, (size_t)n})) {
    case STREAM_STUCK:
        return false;
    case STREAM_BROKEN:
        return drop(s, c, true);
    default:
        break;
    }
    return !input_drained(&c->input, framer_within(&c->stream.framer)) || drop(s, c, true);
}

static bool open_all(struct server *s)
{
    const struct relay_config *config = s->relay->config;
    descriptors_raise_limit();
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (s->epoll < 0 || !watch(s, s->relay->signals.stop_fd, s, EPOLLIN, EPOLL_CTL_ADD)) {
        report("epoll: %m");
        return false;
    }
    for (size_t i = 0; i < config->listen_count; i++) {
        int opened = listener_open(&config->listen[i], s->listeners + s->listener_count,
                                   LISTENERS - s->listener_count);
        if (!opened)
            return false;
        s->listener_count += opened;
    }
    for (int i = 0; i < s->listener_count; i++)
        if (!watch(s, s->listeners[i], &s->listeners[i], EPOLLIN, EPOLL_CTL_ADD)) {
            report("epoll: %m");
            return false;
        }
    s->accepting = true;
    return true;
}

static void close_listeners(struct server *s)
{
    while (s->listener_count)
        close(s->listeners[--s->listener_count]);
}

static bool event(struct server *s, void *who)
{
    int *listener = who;
    if (who == s)
        return true; /* a drain was asked for */
    if (listener >= s->listeners && listener < s->listeners + LISTENERS) {
        accept_some(s, *listener);
        return true;
    }
    return read_some(s, who);
}

/* One round of the loop. False where nothing more can be written. */
static bool round_trip(struct server *s, int patience)
{
    struct epoll_event events[EVENTS];
    int wait = relay_patience(s->relay);
    if (wait < 0 || (patience >= 0 && patience < wait))
        wait = patience;
    int n = epoll_wait(s->epoll, events, EVENTS, wait);
    if (n == 0)
        return relay_idle(s->relay);
    for (int i = 0; i < n; i++)
        if (!event(s, events[i].data.ptr))
            return false;
    return true;
}

static bool serve(struct server *s)
{
    while (!signals_stopping(&s->relay->signals)) {
        if (!round_trip(s, s->starved ? RETRY_MS : -1))
            return false;
        if (s->starved && clock_monotonic() >= s->retry_at)
            set_accepting(s, room_left(s));
    }
    return true;
}

/* From here on no connection is read further than to what has arrived. */
static bool limit_all(struct server *s)
{
    for (size_t fd = 0; fd < s->fd_capacity; fd++) {
        struct connection *c = s->by_fd[fd];
        if (!c || c->input.limited)
            continue;
        input_limit(&c->input);
        s->unread += c->input.quota != 0;
        if (input_drained(&c->input, framer_within(&c->stream.framer)) && !drop(s, c, true))
            return false;
    }
    return true;
}

/* Lets in who waits, and reads what has arrived; again, where descriptors were too few for all. */
static bool read_arrived(struct server *s)
{
    uint64_t before;
    do {
        s->starved = false;
        for (int i = 0; i < s->listener_count; i++)
            while (accept_some(s, s->listeners[i]))
                ;
        before = s->connection_count;
        if (!limit_all(s))
            return false;
        while (s->unread)
            if (!round_trip(s, -1))
                return false;
    } while (s->starved && s->connection_count < before);
    return true;
}

/* Reads what has arrived, to the end of the message that each connection is in. */
static bool drain(struct server *s)
{
    set_accepting(s, false);
    s->draining = true;
    epoll_ctl(s->epoll, EPOLL_CTL_DEL, s->relay->signals.stop_fd, NULL);
    if (!read_arrived(s))
        return false;
    if (s->starved) {
        report("connections that waited for a descriptor were not read");
        s->relay->failed = true;
    }
    close_listeners(s);
    uint64_t deadline = clock_monotonic() + grace;
    for (uint64_t now; s->connection_count && (now = clock_monotonic()) < deadline;)
        if (!round_trip(s, (int)((deadline - now) / 1000000) + 1))
            return false;
    return drop_all(s);
}

bool relay_serve(struct relay *r)
{
    struct server s = {.relay = r, .epoll = -1};
    bool wrote = true;
    if (open_all(&s))
        wrote = serve(&s) && drain(&s);
    else
        r->failed = true;
    close_listeners(&s);
    drop_all(&s);
    free(s.by_fd);
    if (s.epoll >= 0)
        close(s.epoll);
    return wrote;
}
