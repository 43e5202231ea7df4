#include "base/service.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum { SERVICE_TEXT_MAX = 512, NS_PER_US = 1000 };

static void service_send(const char *path, const char *state, size_t state_len)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    memcpy(address.sun_path, path, len);
    if (*path == '@')
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    if (fd < 0 || sendto(fd, state, state_len, MSG_NOSIGNAL | MSG_DONTWAIT,
                         (struct sockaddr *)&address, address_len) < 0)
        log_warning("NOTIFY_SOCKET: %m");
    if (fd >= 0)
        close(fd);
}

static __attribute__((format(printf, 1, 2))) void service_notify(const char *format, ...)
{
    char state[SERVICE_TEXT_MAX];
    va_list values;
    const char *path = getenv("NOTIFY_SOCKET");
    if (!path || (*path != '/' && *path != '@') ||
        strlen(path) >= sizeof((struct sockaddr_un *)NULL)->sun_path)
        return;
    va_start(values, format);
    vsnprintf(state, sizeof state, format, values);
    va_end(values);
    service_send(path, state, strlen(state));
}

void service_notify_ready(const char *status)
{
    service_notify("READY=1\nSTATUS=%s", status);
}

void service_notify_status(const char *status)
{
    service_notify("STATUS=%s", status);
}

void service_notify_reloading(void)
{
    service_notify("RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_monotonic() / NS_PER_US);
}

void service_notify_starting(const char *status, uint64_t timeout_ns)
{
    service_notify("EXTEND_TIMEOUT_USEC=%" PRIu64 "\nSTATUS=%s", timeout_ns / NS_PER_US, status);
}

void service_notify_stopping(uint64_t timeout_ns)
{
    if (timeout_ns)
        service_notify("STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRIu64 "\nSTATUS=draining",
                       timeout_ns / NS_PER_US);
    else
        service_notify("STOPPING=1\nSTATUS=draining");
}
