#include "relay/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

/* For a burst of some ten thousand datagrams; the kernel gives less where rmem_max is less. */
enum { RCVBUF = 8 * 1024 * 1024 };

static bool set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

/* Closes it, for a call that failed, and keeps the reason. */
static int give_up(int fd)
{
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static void set_rcvbuf(int fd, uint64_t asked)
{
    int size = asked ? (int)asked : RCVBUF;
    int got = 0;
    socklen_t length = sizeof got;
    if (!set(fd, SOL_SOCKET, SO_RCVBUFFORCE, size))
        set(fd, SOL_SOCKET, SO_RCVBUF, size);
    if (!asked || getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &length) != 0)
        return;
    got /= 2; /* the kernel doubles it for its own book-keeping */
    if (got < size)
        log_printf("--rcvbuf: the system gives only %d bytes; raise net.core.rmem_max", got);
}

static int open_ip(const struct addrinfo *at, const struct relay_config *config)
{
    int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    bool stream = at->ai_socktype == SOCK_STREAM;
    if (!stream)
        set_rcvbuf(fd, config->rcvbuf);
    if ((!stream || set(fd, SOL_SOCKET, SO_REUSEADDR, 1)) &&
        (!config->reuseport || set(fd, SOL_SOCKET, SO_REUSEPORT, 1)) &&
        bind(fd, at->ai_addr, at->ai_addrlen) == 0 && (!stream || listen(fd, SOMAXCONN) == 0))
        return fd;
    return give_up(fd);
}

static int open_all_of_host(const struct address *address, const struct relay_config *config,
                            struct listener *listeners, int room)
{
    char text[ADDRESS_FORMAT_MAX];
    struct addrinfo *found = address_resolve(address, true);
    if (!found)
        return 0;
    int opened = 0;
    int error = 0;
    for (const struct addrinfo *at = found; at && opened < room; at = at->ai_next) {
        int fd = open_ip(at, config);
        if (fd >= 0 && listener_adopt(&listeners[opened], fd, address->transport == TRANSPORT_TLS))
            opened++;
        else if (!error || (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL))
            error = errno;
    }
    freeaddrinfo(found);
    /* A name may stand for an address of a family that this machine lacks; all else is an error. */
    bool lacking = error == EAFNOSUPPORT || error == EADDRNOTAVAIL;
    if (opened && (!error || lacking))
        return opened;
    address_format(address, text);
    errno = error;
    log_printf("%s: %m", text);
    while (opened)
        listener_close(&listeners[--opened]);
    return 0;
}

/* Whether the path is a socket that nobody has open any more. */
static bool stale(const struct sockaddr_un *at, int type)
{
    struct stat s;
    if (lstat(at->sun_path, &s) != 0 || !S_ISSOCK(s.st_mode))
        return false;
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    bool refused =
        connect(fd, (const struct sockaddr *)at, sizeof *at) != 0 && errno == ECONNREFUSED;
    close(fd);
    return refused;
}

static bool bind_unix(int fd, const struct sockaddr_un *at, int mode)
{
    mode_t mask = mode < 0 ? 0 : umask(~(mode_t)mode & 0777);
    bool bound = bind(fd, (const struct sockaddr *)at, sizeof *at) == 0;
    if (mode >= 0)
        umask(mask);
    return bound;
}

static int open_unix(const struct address *address, const struct relay_config *config)
{
    struct sockaddr_un at = address_to_unix(address);
    int type = address->transport == TRANSPORT_UNIX ? SOCK_STREAM : SOCK_DGRAM;
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    bool bound = bind_unix(fd, &at, config->socket_mode);
    if (!bound && errno == EADDRINUSE) {
        if (stale(&at, type) && unlink(at.sun_path) == 0)
            bound = bind_unix(fd, &at, config->socket_mode);
        else
            errno = EADDRINUSE;
    }
    if (bound && (type == SOCK_DGRAM || listen(fd, SOMAXCONN) == 0))
        return fd;
    return give_up(fd);
}

static int open_path(const struct address *address, const struct relay_config *config,
                     struct listener *l)
{
    struct stat s;
    int fd = open_unix(address, config);
    if (fd < 0 || !listener_adopt(l, fd, false)) {
        char text[ADDRESS_FORMAT_MAX];
        address_format(address, text);
        log_printf("%s: %m", text);
        return 0;
    }
    if (lstat(address->path, &s) == 0) {
        l->ours = true;
        l->device = s.st_dev;
        l->inode = s.st_ino;
    }
    return 1;
}

int listener_open(const struct address *address, const struct relay_config *config,
                  struct listener *listeners, int room)
{
    if (room == 0) {
        char text[ADDRESS_FORMAT_MAX];
        address_format(address, text);
        log_printf("%s: no more addresses can be listened on", text);
        return 0;
    }
    if (transport_is_unix(address->transport))
        return open_path(address, config, listeners);
    return open_all_of_host(address, config, listeners, room);
}

static bool option(int fd, int name, int *value)
{
    socklen_t length = sizeof *value;
    return getsockopt(fd, SOL_SOCKET, name, value, &length) == 0;
}

/* False, with errno, where it is no socket that we can listen on. */
static bool find_transport(int fd, bool tls, enum transport *transport)
{
    int domain;
    int type;
    int listening;
    if (!option(fd, SO_DOMAIN, &domain) || !option(fd, SO_TYPE, &type) ||
        !option(fd, SO_ACCEPTCONN, &listening))
        return false;
    bool ip = domain == AF_INET || domain == AF_INET6;
    errno = EINVAL;
    if ((!ip && domain != AF_UNIX) || (type != SOCK_DGRAM && (type != SOCK_STREAM || !listening)))
        return false;
    if (ip)
        *transport = type == SOCK_DGRAM ? TRANSPORT_UDP : tls ? TRANSPORT_TLS : TRANSPORT_TCP;
    else
        *transport = type == SOCK_DGRAM ? TRANSPORT_UNIXGRAM : TRANSPORT_UNIX;
    return true;
}

static void name_socket(struct listener *l)
{
    union {
        struct sockaddr any;
        struct sockaddr_un path;
        struct sockaddr_storage room;
    } own = {0};
    socklen_t length = sizeof own;
    char name[SOCKADDR_FORMAT_MAX];
    if (getsockname(l->fd, &own.any, &length) != 0)
        own.any.sa_family = AF_UNSPEC;
    if (own.any.sa_family == AF_UNIX) {
        snprintf(l->name, sizeof l->name, "%s:%.*s", transport_name(l->transport),
                 (int)sizeof own.path.sun_path, own.path.sun_path);
    } else {
        sockaddr_format(&own.any, length, name);
        snprintf(l->name, sizeof l->name, "%s://%s", transport_name(l->transport), name);
    }
}

bool listener_adopt(struct listener *l, int fd, bool tls)
{
    *l = (struct listener){.fd = fd};
    if (!find_transport(fd, tls, &l->transport))
        return false;
    name_socket(l);
    if (l->transport == TRANSPORT_UNIXGRAM && !set(fd, SOL_SOCKET, SO_PASSCRED, 1))
        log_printf("%s: who sends cannot be told: %m", l->name);
    log_printf("listening on %s", l->name);
    return true;
}

void listener_close(struct listener *l)
{
    struct stat s;
    const char *path = strchr(l->name, ':') + 1;
    if (l->ours && lstat(path, &s) == 0 && s.st_dev == l->device && s.st_ino == l->inode)
        unlink(path);
    close(l->fd);
}
