#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "base/rate-limit.h"
#include "relay/listeners.h"
#include "relay/source-stream.h"
#include "relay/systemd.h"

enum { EVENTS = 256, ACCEPTS = 64, RETRY_MS = 100 };

static const uint64_t grace = NS_PER_S;

struct server {
    struct relay *relay;
    int epoll;
    struct doors doors;
    bool accepting;
    bool draining;     /* who waited for room is let in to be read, too */
    bool starved;      /* of descriptors, which was reported */
    uint64_t retry_at; /* clock_monotonic, while starved */
    struct connection **by_fd;
    size_t fd_capacity;
    uint64_t connection_count;
    uint64_t unread; /* connections that a drain has not read to their quota */
    struct deadlines handshakes;
    struct deadlines idle;
    struct deadlines held; /* messages that may go on in a further line */
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
    for (int i = 0; i < s->doors.count; i++)
        if (!transport_is_datagram(s->doors.listeners[i].transport))
            watch(s, s->doors.listeners[i].fd, &s->doors.listeners[i], on ? EPOLLIN : 0,
                  EPOLL_CTL_MOD);
}

static bool room_left(const struct server *s)
{
    return s->draining || s->connection_count < s->relay->config->max_connections;
}

static bool drop(struct server *s, struct connection *c, bool whole)
{
    s->by_fd[c->input.fd] = NULL;
    s->unread -= c->input.quota != 0;
    s->connection_count--;
    bool wrote = connection_close(c, s->relay, whole);
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

/* A phase may take as long as a handshake, silence as long as it is let. */
static void set_deadline(struct server *s, struct connection *c)
{
    if (c->phase != PHASE_OPEN && !c->deadline.next)
        deadline_set(&s->handshakes, &c->deadline, clock_monotonic());
    else if (c->phase == PHASE_OPEN && s->idle.duration)
        deadline_set(&s->idle, &c->deadline, clock_monotonic());
    else if (c->phase == PHASE_OPEN)
        deadline_clear(&c->deadline);
    if (stream_holds(&c->stream))
        deadline_set(&s->held, &c->release, clock_monotonic());
    else
        deadline_clear(&c->release);
}

static void add(struct server *s, const struct listener *l, int fd, const struct sockaddr *peer,
                socklen_t length)
{
    struct connection *c = connection_open(s->relay, fd, l->transport, peer, length,
                                           l->transport == TRANSPORT_TLS ? s->doors.tls : NULL);
    if (!c) {
        close(fd);
        return;
    }
    if (!watch(s, fd, c, EPOLLIN, EPOLL_CTL_ADD)) {
        log_printf("connection: %m");
        connection_close(c, s->relay, true);
        return;
    }
    while (s->fd_capacity <= (size_t)fd) {
        size_t before = s->fd_capacity;
        s->by_fd = array_grow(s->by_fd, &s->fd_capacity, before, sizeof *s->by_fd);
        memset(s->by_fd + before, 0, (s->fd_capacity - before) * sizeof *s->by_fd);
    }
    s->by_fd[fd] = c;
    s->connection_count++;
    set_deadline(s, c);
}

/* False where no more connections wait. */
static bool accept_some(struct server *s, const struct listener *l)
{
    for (int i = 0; i < ACCEPTS && room_left(s); i++) {
        struct sockaddr_storage peer;
        socklen_t length = sizeof peer;
        int fd = accept4(l->fd, (struct sockaddr *)&peer, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            add(s, l, fd, (struct sockaddr *)&peer, length);
            continue;
        }
        if (errno == EAGAIN)
            s->starved = false;
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            if (!s->starved && !s->draining)
                log_printf("accept: %m; new connections wait until one ends");
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
    bool unread = c->input.quota != 0;
    enum connection_state state = connection_read(c, s->relay);
    if (state == CONNECTION_STUCK)
        return false;
    s->unread -= unread && c->input.quota == 0;
    if (state != CONNECTION_OPEN)
        return drop(s, c, state == CONNECTION_ENDED);
    set_deadline(s, c);
    return true;
}

static bool watch_all(struct server *s)
{
    struct signals *signals = &s->relay->signals;
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    bool good = s->epoll >= 0 && watch(s, signals->stop_fd, s, EPOLLIN, EPOLL_CTL_ADD) &&
                (signals->hangup_fd < 0 ||
                 watch(s, signals->hangup_fd, &s->doors.tls, EPOLLIN, EPOLL_CTL_ADD));
    for (int i = 0; good && i < s->doors.count; i++)
        good = watch(s, s->doors.listeners[i].fd, &s->doors.listeners[i], EPOLLIN, EPOLL_CTL_ADD);
    if (!good)
        log_printf("epoll: %m");
    return good;
}

static bool open_all(struct server *s)
{
    const struct relay_config *config = s->relay->config;
    descriptors_raise_limit();
    deadlines_start(&s->handshakes, config->handshake_timeout);
    deadlines_start(&s->idle, config->idle_timeout);
    deadlines_start(&s->held, STREAM_PATIENCE * (NS_PER_S / 1000));
    s->accepting = true;
    if (!doors_open(&s->doors, s->relay) || !watch_all(s))
        return false;
    /* A file cannot be watched, and needs not be. */
    watch(s, STDOUT_FILENO, &s->relay->records, 0, EPOLL_CTL_ADD);
    return true;
}

static bool event(struct server *s, void *who)
{
    struct listener *l = who;
    if (who == s)
        return true; /* a drain was asked for */
    if (who == &s->relay->records)
        return false; /* its reader has gone */
    if (who == &s->doors.tls) {
        eventfd_t times;
        eventfd_read(s->relay->signals.hangup_fd, &times);
        doors_reload(&s->doors, s->relay);
        return true;
    }
    if (l < s->doors.listeners || l >= s->doors.listeners + DOORS)
        return read_some(s, who);
    if (transport_is_datagram(l->transport))
        return datagrams_read(s->doors.datagrams, l, s->relay) != DATAGRAMS_STUCK;
    accept_some(s, l);
    return true;
}

static struct connection *of_deadline(struct deadline *d)
{
    return (struct connection *)((char *)d - offsetof(struct connection, deadline));
}

static struct connection *of_release(struct deadline *d)
{
    return (struct connection *)((char *)d - offsetof(struct connection, release));
}

/* Gives the messages that nothing has continued. */
static bool release(struct server *s, uint64_t now)
{
    struct deadline *d;
    while ((d = deadlines_passed(&s->held, now))) {
        struct connection *c = of_release(d);
        if (stream_release(&c->stream, s->relay) == STREAM_STUCK)
            return false;
        deadline_clear(d);
    }
    return true;
}

/* Whether what a connection has sent waits to be read: it is not silent, we were busy. */
static bool waits(const struct connection *c)
{
    int arrived = 0;
    return ioctl(c->input.fd, FIONREAD, &arrived) == 0 && arrived > 0;
}

/* The time of a connection is over. */
static bool expire(struct server *s, struct connection *c)
{
    if (c->phase == PHASE_OPEN) {
        if (rate_limit_allow(&s->relay->refusals))
            log_printf("%s: silent for --idle-timeout, closed", c->name);
    } else {
        relay_refuse(s->relay, c->name,
                     c->phase == PHASE_HANDSHAKE ? "TLS: no handshake within --handshake-timeout"
                                                 : "no PROXY header within --handshake-timeout");
    }
    return drop(s, c, false);
}

/* Drops those whose time is over, where one more read does not mend it. */
static bool expire_all(struct server *s, const struct deadlines *q, uint64_t now)
{
    struct deadline *d;
    while ((d = deadlines_passed(q, now))) {
        if (waits(of_deadline(d)) && !read_some(s, of_deadline(d)))
            return false;
        if (deadlines_passed(q, now) == d && !expire(s, of_deadline(d)))
            return false;
    }
    return true;
}

static bool look_at_deadlines(struct server *s)
{
    uint64_t now = clock_monotonic();
    rate_limit_poll(&s->relay->refusals);
    return expire_all(s, &s->handshakes, now) && expire_all(s, &s->idle, now) && release(s, now);
}

static int shorter(int wait, int other)
{
    return wait < 0 || (other >= 0 && other < wait) ? other : wait;
}

static int milliseconds(uint64_t ns)
{
    return ns == UINT64_MAX ? -1 : ns > 1000 * NS_PER_S ? 1000000 : (int)((ns + 999999) / 1000000);
}

/* How long a wait may take. */
static int patience(const struct server *s)
{
    int wait = s->starved ? RETRY_MS : -1;
    uint64_t now = clock_monotonic();
    wait = shorter(wait, milliseconds(deadlines_left(&s->handshakes, now)));
    wait = shorter(wait, milliseconds(deadlines_left(&s->held, now)));
    return shorter(wait, milliseconds(deadlines_left(&s->idle, now)));
}

/* One round of the loop. False where nothing more can be written. */
static bool round_trip(struct server *s, int most)
{
    struct epoll_event events[EVENTS];
    int asked = relay_patience(s->relay);
    int wait = shorter(shorter(asked, most), patience(s));
    int n = epoll_wait(s->epoll, events, EVENTS, wait);
    if (n == 0 && !relay_idle(s->relay))
        return false;
    for (int i = 0; i < n; i++)
        if (!event(s, events[i].data.ptr))
            return false;
    return look_at_deadlines(s);
}

static bool serve(struct server *s)
{
    while (!signals_stopping(&s->relay->signals)) {
        if (!round_trip(s, -1))
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
        if (input_drained(&c->input, connection_within(c)) && !drop(s, c, true))
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
        for (int i = 0; i < s->doors.count; i++)
            while (!transport_is_datagram(s->doors.listeners[i].transport) &&
                   accept_some(s, &s->doors.listeners[i]))
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

/* Reads what has arrived at the datagrams' sockets. */
static bool drain_datagrams(struct server *s)
{
    for (int i = 0; i < s->doors.count; i++) {
        struct listener *l = &s->doors.listeners[i];
        enum datagrams_state state = DATAGRAMS_MORE;
        if (!transport_is_datagram(l->transport))
            continue;
        datagrams_shut(l);
        while (state == DATAGRAMS_MORE)
            state = datagrams_read(s->doors.datagrams, l, s->relay);
        if (state == DATAGRAMS_STUCK)
            return false;
        epoll_ctl(s->epoll, EPOLL_CTL_DEL, l->fd, NULL);
        datagrams_count_dropped(l, s->relay);
    }
    return true;
}

/* Reads what has arrived, to the end of the message that each connection is in. */
static bool drain(struct server *s)
{
    set_accepting(s, false);
    s->draining = true;
    epoll_ctl(s->epoll, EPOLL_CTL_DEL, s->relay->signals.stop_fd, NULL);
    systemd_notify_stopping();
    if (!drain_datagrams(s) || !read_arrived(s))
        return false;
    if (s->starved) {
        log_printf("connections that waited for a descriptor were not read");
        s->relay->failed = true;
    }
    doors_shut(&s->doors);
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
    if (open_all(&s)) {
        systemd_notify_ready(s.doors.count);
        wrote = serve(&s) && drain(&s);
    } else {
        r->failed = true;
    }
    drop_all(&s);
    doors_close(&s.doors);
    free(s.by_fd);
    if (s.epoll >= 0)
        close(s.epoll);
    return wrote;
}
