#include "relay/systemd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

enum { FIRST_FD = 3 };

/* Returns the number in an environment variable, or -1 if there is none. */
static long systemd_environment(const char *variable)
{
    const char *text = getenv(variable);
    char *end;
    if (!text || *text < '0' || *text > '9')
        return -1;
    errno = 0;
    long n = strtol(text, &end, 10);
    return errno || *end ? -1 : n;
}

/* Removes the first of the names, which are separated by colons, and returns whether it is "tls".
 */
static bool systemd_next_is_tls(const char **names)
{
    if (!*names)
        return false;
    size_t len = strcspn(*names, ":");
    bool tls = len == 3 && strncmp(*names, "tls", 3) == 0;
    *names = (*names)[len] ? *names + len + 1 : NULL;
    return tls;
}

int systemd_sockets(struct systemd_socket *sockets, int capacity)
{
    long count = systemd_environment("LISTEN_FDS");
    const char *names = getenv("LISTEN_FDNAMES");
    if (systemd_environment("LISTEN_PID") != (long)getpid() || count <= 0) {
        log_printf("--listen: systemd passed no sockets");
        return 0;
    }
    if (count > capacity) {
        log_printf("--listen: systemd passed %ld sockets, but at most %d can be used", count,
                   capacity);
        return 0;
    }
    for (int i = 0; i < (int)count; i++) {
        int fd = FIRST_FD + i;
        sockets[i] = (struct systemd_socket){fd, systemd_next_is_tls(&names)};
        if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
            log_printf("--listen: systemd socket %d: %m", fd);
            return 0;
        }
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return (int)count;
}
