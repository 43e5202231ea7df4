#include "base/stats-share.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

static const char variable[] = "SHNEK_STATS_FD";

static struct stats_share *stats_share_map(int fd)
{
    void *map = mmap(NULL, sizeof(struct stats_share), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return map == MAP_FAILED ? NULL : map;
}

struct stats_share *stats_share_open(int *fd)
{
    struct stats_share *s = NULL;
    *fd = memfd_create("shnek-stats", MFD_CLOEXEC);
    if (*fd >= 0 && ftruncate(*fd, sizeof *s) == 0)
        s = stats_share_map(*fd);
    if (!s)
        log_printf("shared counters: %m");
    if (!s && *fd >= 0)
        close(*fd);
    return s;
}

void stats_share_close(struct stats_share *s)
{
    if (s)
        munmap(s, sizeof *s);
}

bool stats_share_export(int fd)
{
    char number[12];
    snprintf(number, sizeof number, "%d", fd);
    return fcntl(fd, F_SETFD, 0) == 0 && setenv(variable, number, 1) == 0;
}

/* The size is compared because another release may count differently. */
static bool stats_share_is_valid(int fd)
{
    struct stat s;
    int seals = fcntl(fd, F_GET_SEALS);
    return seals >= 0 && fstat(fd, &s) == 0 && s.st_size == sizeof(struct stats_share);
}

struct stats *stats_share_attach(struct stats *own)
{
    const char *text = getenv(variable);
    int fd = text ? (int)strtol(text, NULL, 10) : -1;
    if (!text || !stats_share_is_valid(fd))
        return own;
    unsetenv(variable);
    struct stats_share *s = stats_share_map(fd);
    close(fd);
    if (!s)
        return own;
    atomic_store(&s->stats.is_part_of_line, true);
    atomic_store(&s->pid, getpid());
    return &s->stats;
}
