#include "metrics/text-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

enum { TEXT_FILE_INTERVAL_S = 15 };

static bool text_file_write_all(const struct text_file *f, int fd)
{
    size_t written = 0;
    while (written < f->text.len) {
        ssize_t n = write(fd, f->text.data + written, f->text.len - written);
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0)
            written += (size_t)n;
    }
    return true;
}

/* Readable by all, because node_exporter is another user. */
static bool text_file_replace(const struct text_file *f)
{
    int fd = open(f->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return false;
    bool good = text_file_write_all(f, fd);
    int error = errno;
    if (close(fd) != 0 && good) {
        good = false;
        error = errno;
    }
    if (good && rename(f->temporary, f->path) == 0)
        return true;
    if (good)
        error = errno;
    unlink(f->temporary);
    errno = error;
    return false;
}

bool text_file_write(struct text_file *f)
{
    f->text.len = 0;
    f->provider->write(f->provider->argument, &f->text);
    bool good = text_file_replace(f);
    if (!good && !f->failing)
        log_printf("--metrics: %s: %m", f->path);
    f->failing = !good;
    return good;
}

static void *text_file_run(void *argument)
{
    struct text_file *f = argument;
    struct timespec next;
    pthread_mutex_lock(&f->lock);
    clock_gettime(CLOCK_MONOTONIC, &next);
    next.tv_sec += TEXT_FILE_INTERVAL_S;
    while (!f->ending) {
        if (pthread_cond_timedwait(&f->changed, &f->lock, &next) != ETIMEDOUT)
            continue;
        pthread_mutex_unlock(&f->lock);
        text_file_write(f);
        pthread_mutex_lock(&f->lock);
        clock_gettime(CLOCK_MONOTONIC, &next);
        next.tv_sec += TEXT_FILE_INTERVAL_S;
    }
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

static void text_file_free(struct text_file *f)
{
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->lock);
    buffer_free(&f->text);
    free(f->temporary);
}

bool text_file_open(struct text_file *f, const char *path, const struct metrics_provider *provider)
{
    pthread_condattr_t attributes;
    *f = (struct text_file){.provider = provider, .path = path};
    if (asprintf(&f->temporary, "%s.tmp", path) < 0) {
        log_printf("out of memory");
        return false;
    }
    pthread_mutex_init(&f->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&f->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    bool good = text_file_write(f);
    if (good && (errno = pthread_create(&f->thread, NULL, text_file_run, f)) != 0) {
        log_printf("--metrics: pthread_create: %m");
        good = false;
    }
    if (!good)
        text_file_free(f);
    return good;
}

void text_file_close(struct text_file *f)
{
    pthread_mutex_lock(&f->lock);
    f->ending = true;
    pthread_cond_signal(&f->changed);
    pthread_mutex_unlock(&f->lock);
    pthread_join(f->thread, NULL);
    text_file_write(f);
    text_file_free(f);
}
