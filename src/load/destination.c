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

int destination_connect_once(const struct destination *destination)
{
    int type = transport_is_datagram(destination->address.transport) ? SOCK_DGRAM : SOCK_STREAM;
    int fd = -1;
    if (transport_is_unix(destination->address.transport)) {
        struct sockaddr_un path = address_to_unix(&destination->address);
        fd =
            destination_connect_address(AF_UNIX, type, (const struct sockaddr *)&path, sizeof path);
    } else {
        struct addrinfo *found = address_resolve(&destination->address, false);
        if (!found) {
            errno = 0; /* address_resolve() has logged the reason */
            return -1;
        }
        for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next)
            fd = destination_connect_address(at->ai_family, type, at->ai_addr, at->ai_addrlen);
        freeaddrinfo(found);
    }
    return fd;
}

/* The errors of a receiver that is not listening yet. */
static bool destination_may_appear(int error)
{
    return error == ECONNREFUSED || error == ENOENT;
}

int destination_connect(const struct destination *destination)
{
    static const struct timespec pause = {.tv_nsec = 10000000};
    uint64_t deadline_ns = clock_monotonic() + destination->connect_timeout_ns;
    int fd;
    while ((fd = destination_connect_once(destination)) < 0 && destination_may_appear(errno) &&
           clock_monotonic() < deadline_ns)
        nanosleep(&pause, NULL);
    if (fd < 0 && errno)
        log_printf("%s: %m", destination->text);
    return fd;
}
