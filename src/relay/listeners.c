#include "relay/listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "relay/systemd.h"

/* Enough for bursts of some ten thousand datagrams; net.core.rmem_max may limit it. */
enum { RCVBUF_DEFAULT = 8 * 1024 * 1024 };

static bool listener_set_option(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

/* Closes the descriptor of a call that failed, keeping errno. */
static int listener_discard_fd(int fd)
{
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static void listener_set_rcvbuf(int fd, uint64_t configured)
{
    int size = configured ? (int)configured : RCVBUF_DEFAULT;
    int actual = 0;
    socklen_t len = sizeof actual;
    if (!listener_set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, size))
        listener_set_option(fd, SOL_SOCKET, SO_RCVBUF, size);
    if (!configured || getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &actual, &len) != 0)
        return;
    actual /= 2; /* the kernel doubles the size for its own overhead */
    if (actual < size)
        log_warning("--rcvbuf: the kernel grants only %d of %d bytes; raise net.core.rmem_max",
                    actual, size);
}

static int listener_open_ip_fd(const struct addrinfo *info, const struct relay_config *config)
{
    int fd = socket(info->ai_family, info->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    bool stream = info->ai_socktype == SOCK_STREAM;
    if (!stream)
        listener_set_rcvbuf(fd, config->rcvbuf);
    /* IPv4 has a socket of its own, so that one port can be used for both. */
    if (info->ai_family == AF_INET6)
        listener_set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if ((!stream || listener_set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1)) &&
        (!config->reuseport || listener_set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1)) &&
        bind(fd, info->ai_addr, info->ai_addrlen) == 0 && (!stream || listen(fd, SOMAXCONN) == 0))
        return fd;
    return listener_discard_fd(fd);
}

/* Returns whether the path is a socket that no process has open. */
static bool listener_path_is_stale(const struct sockaddr_un *address, int type)
{
    struct stat s;
    if (lstat(address->sun_path, &s) != 0 || !S_ISSOCK(s.st_mode))
        return false;
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    bool refused = connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 &&
                   errno == ECONNREFUSED;
    close(fd);
    return refused;
}

/* Locks the directory of a path for up to two seconds, so that no other relay mistakes a socket
 * that is not listening yet for a stale one. Returns a descriptor to close, or -1. */
static int listener_lock_directory(const struct sockaddr_un *address)
{
    enum { LOCK_ATTEMPTS = 200 };
    char directory[sizeof address->sun_path];
    const char *slash = strrchr(address->sun_path, '/');
    int len = slash ? (int)(slash - address->sun_path) + 1 : 1;
    snprintf(directory, sizeof directory, "%.*s", len, slash ? address->sun_path : ".");
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && i < LOCK_ATTEMPTS; i++)
        nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
    return fd;
}

static bool listener_bind_path(int fd, const struct sockaddr_un *address, int mode)
{
    mode_t mask = mode < 0 ? 0 : umask(~(mode_t)mode & 0777);
    bool bound = bind(fd, (const struct sockaddr *)address, sizeof *address) == 0;
    if (mode >= 0)
        umask(mask);
    return bound;
}

static int listener_open_path_fd(const struct address *address, const struct relay_config *config)
{
    struct sockaddr_un sun = address_to_unix(address);
    int type = address->transport == TRANSPORT_UNIX ? SOCK_STREAM : SOCK_DGRAM;
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    int lock = listener_lock_directory(&sun);
    bool bound = listener_bind_path(fd, &sun, config->socket_mode);
    if (!bound && errno == EADDRINUSE) {
        if (listener_path_is_stale(&sun, type) && unlink(sun.sun_path) == 0)
            bound = listener_bind_path(fd, &sun, config->socket_mode);
        else
            errno = EADDRINUSE;
    }
    bound = bound && (type == SOCK_DGRAM || listen(fd, SOMAXCONN) == 0);
    if (lock >= 0)
        listener_discard_fd(lock);
    return bound ? fd : listener_discard_fd(fd);
}

static bool listener_get_option(int fd, int name, int *value)
{
    socklen_t len = sizeof *value;
    return getsockopt(fd, SOL_SOCKET, name, value, &len) == 0;
}

/* Returns false and sets errno if the descriptor is not a socket that we can listen on. */
static bool listener_find_transport(int fd, bool tls, enum transport *transport)
{
    int domain;
    int type;
    int listening;
    if (!listener_get_option(fd, SO_DOMAIN, &domain) || !listener_get_option(fd, SO_TYPE, &type) ||
        !listener_get_option(fd, SO_ACCEPTCONN, &listening))
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

static void listener_set_name(struct listener *l)
{
    union {
        struct sockaddr any;
        struct sockaddr_un path;
        struct sockaddr_storage storage;
    } own = {0};
    socklen_t len = sizeof own;
    char name[SOCKADDR_FORMAT_MAX];
    if (getsockname(l->io.fd, &own.any, &len) != 0)
        own.any.sa_family = AF_UNSPEC;
    if (own.any.sa_family == AF_UNIX) {
        snprintf(l->name, sizeof l->name, "%s:%.*s", transport_name(l->transport),
                 (int)sizeof own.path.sun_path, own.path.sun_path);
    } else {
        sockaddr_format(&own.any, len, name);
        snprintf(l->name, sizeof l->name, "%s://%s", transport_name(l->transport), name);
    }
}

/* Accepted connections inherit this, so that those of dead peers end after two minutes. */
static void listener_enable_keepalive(int fd)
{
    listener_set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    listener_set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
    listener_set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
    listener_set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 6);
}

/* Adds a socket that is bound. Returns NULL and sets errno if we cannot listen on it. */
static struct listener *listeners_add(struct listeners *list, int fd, bool tls)
{
    struct listener *l = &list->items[list->count];
    *l = (struct listener){.io.fd = fd};
    if (!listener_find_transport(fd, tls, &l->transport))
        return NULL;
    listener_set_name(l);
    if (l->transport == TRANSPORT_TCP || l->transport == TRANSPORT_TLS)
        listener_enable_keepalive(fd);
    if (l->transport == TRANSPORT_UNIXGRAM && !listener_set_option(fd, SOL_SOCKET, SO_PASSCRED, 1))
        log_warning("%s: cannot identify senders: %m", l->name);
    log_info("listening on %s", l->name);
    list->count++;
    return l;
}

static void listener_log_error(const struct address *address, int error)
{
    enum { PORT_UNPRIVILEGED = 1024 };
    char text[ADDRESS_FORMAT_MAX];
    bool privileged = error == EACCES && !transport_is_unix(address->transport) &&
                      strtoul(address->port, NULL, 10) < PORT_UNPRIVILEGED;
    address_format(address, text);
    log_printf("%s: %s%s", text, strerror(error),
               privileged ? "; a port below 1024 requires CAP_NET_BIND_SERVICE" : "");
}

/* A name may have an address of a family that this machine lacks; any other error is fatal. */
static bool listener_family_is_missing(int error)
{
    return error == EAFNOSUPPORT || error == EADDRNOTAVAIL;
}

/* Opens a socket for every address that a name has. */
static bool listeners_open_ip(struct listeners *list, const struct address *address,
                              const struct relay_config *config)
{
    struct addrinfo *found = address_resolve(address, true);
    if (!found)
        return false;
    int before = list->count;
    int error = 0;
    for (const struct addrinfo *i = found; i && list->count < LISTENERS_MAX; i = i->ai_next) {
        int fd = listener_open_ip_fd(i, config);
        bool added = fd >= 0 && listeners_add(list, fd, address->transport == TRANSPORT_TLS);
        if (!added && (!error || !listener_family_is_missing(errno)))
            error = errno;
    }
    freeaddrinfo(found);
    if (list->count > before && (!error || listener_family_is_missing(error)))
        return true;
    listener_log_error(address, error);
    return false;
}

static bool listeners_open_path(struct listeners *list, const struct address *address,
                                const struct relay_config *config)
{
    struct stat s;
    int fd = listener_open_path_fd(address, config);
    struct listener *l = fd < 0 ? NULL : listeners_add(list, fd, false);
    if (!l) {
        listener_log_error(address, errno);
        return false;
    }
    if (lstat(address->path, &s) == 0) {
        l->owns_path = true;
        l->device = s.st_dev;
        l->inode = s.st_ino;
    }
    return true;
}

static bool listeners_open_systemd(struct listeners *list)
{
    struct systemd_socket sockets[LISTENERS_MAX];
    int count = systemd_sockets(sockets, LISTENERS_MAX - list->count);
    for (int i = 0; i < count; i++) {
        if (!listeners_add(list, sockets[i].fd, sockets[i].tls)) {
            log_printf("--listen: systemd socket %d: %m", sockets[i].fd);
            return false;
        }
    }
    return count > 0;
}

bool listeners_open(struct listeners *l, const struct relay_config *config)
{
    l->count = 0;
    for (size_t i = 0; i < config->listen_count; i++) {
        const struct address *address = &config->listen[i];
        if (l->count == LISTENERS_MAX) {
            char text[ADDRESS_FORMAT_MAX];
            address_format(address, text);
            log_printf("%s: too many listeners (at most %d)", text, LISTENERS_MAX);
            return false;
        }
        bool opened = transport_is_unix(address->transport)
                          ? listeners_open_path(l, address, config)
                          : listeners_open_ip(l, address, config);
        if (!opened)
            return false;
    }
    return !config->listen_systemd || listeners_open_systemd(l);
}

static void listener_close(struct listener *l)
{
    struct stat s;
    const char *path = strchr(l->name, ':') + 1;
    if (l->owns_path && lstat(path, &s) == 0 && s.st_dev == l->device && s.st_ino == l->inode)
        unlink(path);
    close(l->io.fd);
}

void listeners_close(struct listeners *l)
{
    while (l->count)
        listener_close(&l->items[--l->count]);
}
