#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

enum { LINE = 2048, COMPLAINTS_PER_SECOND = 10 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static size_t open_line; /* its bytes */

static void write_all(const char *p, size_t n)
{
    while (n) {
        ssize_t wrote = write(STDERR_FILENO, p, n);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return; /* nowhere is left to say so */
        p += wrote;
        n -= (size_t)wrote;
    }
}

/* What takes the open line away. */
static size_t erase(char *to, size_t size)
{
    const char *no_color = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    if (!open_line)
        return 0;
    if ((no_color && *no_color) || (terminal && strcmp(terminal, "dumb") == 0))
        return (size_t)snprintf(to, size, "\r%*s\r", (int)open_line, "");
    return (size_t)snprintf(to, size, "\r\033[K");
}

/* To be called with the lock held. */
static void print(bool live, const char *format, va_list values)
{
    int saved = errno;
    char line[2 * LINE + 2];
    size_t n = erase(line, sizeof line);
    size_t start = n;
    size_t size = n + LINE;
    n += (size_t)snprintf(line + n, size - n, "%s: ", program_invocation_short_name);
    errno = saved;
    int wanted = vsnprintf(line + n, size - n, format, values);
    if (wanted > 0)
        n += (size_t)wanted;
    if (n > size - 1)
        n = size - 1;
    for (size_t i = start; i < n; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == 127)
            line[i] = '?'; /* names come from outside; one report is one line */
    open_line = live ? n - start : 0;
    if (!live)
        line[n++] = '\n';
    write_all(line, n);
    errno = saved;
}

void report(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    int saved = errno;
    pthread_mutex_lock(&lock);
    errno = saved;
    print(false, format, values);
    pthread_mutex_unlock(&lock);
    va_end(values);
}

void report_live(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    pthread_mutex_lock(&lock);
    print(isatty(STDERR_FILENO), format, values);
    pthread_mutex_unlock(&lock);
    va_end(values);
}

void report_last(const char *format, ...)
{
    struct pollfd room = {.fd = STDERR_FILENO, .events = POLLOUT};
    va_list values;
    va_start(values, format);
    if (poll(&room, 1, 0) == 1 && pthread_mutex_trylock(&lock) == 0) {
        print(false, format, values);
        pthread_mutex_unlock(&lock);
    }
    va_end(values);
}

void report_settle(void)
{
    pthread_mutex_lock(&lock);
    if (open_line)
        write_all("\n", 1);
    open_line = 0;
    pthread_mutex_unlock(&lock);
}

void report_clear(void)
{
    char line[LINE + 2];
    pthread_mutex_lock(&lock);
    write_all(line, erase(line, sizeof line));
    open_line = 0;
    pthread_mutex_unlock(&lock);
}

bool complaints_allow(struct complaints *c)
{
    if (c->quiet)
        return false;
    uint64_t second = clock_monotonic() / NS_PER_S;
    if (second != c->second) {
        complaints_settle(c);
        c->second = second;
        c->printed = 0;
    }
    if (c->printed == COMPLAINTS_PER_SECOND) {
        c->held_back++;
        return false;
    }
    c->printed++;
    return true;
}

void complain(struct complaints *c, const char *source, uint64_t number,
              const struct defect *defect)
{
    if (complaints_allow(c))
        report("%s:%" PRIu64 ": %s: %s (at byte %" PRIu64 ")", source, number, defect->field,
               defect->reason, defect->offset);
}

void complaints_tick(struct complaints *c)
{
    if (c->held_back && clock_monotonic() / NS_PER_S != c->second)
        complaints_settle(c);
}

void complaints_settle(struct complaints *c)
{
    if (c->held_back)
        report("%" PRIu64 " more such lines held back", c->held_back);
    c->held_back = 0;
}
