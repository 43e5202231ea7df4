#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_LEN = 2048 };

static pthread_mutex_t log_mutex = PTHREAD_MUTEX_INITIALIZER;
static size_t status_len; /* bytes of the status line on the terminal, 0 if there is none */

static void log_write_all(const char *p, size_t n)
{
    while (n) {
        ssize_t wrote = write(STDERR_FILENO, p, n);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return; /* there is no other place to report it */
        p += wrote;
        n -= (size_t)wrote;
    }
}

/* Writes the sequence that erases the status line to `to`, and returns its length. */
static size_t log_format_erase(char *to, size_t size)
{
    const char *no_color = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    if (!status_len)
        return 0;
    if ((no_color && *no_color) || (terminal && strcmp(terminal, "dumb") == 0))
        return (size_t)snprintf(to, size, "\r%*s\r", (int)status_len, "");
    return (size_t)snprintf(to, size, "\r\033[K");
}

/* Requires the lock. */
static void log_print_line(bool is_status, const char *format, va_list values)
{
    int saved = errno;
    char line[2 * LINE_MAX_LEN + 2];
    size_t n = log_format_erase(line, sizeof line);
    size_t start = n;
    size_t size = n + LINE_MAX_LEN;
    n += (size_t)snprintf(line + n, size - n, "%s: ", program_invocation_short_name);
    errno = saved;
    int formatted = vsnprintf(line + n, size - n, format, values);
    if (formatted > 0)
        n += (size_t)formatted;
    if (n > size - 1)
        n = size - 1;
    for (size_t i = start; i < n; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == 127)
            line[i] = '?'; /* a peer chose these bytes; one call is one line */
    status_len = is_status ? n - start : 0;
    if (!is_status)
        line[n++] = '\n';
    log_write_all(line, n);
    errno = saved;
}

void log_printf(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    int saved = errno;
    pthread_mutex_lock(&log_mutex);
    errno = saved;
    log_print_line(false, format, values);
    pthread_mutex_unlock(&log_mutex);
    va_end(values);
}

void log_status(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    pthread_mutex_lock(&log_mutex);
    log_print_line(isatty(STDERR_FILENO), format, values);
    pthread_mutex_unlock(&log_mutex);
    va_end(values);
}

void log_try(const char *format, ...)
{
    struct pollfd writable = {.fd = STDERR_FILENO, .events = POLLOUT};
    va_list values;
    va_start(values, format);
    if (poll(&writable, 1, 0) == 1 && pthread_mutex_trylock(&log_mutex) == 0) {
        log_print_line(false, format, values);
        pthread_mutex_unlock(&log_mutex);
    }
    va_end(values);
}

void log_status_end(void)
{
    pthread_mutex_lock(&log_mutex);
    if (status_len)
        log_write_all("\n", 1);
    status_len = 0;
    pthread_mutex_unlock(&log_mutex);
}

void log_status_clear(void)
{
    char line[LINE_MAX_LEN + 2];
    pthread_mutex_lock(&log_mutex);
    log_write_all(line, log_format_erase(line, sizeof line));
    status_len = 0;
    pthread_mutex_unlock(&log_mutex);
}
