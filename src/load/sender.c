#include "load/sender.h"

#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "base/number.h"
#include "load/datagram.h"
#include "load/proxy-header.h"

enum { SENDER_ACK_POLL_MS = 10 };

static bool sender_uses_datagrams(const struct senders *s)
{
    return s->destination->text && transport_is_datagram(s->destination->address.transport);
}

static bool sender_start_tls(struct sender *s)
{
    char error_text[TLS_ERROR_MAX];
    s->tls = tls_session_connect(s->group->tls, s->out.fd, s->group->destination->address.host,
                                 error_text);
    if (!s->tls)
        log_printf("%s: %s", s->out.name, error_text);
    return s->tls != NULL;
}

static bool sender_write_proxy_header(struct sender *s)
{
    char header[PROXY_HEADER_MAX];
    size_t len = proxy_header_format(s->group->destination->proxy_version, s->out.fd, header);
    if (!len) {
        log_printf("%s: %m", s->out.name);
        return false;
    }
    buffer_append(&s->out.buffer, (struct slice){header, len});
    s->preamble_len = len;
    return output_flush(&s->out);
}

/* Prepares a new connection for messages. */
static bool sender_begin(struct sender *s, int fd)
{
    const struct senders *group = s->group;
    output_init(&s->out, fd, group->destination->text);
    s->preamble_len = s->bytes = s->messages = 0;
    s->out.failed = (group->destination->proxy_version && !sender_write_proxy_header(s)) ||
                    (group->tls && !sender_start_tls(s)) ||
                    (sender_uses_datagrams(group) && !datagram_prepare(s, group->min_len));
    return !s->out.failed;
}

static bool sender_connect(struct sender *s)
{
    if (!s->group->destination->text) {
        output_init(&s->out, STDOUT_FILENO, "stdout");
        return true;
    }
    int fd = destination_connect(s->group->destination);
    return fd >= 0 && sender_begin(s, fd);
}

static bool sender_is_idle(const struct sender *s)
{
    return s >= s->group->items + s->group->config->count;
}

static bool senders_add(struct senders *s)
{
    const struct senders_config *c = s->config;
    struct sender *sender = &s->items[s->count++];
    *sender =
        (struct sender){.group = s,
                        .out = {.fd = -1},
                        .flush_size = sender_uses_datagrams(s) || c->bytes_per_s ? 0 : OUTPUT_BLOCK,
                        .until_reconnect = c->reconnect_after ? c->reconnect_after : UINT64_MAX};
    return sender_connect(sender);
}

bool senders_open(struct senders *s, const struct destination *destination,
                  const struct senders_config *config, size_t min_len)
{
    size_t count = (size_t)(config->count + config->idle);
    *s = (struct senders){.destination = destination, .config = config, .min_len = min_len};
    descriptors_raise_limit();
    if (destination->text && destination->address.transport == TRANSPORT_TLS &&
        !(s->tls = tls_client_new(&destination->tls)))
        return false;
    s->items = calloc(count, sizeof *s->items);
    if (!s->items) {
        log_printf("out of memory");
        return false;
    }
    while (s->count < count)
        if (!senders_add(s))
            return false;
    return true;
}

static bool sender_flush_tls(struct sender *s)
{
    char error_text[TLS_ERROR_MAX];
    struct buffer *b = &s->out.buffer;
    if (!s->out.failed && b->len && !tls_write(s->tls, b->data, b->len, error_text)) {
        log_printf("%s: %s", s->out.name, error_text);
        s->out.failed = true;
    }
    b->len = 0;
    return !s->out.failed;
}

static bool sender_write(struct sender *s)
{
    size_t len = s->out.buffer.len;
    s->bytes += len;
    if (!(s->tls ? sender_flush_tls(s) : output_flush(&s->out)))
        return false;
    s->group->bytes += len;
    return true;
}

/* Returns the bytes of messages that the peer's kernel has not acknowledged. With TLS, the written
 * ones among them are counted as they are encrypted. */
static uint64_t sender_unacknowledged(const struct sender *s, uint64_t last_len)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    int unsent = 0;
    if (s->tls)
        return ioctl(s->out.fd, SIOCOUTQ, &unsent) == 0 ? last_len + (uint64_t)unsent : s->bytes;
    if (getsockopt(s->out.fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
        return s->bytes;
    /* SYN counts as a byte. */
    uint64_t before = s->preamble_len + 1;
    uint64_t acknowledged = info.tcpi_bytes_acked > before ? info.tcpi_bytes_acked - before : 0;
    return acknowledged < s->bytes ? s->bytes - acknowledged : 0;
}

/* Counts the messages that a broken connection did not deliver, by their mean size, and closes it.
 * `last_len` bytes could not be written. */
static void sender_count_lost(struct sender *s, uint64_t last_len)
{
    char number[NUMBER_SIZE];
    uint64_t lost = 0;
    s->messages += s->pending;
    s->group->sent += s->pending;
    s->pending = 0;
    if (s->bytes) {
        double part = (double)sender_unacknowledged(s, last_len) / (double)s->bytes;
        lost = (uint64_t)((part < 1 ? part : 1) * (double)s->messages + 0.999999);
    }
    s->group->lost += lost;
    log_printf("%s: %s message%s lost%s", s->out.name, number_format(number, lost),
               lost == 1 ? "" : "s", s->group->ending ? "" : "; reconnecting");
}

static void sender_abandon(struct sender *s)
{
    tls_session_destroy(s->tls);
    s->tls = NULL;
    if (s->out.fd >= 0)
        close(s->out.fd);
    buffer_free(&s->out.buffer);
    s->out = (struct output){.fd = -1, .name = s->group->destination->text, .failed = true};
}

/* Returns false when the run has ended. */
static bool sender_pause(const struct senders *group, uint64_t pause_ns)
{
    uint64_t now_ns = clock_monotonic();
    if (group->deadline_ns && now_ns >= group->deadline_ns) {
        log_printf("%s: still disconnected at the end of --duration", group->destination->text);
        return false;
    }
    if (group->deadline_ns && group->deadline_ns - now_ns < pause_ns)
        pause_ns = group->deadline_ns - now_ns;
    struct timespec timeout = {(time_t)(pause_ns / NS_PER_S), (long)(pause_ns % NS_PER_S)};
    ppoll(&(struct pollfd){.fd = group->signals->stop_fd, .events = POLLIN}, 1, &timeout, NULL);
    return !signals_stopping(group->signals);
}

/* Replaces a broken connection. Messages that become due meanwhile are late, but not lost. */
static bool sender_recover(struct sender *s, uint64_t last_len)
{
    static const uint64_t pause_max_ns = NS_PER_S;
    struct senders *group = s->group;
    uint64_t pause_ns = NS_PER_S / 50;
    if (!group->config->reconnects || sender_is_idle(s))
        return false;
    if (s->out.fd >= 0)
        sender_count_lost(s, last_len);
    sender_abandon(s);
    while (!group->ending) {
        int fd = destination_connect_once(group->destination);
        if (fd >= 0 && sender_begin(s, fd)) {
            group->reconnects++;
            s->until_reconnect =
                group->config->reconnect_after ? group->config->reconnect_after : UINT64_MAX;
            log_printf("%s: reconnected", s->out.name);
            return true;
        }
        sender_abandon(s);
        if (!sender_pause(group, pause_ns))
            break;
        pause_ns = 2 * pause_ns < pause_max_ns ? 2 * pause_ns : pause_max_ns;
    }
    return false;
}

bool sender_flush(struct sender *s)
{
    bool is_complete = true;
    if (sender_uses_datagrams(s->group))
        return datagram_flush(s);
    if (throttle_is_pending(&s->throttle))
        is_complete = throttle_release(&s->throttle, s->group->config->bytes_per_s,
                                       clock_monotonic(), &s->out.buffer);
    size_t len = s->out.buffer.len;
    if (!sender_write(s))
        return sender_recover(s, len);
    if (is_complete) {
        s->messages += s->pending;
        s->group->sent += s->pending;
        s->pending = 0;
    }
    return true;
}

bool sender_flush_full(struct sender *s)
{
    if (s->group->config->bytes_per_s)
        throttle_load(&s->throttle, &s->out.buffer, clock_monotonic());
    return sender_uses_datagrams(s->group) ? datagram_commit(s) : sender_flush(s);
}

bool senders_flush(struct senders *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->items[i].pending && !sender_flush(&s->items[i]))
            return false;
    return true;
}

void sender_pass_buffer(struct sender *s, struct sender *to)
{
    if (s->out.buffer.len || to->out.buffer.data)
        return;
    to->out.buffer = s->out.buffer;
    s->out.buffer = (struct buffer){0};
}

bool sender_wait_throttled(struct sender *s)
{
    uint64_t pause_ns = throttle_pause_ns(s->group->config->bytes_per_s);
    while (throttle_is_pending(&s->throttle)) {
        if (!senders_flush(s->group))
            return false;
        if (throttle_is_pending(&s->throttle))
            nanosleep(&(struct timespec){.tv_nsec = (long)pause_ns}, NULL);
    }
    return true;
}

static int sender_pending_error(int fd)
{
    int error = 0;
    socklen_t len = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 ? errno : error;
}

/*
 * Closes our side, and waits until the kernel of a TCP peer has acknowledged everything, or a Unix
 * peer has read it: a reset would discard the rest. After a reset SIOCOUTQ never becomes 0, so the
 * pending error is checked too. Input is read and ignored, as unread input causes a reset on close.
 */
static bool sender_wait_acknowledged(int fd)
{
    char ignored[256];
    int unsent = 0;
    int error = 0;
    struct pollfd peer = {.fd = fd, .events = POLLIN};
    if (shutdown(fd, SHUT_WR) != 0)
        return false;
    while (ioctl(fd, SIOCOUTQ, &unsent) == 0 && unsent > 0 &&
           (error = sender_pending_error(fd)) == 0) {
        if (poll(&peer, 1, SENDER_ACK_POLL_MS) <= 0)
            continue;
        ssize_t n = recv(fd, ignored, sizeof ignored, MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (n == 0)
            peer.fd = -1; /* EOF; its kernel may still acknowledge our data */
    }
    errno = error ? error : sender_pending_error(fd);
    return errno == 0;
}

static bool sender_drain(struct sender *s)
{
    char error_text[TLS_ERROR_MAX];
    if ((s->group->config->bytes_per_s && !sender_wait_throttled(s)) || !sender_flush(s))
        return false;
    if (!s->group->destination->text || s->group->destination->address.transport == TRANSPORT_UDP)
        return true;
    if (s->tls && !tls_close(s->tls, error_text)) {
        log_printf("%s: %s", s->out.name, error_text);
        s->out.failed = true;
    } else if (!s->tls && !sender_wait_acknowledged(s->out.fd)) {
        log_printf("%s: %m", s->out.name);
        s->out.failed = true;
    }
    return !s->out.failed;
}

bool senders_drain(struct senders *s)
{
    bool good = true;
    s->ending = true;
    for (size_t i = 0; i < s->count; i++)
        if (s->items[i].out.fd >= 0 && !sender_is_idle(&s->items[i]))
            good = (sender_drain(&s->items[i]) || sender_recover(&s->items[i], 0)) && good;
    return good;
}

static bool sender_close(struct sender *s)
{
    if (s->out.fd < 0)
        return true;
    if (sender_uses_datagrams(s->group))
        datagram_wait_refusals(s);
    tls_session_destroy(s->tls);
    s->tls = NULL;
    bool good = output_close(&s->out);
    s->out = (struct output){.fd = -1};
    return good;
}

bool sender_reconnect(struct sender *s)
{
    s->until_reconnect = s->group->config->reconnect_after;
    return (sender_drain(s) && sender_close(s) && sender_connect(s)) || sender_recover(s, 0);
}

bool senders_close(struct senders *s)
{
    bool good = true;
    for (size_t i = 0; i < s->count; i++) {
        good = sender_close(&s->items[i]) && good;
        buffer_free(&s->items[i].throttle.pending);
    }
    tls_destroy(s->tls);
    free(s->items);
    return good && s->dropped == 0 && s->lost == 0;
}
