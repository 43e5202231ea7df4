#include "load/sender.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "load/datagram.h"

enum { ACK_POLL_MS = 10 };

static bool is_datagram(const struct senders *s)
{
    return s->to->text && transport_is_datagram(s->to->address.transport);
}

static bool shake_hands(struct sender *s)
{
    char why[TLS_ERROR_MAX];
    s->tls = tls_session_connect(s->of->tls, s->out.fd, s->of->to->address.host, why);
    if (!s->tls)
        log_printf("%s: %s", s->out.name, why);
    return s->tls != NULL;
}

static bool open_one(struct sender *s)
{
    const struct senders *of = s->of;
    if (!of->to->text) {
        output_init(&s->out, STDOUT_FILENO, "stdout");
        return true;
    }
    int fd = destination_connect(of->to);
    if (fd < 0)
        return false;
    output_init(&s->out, fd, of->to->text);
    s->out.failed =
        (of->tls && !shake_hands(s)) || (is_datagram(of) && !datagram_start(s, of->shortest));
    return !s->out.failed;
}

/* Those behind the last that sends are idle. */
static bool is_idle(const struct sender *s)
{
    return s >= s->of->all + s->of->config->count;
}

static bool add_one(struct senders *s)
{
    const struct senders_config *c = s->config;
    struct sender *one = &s->all[s->count++];
    *one = (struct sender){.of = s,
                           .out = {.fd = -1},
                           .block = is_datagram(s) || c->slow ? 0 : OUTPUT_BLOCK,
                           .left = c->reconnect_every ? c->reconnect_every : UINT64_MAX};
    return open_one(one);
}

bool senders_open(struct senders *s, const struct destination *to,
                  const struct senders_config *config, size_t shortest)
{
    size_t count = (size_t)(config->count + config->idle);
    *s = (struct senders){.to = to, .config = config, .shortest = shortest};
    descriptors_raise_limit();
    if (to->text && to->address.transport == TRANSPORT_TLS && !(s->tls = tls_client_new(&to->tls)))
        return false;
    s->all = calloc(count, sizeof *s->all);
    if (!s->all) {
        log_printf("out of memory");
        return false;
    }
    while (s->count < count)
        if (!add_one(s))
            return false;
    return true;
}

static bool flush_tls(struct sender *s)
{
    char why[TLS_ERROR_MAX];
    struct buffer *b = &s->out.buffer;
    if (!s->out.failed && b->len && !tls_write(s->tls, b->data, b->len, why)) {
        log_printf("%s: %s", s->out.name, why);
        s->out.failed = true;
    }
    b->len = 0;
    return !s->out.failed;
}

bool sender_write(struct sender *s)
{
    size_t length = s->out.buffer.len;
    if (!(s->tls ? flush_tls(s) : output_flush(&s->out)))
        return false;
    s->of->bytes += length;
    return true;
}

bool sender_flush(struct sender *s)
{
    bool all = true;
    if (is_datagram(s->of))
        return datagram_flush(s);
    if (trickle_holds(&s->trickle))
        all = trickle_give(&s->trickle, s->of->config->slow, clock_monotonic(), &s->out.buffer);
    if (!sender_write(s))
        return false;
    if (all) {
        s->of->sent += s->waiting;
        s->waiting = 0;
    }
    return true;
}

bool sender_took_more(struct sender *s)
{
    if (s->of->config->slow)
        trickle_take(&s->trickle, &s->out.buffer, clock_monotonic());
    return is_datagram(s->of) ? datagram_took(s) : sender_flush(s);
}

bool senders_flush(struct senders *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->all[i].waiting && !sender_flush(&s->all[i]))
            return false;
    return true;
}

void sender_lend(struct sender *s, struct sender *to)
{
    if (s->out.buffer.len || to->out.buffer.data)
        return;
    to->out.buffer = s->out.buffer;
    s->out.buffer = (struct buffer){0};
}

bool sender_await(struct sender *s)
{
    uint64_t pause = trickle_pause(s->of->config->slow);
    while (trickle_holds(&s->trickle)) {
        if (!senders_flush(s->of))
            return false;
        if (trickle_holds(&s->trickle))
            nanosleep(&(struct timespec){.tv_nsec = (long)pause}, NULL);
    }
    return true;
}

static int pending_error(int fd)
{
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0 ? errno : error;
}

/* What the peer's kernel did not acknowledge would be lost with a reset; what is in a Unix socket
 * nobody has read. A reset leaves it unacknowledged for ever. */
static bool acknowledged(int fd)
{
    char answer[256];
    int unsent = 0;
    int error = 0;
    struct pollfd peer = {.fd = fd, .events = POLLIN};
    if (shutdown(fd, SHUT_WR) != 0)
        return false;
    while (ioctl(fd, SIOCOUTQ, &unsent) == 0 && unsent > 0 && (error = pending_error(fd)) == 0) {
        if (poll(&peer, 1, ACK_POLL_MS) <= 0)
            continue;
        ssize_t n = recv(fd, answer, sizeof answer, MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (n == 0)
            peer.fd = -1; /* it has closed its side; its kernel may still take ours */
    }
    errno = error ? error : pending_error(fd);
    return errno == 0;
}

static bool drain_one(struct sender *s)
{
    char why[TLS_ERROR_MAX];
    if ((s->of->config->slow && !sender_await(s)) || !sender_flush(s))
        return false;
    if (!s->of->to->text || s->of->to->address.transport == TRANSPORT_UDP)
        return true;
    if (s->tls && !tls_close(s->tls, why)) {
        log_printf("%s: %s", s->out.name, why);
        s->out.failed = true;
    } else if (!s->tls && !acknowledged(s->out.fd)) {
        log_printf("%s: %m", s->out.name);
        s->out.failed = true;
    }
    return !s->out.failed;
}

bool senders_drain(struct senders *s)
{
    bool good = true;
    for (size_t i = 0; i < s->count; i++)
        if (s->all[i].out.fd >= 0 && !is_idle(&s->all[i]))
            good = drain_one(&s->all[i]) && good;
    return good;
}

static bool close_one(struct sender *s)
{
    if (s->out.fd < 0)
        return true;
    if (is_datagram(s->of))
        datagram_settle(s);
    tls_session_destroy(s->tls);
    s->tls = NULL;
    bool good = output_close(&s->out);
    s->out = (struct output){.fd = -1};
    return good;
}

bool sender_renew(struct sender *s)
{
    s->left = s->of->config->reconnect_every;
    return drain_one(s) && close_one(s) && open_one(s);
}

bool senders_close(struct senders *s)
{
    bool good = true;
    for (size_t i = 0; i < s->count; i++) {
        good = close_one(&s->all[i]) && good;
        buffer_free(&s->all[i].trickle.held);
    }
    tls_destroy(s->tls);
    free(s->all);
    return good && s->dropped == 0;
}
