#include "load/sender.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/report.h"

enum { ACK_POLL_MS = 10 };

static int connect_one(const struct addrinfo *at)
{
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, at->ai_addr, at->ai_addrlen) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

bool sender_connect(struct sender *s, const char *destination)
{
    struct address address;
    if (!address_parse("DESTINATION", destination, &address))
        return false;
    struct addrinfo *found = address_resolve(&address, false);
    if (!found)
        return false;
    int fd = -1;
    for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next)
        fd = connect_one(at);
    if (fd < 0)
        report("%s: %m", destination);
    else
        output_start(&s->out, fd, destination);
    freeaddrinfo(found);
    return fd >= 0;
}

bool sender_flush(struct sender *s, uint64_t *sent, uint64_t *bytes)
{
    size_t length = s->out.buffer.len;
    if (!output_flush(&s->out))
        return false;
    *bytes += length;
    *sent += s->waiting;
    s->waiting = 0;
    return true;
}

/* What the peer's kernel did not acknowledge would be lost with a reset. */
static bool acknowledged(const struct sender *s)
{
    char answer[256];
    int unsent = 0;
    struct pollfd peer = {.fd = s->out.fd, .events = POLLIN};
    if (shutdown(s->out.fd, SHUT_WR) != 0)
        return false;
    while (ioctl(s->out.fd, SIOCOUTQ, &unsent) == 0 && unsent > 0) {
        if (poll(&peer, 1, ACK_POLL_MS) <= 0)
            continue;
        ssize_t n = recv(s->out.fd, answer, sizeof answer, MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (n == 0)
            peer.fd = -1; /* it has closed its side; its kernel may still take ours */
    }
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(s->out.fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
        return false;
    errno = error;
    return error == 0;
}

bool sender_end(struct sender *s, bool connected)
{
    if (connected && !s->out.failed && !acknowledged(s)) {
        report("%s: %m", s->out.name);
        s->out.failed = true;
    }
    return output_end(&s->out);
}
