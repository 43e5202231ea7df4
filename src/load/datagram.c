#include "load/datagram.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"

enum { UDP_LONGEST_IPV4 = 65507, UDP_LONGEST_IPV6 = 65527, UNIX_OVERHEAD = 32 };

static const uint64_t late_refusals = NS_PER_S / 10;

static bool is_udp(const struct sender *s)
{
    return s->of->to->address.transport == TRANSPORT_UDP;
}

/* A Unix socket sends no datagram that does not fit into its buffer. */
static size_t longest_unix(int fd, size_t wanted)
{
    int size = 0;
    socklen_t length = sizeof size;
    int enough = (int)wanted + UNIX_OVERHEAD;
    getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &length);
    if (size < enough) {
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &enough, sizeof enough);
        getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &length);
    }
    return (size_t)size - UNIX_OVERHEAD;
}

/* With the queue of errors each refused datagram is known, and a full device says ENOBUFS. */
static size_t longest_udp(int fd)
{
    int on = 1;
    struct sockaddr_storage peer = {0};
    socklen_t length = sizeof peer;
    getpeername(fd, (struct sockaddr *)&peer, &length);
    setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
    if (peer.ss_family == AF_INET)
        return UDP_LONGEST_IPV4;
    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
    return UDP_LONGEST_IPV6;
}

bool datagram_start(struct sender *s, size_t shortest)
{
    size_t longest =
        is_udp(s) ? longest_udp(s->out.fd) : longest_unix(s->out.fd, shortest + UINT8_MAX);
    if (shortest > longest) {
        log_printf("%s: a message of %zu bytes is too long for a datagram, which takes %zu",
                   s->out.name, shortest, longest);
        return false;
    }
    return true;
}

static void tell_refused(struct senders *all)
{
    if (all->dropped == all->told || all->config->quiet)
        return;
    errno = all->refusal;
    log_printf("%s: %m (%llu dropped so far)", all->to->text, (unsigned long long)all->dropped);
    all->told = all->dropped;
    all->told_at = clock_monotonic();
}

/* The errno of a refusal that ICMP told of, from the queue of errors, or 0. */
static int next_refusal(int fd)
{
    union {
        char bytes[512];
        struct cmsghdr align;
    } control;
    char start[1];
    struct iovec part = {start, sizeof start};
    struct msghdr m = {.msg_iov = &part,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    while (recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0) {
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
            struct sock_extended_err error;
            if ((c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_RECVERR) &&
                (c->cmsg_level != IPPROTO_IPV6 || c->cmsg_type != IPV6_RECVERR))
                continue;
            memcpy(&error, CMSG_DATA(c), sizeof error);
            if (error.ee_errno && error.ee_origin != SO_EE_ORIGIN_LOCAL)
                return (int)error.ee_errno;
        }
        m.msg_controllen = sizeof control;
    }
    return 0;
}

static void refused(struct senders *all, int error)
{
    all->refusal = error;
    all->dropped++;
    all->sent--;
}

/* Whether any datagram that was sent before turned out to be refused. */
static bool take_refusals(struct sender *s)
{
    struct senders *all = s->of;
    uint64_t before = all->dropped;
    int error;
    while (is_udp(s) && (error = next_refusal(s->out.fd)))
        refused(all, error);
    if (before != all->dropped && (!all->told || clock_monotonic() - all->told_at > NS_PER_S))
        tell_refused(all);
    return before != all->dropped;
}

/* Of an error of which the queue said nothing: waits, counts, or gives up. */
static void heed(struct sender *s, int error, size_t length)
{
    if (error == EINTR)
        return;
    if (error == EAGAIN || error == ENOBUFS) {
        poll(NULL, 0, 1); /* the device's queue is full, for which there is no POLLOUT */
    } else if (is_udp(s) && error == ECONNREFUSED) {
        refused(s->of, error); /* the queue had no room for it */
    } else {
        /* Where some were sent before, sendmmsg does not tell that the receiver is gone. */
        errno = error == ENOTCONN ? ECONNREFUSED : error;
        if (error == EMSGSIZE)
            log_printf("%s: a message of %zu bytes is too long for a datagram", s->out.name,
                       length);
        else
            log_printf("%s: %m", s->out.name);
        s->out.failed = true;
    }
}

bool datagram_flush(struct sender *s)
{
    struct mmsghdr messages[DATAGRAMS];
    struct iovec parts[DATAGRAMS];
    unsigned count = (unsigned)s->waiting;
    uint32_t start = 0;
    for (unsigned i = 0; i < count; i++) {
        parts[i] = (struct iovec){s->out.buffer.data + start, s->ends[i] - start};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
        start = s->ends[i];
    }
    for (unsigned done = 0; done < count && !s->out.failed;) {
        int n = sendmmsg(s->out.fd, messages + done, count - done, 0);
        int error = errno;
        for (int i = 0; i < n; i++)
            s->of->bytes += parts[done++].iov_len;
        s->of->sent += n > 0 ? (unsigned)n : 0;
        if (done < count && !take_refusals(s) && n < 0)
            heed(s, error, parts[done].iov_len);
    }
    s->waiting = 0;
    s->out.buffer.len = 0;
    return !s->out.failed;
}

bool datagram_took(struct sender *s)
{
    s->ends[s->waiting - 1] = (uint32_t)s->out.buffer.len;
    return (s->waiting < DATAGRAMS && s->out.buffer.len < OUTPUT_BLOCK) || datagram_flush(s);
}

void datagram_settle(struct sender *s)
{
    struct senders *all = s->of;
    struct pollfd errors = {.fd = s->out.fd};
    if (!is_udp(s))
        return;
    uint64_t now = clock_monotonic();
    if (!all->listen_to)
        all->listen_to = now + late_refusals;
    do {
        uint64_t left = all->listen_to > now ? all->listen_to - now : 0;
        if (poll(&errors, 1, (int)((left + 999999) / 1000000)) > 0)
            take_refusals(s);
        now = clock_monotonic();
    } while (now < all->listen_to);
    tell_refused(all);
}
