#include "base/output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/retry.h"

enum { PIPE_SIZE = 256 * 1024 };

void output_init(struct output *out, int fd, const char *name)
{
    *out = (struct output){.fd = fd, .name = name};
    fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE); /* fails harmlessly: not a pipe, or over quota */
}

static bool output_open(struct output *out, const char *flag, const char *path, int flags,
                        mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, mode);
    if (fd < 0) {
        log_printf("%s: %s: %m", flag, path);
        return false;
    }
    output_init(out, fd, path);
    return true;
}

bool output_open_append(struct output *out, const char *flag, const char *path)
{
    return output_open(out, flag, path, O_APPEND, 0600);
}

bool output_open_truncate(struct output *out, const char *flag, const char *path)
{
    *out = (struct output){.fd = -1};
    if (!path)
        return true;
    if (strcmp(path, "-") != 0)
        return output_open(out, flag, path, O_TRUNC, 0666);
    output_init(out, STDOUT_FILENO, "stdout");
    return true;
}

bool output_reopen(struct output *out)
{
    struct stat s;
    if (fstat(out->fd, &s) != 0 || !S_ISREG(s.st_mode))
        return true;
    int fd = open(out->name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) {
        log_printf("%s: %m; keeping the file that is open", out->name);
        return false;
    }
    close(out->fd);
    out->fd = fd;
    log_info("%s: reopened", out->name);
    return true;
}

/* Waits until the descriptor may be writable. Returns false if that fails permanently. */
static bool output_wait(const struct output *out, struct retry *retry)
{
    if (poll(&(struct pollfd){.fd = out->fd, .events = POLLOUT}, 1, -1) >= 0 || errno == EINTR)
        return true;
    retry_note(retry);
    retry_sleep();
    return !retry_is_over(retry);
}

/* Returns the number of bytes written; if that is less than len, errno is the reason. */
static size_t output_write(const struct output *out, const char *data, size_t len)
{
    size_t written = 0;
    struct retry retry = {0};
    while (written < len) {
        ssize_t n = write(out->fd, data + written, len - written);
        if (n >= 0)
            written += (size_t)n;
        else if (errno == EAGAIN ? !output_wait(out, &retry) : errno != EINTR)
            break;
    }
    return written;
}

bool output_try_flush(struct output *out)
{
    struct buffer *b = &out->buffer;
    size_t written = output_write(out, b->data, b->len);
    b->len -= written;
    if (written && b->len)
        memmove(b->data, b->data + written, b->len);
    return b->len == 0;
}

bool output_flush(struct output *out)
{
    size_t len = out->buffer.len;
    out->buffer.len = 0;
    if (!out->failed && output_write(out, out->buffer.data, len) < len) {
        out->failed = true;
        if (errno != EPIPE || out->fd != STDOUT_FILENO)
            log_printf("%s: %m", out->name);
    }
    return !out->failed;
}

bool output_close(struct output *out)
{
    output_flush(out);
    if (close(out->fd) != 0 && !out->failed) {
        out->failed = true;
        log_printf("%s: %m", out->name);
    }
    buffer_free(&out->buffer);
    return !out->failed;
}
