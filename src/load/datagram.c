#include "load/datagram.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"

enum { DATAGRAM_UDP_MAX_IPV4 = 65507, DATAGRAM_UDP_MAX_IPV6 = 65527, DATAGRAM_UNIX_OVERHEAD = 32 };

static const uint64_t datagram_refusal_wait_ns = NS_PER_S / 10;

static bool datagram_is_udp(const struct sender *s)
{
    return s->group->destination->address.transport == TRANSPORT_UDP;
}

/* A Unix datagram must fit into the send buffer of its socket, which grows up to the system limit.
 */
static size_t datagram_max_len_unix(int fd, size_t len)
{
    int size = 0;
    socklen_t size_len = sizeof size;
    int enough = (int)len + DATAGRAM_UNIX_OVERHEAD;
    getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &size_len);
    if (size < enough) {
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &enough, sizeof enough);
        getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &size_len);
    }
    return (size_t)size - DATAGRAM_UNIX_OVERHEAD;
}

/* Also enables the error queue. It reports each refused datagram, and without it a full device
 * queue would drop datagrams without ENOBUFS. */
static size_t datagram_max_len_udp(int fd)
{
    int on = 1;
    struct sockaddr_storage peer = {0};
    socklen_t len = sizeof peer;
    getpeername(fd, (struct sockaddr *)&peer, &len);
    setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
    if (peer.ss_family == AF_INET)
        return DATAGRAM_UDP_MAX_IPV4;
    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
    return DATAGRAM_UDP_MAX_IPV6;
}

bool datagram_prepare(struct sender *s, size_t min_len)
{
    size_t max_len = datagram_is_udp(s) ? datagram_max_len_udp(s->out.fd)
                                        : datagram_max_len_unix(s->out.fd, min_len + UINT8_MAX);
    if (min_len > max_len) {
        log_printf("%s: a message of %zu bytes is too long for a datagram; the maximum is %zu",
                   s->out.name, min_len, max_len);
        return false;
    }
    return true;
}

static void datagram_report_refused(struct senders *group)
{
    char number[NUMBER_SIZE];
    if (group->dropped == group->dropped_reported || group->config->quiet)
        return;
    number_format(number, group->dropped);
    errno = group->refused_errno;
    log_warning("%s: %m (%s dropped so far)", group->destination->text, number);
    group->dropped_reported = group->dropped;
    group->reported_at_ns = clock_monotonic();
}

/* Removes the next ICMP error from the error queue. Returns its errno, or 0 if there is none. */
static int datagram_next_refusal(int fd)
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

/* The kernel may report a refusal both in the error queue and as an error of the socket. */
static void datagram_count_refused(struct senders *group, int error)
{
    if (group->sent == 0)
        return;
    group->refused_errno = error;
    group->dropped++;
    group->sent--;
}

/* Returns whether the error queue reported that earlier datagrams were refused. */
static bool datagram_read_refusals(struct sender *s)
{
    struct senders *group = s->group;
    uint64_t before = group->dropped;
    int error;
    while (datagram_is_udp(s) && (error = datagram_next_refusal(s->out.fd)))
        datagram_count_refused(group, error);
    if (before != group->dropped &&
        (!group->dropped_reported || clock_monotonic() - group->reported_at_ns > NS_PER_S))
        datagram_report_refused(group);
    return before != group->dropped;
}

/* Handles an error of sendmmsg(2) that the error queue does not explain. */
static void datagram_handle_error(struct sender *s, int error, size_t len)
{
    if (error == EINTR)
        return;
    if (error == EAGAIN || error == ENOBUFS) {
        poll(NULL, 0, 1); /* the queue of the device is full, and POLLOUT does not report that */
    } else if (datagram_is_udp(s) && error == ECONNREFUSED) {
        datagram_count_refused(s->group, error); /* the error queue was full */
    } else {
        /* After a partial success, sendmmsg() fails with ENOTCONN if the receiver is gone. */
        errno = error == ENOTCONN ? ECONNREFUSED : error;
        if (error == EMSGSIZE)
            log_printf("%s: a message of %zu bytes is too long for a datagram", s->out.name, len);
        else
            log_printf("%s: %m", s->out.name);
        s->out.failed = true;
    }
}

bool datagram_flush(struct sender *s)
{
    struct mmsghdr messages[SENDER_DATAGRAMS_MAX];
    struct iovec parts[SENDER_DATAGRAMS_MAX];
    unsigned count = (unsigned)s->pending;
    uint32_t start = 0;
    for (unsigned i = 0; i < count; i++) {
        parts[i] = (struct iovec){s->out.buffer.data + start, s->datagram_ends[i] - start};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
        start = s->datagram_ends[i];
    }
    for (unsigned done = 0; done < count && !s->out.failed;) {
        int n = sendmmsg(s->out.fd, messages + done, count - done, 0);
        int error = errno;
        for (int i = 0; i < n; i++)
            s->group->bytes += parts[done++].iov_len;
        s->group->sent += n > 0 ? (unsigned)n : 0;
        if (done < count && !datagram_read_refusals(s) && n < 0)
            datagram_handle_error(s, error, parts[done].iov_len);
    }
    s->pending = 0;
    s->out.buffer.len = 0;
    return !s->out.failed;
}

bool datagram_commit(struct sender *s)
{
    s->datagram_ends[s->pending - 1] = (uint32_t)s->out.buffer.len;
    return (s->pending < SENDER_DATAGRAMS_MAX && s->out.buffer.len < OUTPUT_BLOCK) ||
           datagram_flush(s);
}

void datagram_wait_refusals(struct sender *s)
{
    struct senders *group = s->group;
    struct pollfd errors = {.fd = s->out.fd};
    if (!datagram_is_udp(s))
        return;
    uint64_t now_ns = clock_monotonic();
    if (!group->refusals_until_ns)
        group->refusals_until_ns = now_ns + datagram_refusal_wait_ns;
    do {
        uint64_t left_ns =
            group->refusals_until_ns > now_ns ? group->refusals_until_ns - now_ns : 0;
        if (poll(&errors, 1, (int)((left_ns + 999999) / 1000000)) > 0)
            datagram_read_refusals(s);
        now_ns = clock_monotonic();
    } while (now_ns < group->refusals_until_ns);
    datagram_report_refused(group);
}
