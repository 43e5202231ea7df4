#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/printable.h"

enum { LINE_MAX_LEN = 2048, NUMBER_MAX_LEN = 20 };

enum log_priority { LOG_PRIORITY_ERROR = 3, LOG_PRIORITY_WARNING = 4, LOG_PRIORITY_INFO = 6 };

static pthread_mutex_t log_mutex = PTHREAD_MUTEX_INITIALIZER;
static size_t status_len; /* bytes of the status line on the terminal, 0 if there is none */

static uint64_t dropped; /* lines that stderr did not accept, since the last report */
static bool cut;         /* the last line was written only in part */

/* Returns a descriptor for one write that cannot block, or -1 if there is none. O_NONBLOCK on
 * stderr itself would apply to the other processes that share it, so it is opened another time. */
static int log_open_nonblocking(const struct stat *s)
{
    if (!S_ISFIFO(s->st_mode) && !isatty(STDERR_FILENO))
        return -1;
    return open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* Writes as much as stderr accepts without blocking. A file is waited for. */
static ssize_t log_write_some(const char *p, size_t n)
{
    struct stat s = {0};
    fstat(STDERR_FILENO, &s); /* may fail; then it is treated as a file */
    if (S_ISSOCK(s.st_mode))
        return send(STDERR_FILENO, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    int fd = log_open_nonblocking(&s);
    if (fd < 0) {
        struct pollfd writable = {.fd = STDERR_FILENO, .events = POLLOUT};
        if (poll(&writable, 1, 0) != 0) /* a failure of poll() must not hide the line */
            return write(STDERR_FILENO, p, n);
        errno = EAGAIN;
        return -1;
    }
    ssize_t wrote = write(fd, p, n);
    close(fd);
    return wrote;
}

/* Returns false if some bytes could not be written; there is no other place to report that. */
static bool log_write(const char *p, size_t n)
{
    ssize_t wrote;
    do
        wrote = log_write_some(p, n);
    while (wrote < 0 && errno == EINTR);
    if (wrote > 0)
        cut = (size_t)wrote < n;
    return wrote == (ssize_t)n;
}

/* Another program may have inherited the variable, but not stderr: it names device and inode. */
static bool log_is_journal(void)
{
    struct stat s;
    char stream[2 * NUMBER_MAX_LEN + 2];
    const char *named = getenv("JOURNAL_STREAM");
    if (!named || fstat(STDERR_FILENO, &s) != 0)
        return false;
    snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)s.st_dev, (uintmax_t)s.st_ino);
    return strcmp(named, stream) == 0;
}

/* Writes the prefix of a line for the journal to `to`, and returns its length. */
static size_t log_format_priority(char *to, size_t size, enum log_priority priority)
{
    return log_is_journal() ? (size_t)snprintf(to, size, "<%d>", (int)priority) : 0;
}

/* Requires the lock. Returns false if stderr still does not accept lines. */
static bool log_report_dropped(void)
{
    char line[128];
    char priority[8] = "";
    if (!dropped)
        return true;
    log_format_priority(priority, sizeof priority, LOG_PRIORITY_WARNING);
    int n = snprintf(
        line, sizeof line, "%s%s%s: %" PRIu64 " line%s not logged, because stderr was blocked\n",
        cut ? "\n" : "", priority, program_invocation_short_name, dropped, dropped == 1 ? "" : "s");
    if (!log_write(line, (size_t)n))
        return false;
    dropped = 0;
    return true;
}

static void log_report_at_exit(void)
{
    if (pthread_mutex_trylock(&log_mutex) != 0)
        return;
    log_report_dropped();
    pthread_mutex_unlock(&log_mutex);
}

/* Requires the lock. */
static void log_write_line(const char *p, size_t n)
{
    static bool registered;
    if (log_report_dropped() && log_write(p, n))
        return;
    dropped++;
    if (!registered)
        registered = atexit(log_report_at_exit) == 0;
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
static void log_print_line(bool is_status, enum log_priority priority, const char *format,
                           va_list values)
{
    int saved = errno;
    char line[2 * LINE_MAX_LEN + 2];
    size_t n = log_format_erase(line, sizeof line);
    n += log_format_priority(line + n, sizeof line - n, priority);
    size_t start = n;
    size_t size = n + LINE_MAX_LEN;
    n += (size_t)snprintf(line + n, size - n, "%s: ", program_invocation_short_name);
    errno = saved;
    int formatted = vsnprintf(line + n, size - n, format, values);
    if (formatted > 0)
        n += (size_t)formatted;
    if (n > size - 1)
        n = size - 1;
    n = start + printable_copy(line + start, (struct slice){line + start, n - start});
    status_len = is_status ? n - start : 0;
    if (!is_status)
        line[n++] = '\n';
    log_write_line(line, n);
    errno = saved;
}

static void log_print(enum log_priority priority, const char *format, va_list values)
{
    int saved = errno;
    pthread_mutex_lock(&log_mutex);
    errno = saved;
    log_print_line(false, priority, format, values);
    pthread_mutex_unlock(&log_mutex);
}

void log_printf(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    log_print(LOG_PRIORITY_ERROR, format, values);
    va_end(values);
}

void log_warning(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    log_print(LOG_PRIORITY_WARNING, format, values);
    va_end(values);
}

void log_info(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    log_print(LOG_PRIORITY_INFO, format, values);
    va_end(values);
}

void log_status(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    pthread_mutex_lock(&log_mutex);
    log_print_line(isatty(STDERR_FILENO), LOG_PRIORITY_INFO, format, values);
    pthread_mutex_unlock(&log_mutex);
    va_end(values);
}

static void log_try_print(enum log_priority priority, const char *format, va_list values)
{
    if (pthread_mutex_trylock(&log_mutex) == 0) {
        log_print_line(false, priority, format, values);
        pthread_mutex_unlock(&log_mutex);
    }
}

void log_try(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    log_try_print(LOG_PRIORITY_ERROR, format, values);
    va_end(values);
}

void log_try_info(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    log_try_print(LOG_PRIORITY_INFO, format, values);
    va_end(values);
}

void log_status_end(void)
{
    pthread_mutex_lock(&log_mutex);
    if (status_len)
        log_write("\n", 1);
    status_len = 0;
    pthread_mutex_unlock(&log_mutex);
}

void log_status_clear(void)
{
    char line[LINE_MAX_LEN + 2];
    pthread_mutex_lock(&log_mutex);
    log_write(line, log_format_erase(line, sizeof line));
    status_len = 0;
    pthread_mutex_unlock(&log_mutex);
}
