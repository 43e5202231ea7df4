#include "load/destination.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

static int destination_connect_address(int family, int type, const struct sockaddr *address,
                                       socklen_t len)
{
    int fd = socket(family, type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int on = 1;
    if (type == SOCK_STREAM && family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, address, len) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static int destination_try_connect(const struct destination *to)
{
    int type = transport_is_datagram(to->address.transport) ? SOCK_DGRAM : SOCK_STREAM;
    int fd = -1;
    if (transport_is_unix(to->address.transport)) {
        struct sockaddr_un at = address_to_unix(&to->address);
        fd = destination_connect_address(AF_UNIX, type, (const struct sockaddr *)&at, sizeof at);
    } else {
        struct addrinfo *found = address_resolve(&to->address, false);
        if (!found) {
            errno = 0; /* it was reported */
            return -1;
        }
        for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next)
            fd = destination_connect_address(at->ai_family, type, at->ai_addr, at->ai_addrlen);
        freeaddrinfo(found);
    }
    return fd;
}

static bool destination_may_appear(int error)
{
    return error == ECONNREFUSED || error == ENOENT;
}

int destination_connect(const struct destination *to)
{
    static const struct timespec pause = {.tv_nsec = 10000000};
    uint64_t until = clock_monotonic() + to->connect_timeout_ns;
    int fd;
    while ((fd = destination_try_connect(to)) < 0 && destination_may_appear(errno) &&
           clock_monotonic() < until)
        nanosleep(&pause, NULL);
    if (fd < 0 && errno)
        log_printf("%s: %m", to->text);
    return fd;
}
