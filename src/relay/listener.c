#include "relay/listener.h"

#include <errno.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/report.h"

static int open_one(const struct addrinfo *at)
{
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static void announce(int fd)
{
    struct sockaddr_storage own;
    socklen_t length = sizeof own;
    char name[ADDRESS_NAME] = "unknown";
    if (getsockname(fd, (struct sockaddr *)&own, &length) == 0)
        address_name((struct sockaddr *)&own, length, name);
    report("listening on tcp://%s", name);
}

int listener_open(const struct address *address, int *fds, int room)
{
    char text[ADDRESS_TEXT];
    struct addrinfo *found = address_resolve(address, true);
    if (!found)
        return 0;
    int opened = 0;
    int error = 0;
    for (const struct addrinfo *at = found; at && opened < room; at = at->ai_next) {
        fds[opened] = open_one(at);
        if (fds[opened] >= 0)
            announce(fds[opened++]);
        else if (!error || (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL))
            error = errno;
    }
    freeaddrinfo(found);
    /* A name may stand for an address of a family that this machine lacks; all else is an error. */
    bool lacking = error == EAFNOSUPPORT || error == EADDRNOTAVAIL;
    if (opened && (!error || lacking))
        return opened;
    address_text(address, text);
    errno = error;
    report(room ? "%s: %m" : "%s: no more addresses can be listened on", text);
    while (opened)
        close(fds[--opened]);
    return 0;
}
