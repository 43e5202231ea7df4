#include "load/destination.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

static int connect_one(int family, int type, const struct sockaddr *at, socklen_t length)
{
    int fd = socket(family, type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int on = 1;
    if (type == SOCK_STREAM && family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, at, length) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static int connect_any(const struct destination *to)
{
    int type = transport_is_datagram(to->address.transport) ? SOCK_DGRAM : SOCK_STREAM;
    int fd = -1;
    if (transport_is_unix(to->address.transport)) {
        struct sockaddr_un at = address_to_unix(&to->address);
        fd = connect_one(AF_UNIX, type, (const struct sockaddr *)&at, sizeof at);
    } else {
        struct addrinfo *found = address_resolve(&to->address, false);
        if (!found) {
            errno = 0; /* it was reported */
            return -1;
        }
        for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next)
            fd = connect_one(at->ai_family, type, at->ai_addr, at->ai_addrlen);
        freeaddrinfo(found);
    }
    return fd;
}

static bool is_absent(int error)
{
    return error == ECONNREFUSED || error == ENOENT;
}

int destination_connect(const struct destination *to)
{
    static const struct timespec pause = {.tv_nsec = 10000000};
    uint64_t until = clock_monotonic() + to->patience;
    int fd;
    while ((fd = connect_any(to)) < 0 && is_absent(errno) && clock_monotonic() < until)
        nanosleep(&pause, NULL);
    if (fd < 0 && errno)
        log_printf("%s: %m", to->text);
    return fd;
}
