#include "relay/systemd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum { FIRST_FD = 3 };

/* A number in the environment; -1 where there is none. */
static long number(const char *variable)
{
    const char *text = getenv(variable);
    char *end;
    if (!text || *text < '0' || *text > '9')
        return -1;
    errno = 0;
    long n = strtol(text, &end, 10);
    return errno || *end ? -1 : n;
}

/* Whether the next of the names between colons is "tls". */
static bool next_is_tls(const char **names)
{
    if (!*names)
        return false;
    size_t length = strcspn(*names, ":");
    bool tls = length == 3 && strncmp(*names, "tls", 3) == 0;
    *names = (*names)[length] ? *names + length + 1 : NULL;
    return tls;
}

int systemd_listen(struct listener *listeners, int room)
{
    long count = number("LISTEN_FDS");
    const char *names = getenv("LISTEN_FDNAMES");
    if (number("LISTEN_PID") != (long)getpid() || count <= 0) {
        log_printf("--listen: systemd passed no sockets");
        return 0;
    }
    if (count > room) {
        log_printf("--listen: systemd passed %ld sockets; no more than %d can be listened on",
                   count, room);
        return 0;
    }
    for (int i = 0; i < (int)count; i++) {
        int fd = FIRST_FD + i;
        bool tls = next_is_tls(&names);
        if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0 ||
            !listener_adopt(&listeners[i], fd, tls)) {
            log_printf("--listen: socket %d of systemd: %m", fd);
            return 0;
        }
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return (int)count;
}

static void notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (!path || (*path != '/' && *path != '@') || strlen(path) >= sizeof at.sun_path)
        return;
    size_t length = strlen(path);
    memcpy(at.sun_path, path, length);
    if (*path == '@')
        at.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    if (fd < 0 || sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&at, size) < 0)
        log_printf("NOTIFY_SOCKET: %m");
    if (fd >= 0)
        close(fd);
}

void systemd_notify_ready(int listeners)
{
    char state[64];
    snprintf(state, sizeof state, "READY=1\nSTATUS=listening on %d socket%s", listeners,
             listeners == 1 ? "" : "s");
    notify(state);
}

void systemd_notify_reloading(void)
{
    char state[64];
    snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_monotonic() / 1000);
    notify(state);
}

void systemd_notify_stopping(void)
{
    notify("STOPPING=1\nSTATUS=draining");
}
