#include "publish/undelivered.h"

#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/output.h"
#include "publish/message-count.h"

void undelivered_init(struct undelivered *u, struct window *w, const char *path, const char *spool)
{
    *u = (struct undelivered){.window = w, .path = path, .spool = spool, .file = {.fd = -1}};
    pthread_mutex_init(&u->read_lock, NULL);
}

void undelivered_free(struct undelivered *u)
{
    pthread_mutex_destroy(&u->read_lock);
    if (u->file.fd >= 0)
        output_close(&u->file);
}

void undelivered_lock(struct undelivered *u)
{
    pthread_mutex_lock(&u->read_lock);
}

void undelivered_unlock(struct undelivered *u)
{
    pthread_mutex_unlock(&u->read_lock);
}

bool undelivered_open(struct undelivered *u)
{
    return !u->path || strcmp(u->path, "-") == 0 ||
           output_open_append(&u->file, "--spill", u->path);
}

void undelivered_reopen(struct undelivered *u)
{
    undelivered_lock(u);
    if (u->file.fd >= 0)
        output_reopen(&u->file);
    undelivered_unlock(u);
}

/* Appends lines from w->next on, up to a block, to the buffer. */
static uint64_t undelivered_fill(struct window *w, struct buffer *b)
{
    struct window_line line;
    uint64_t lines = 0;
    while (b->len < OUTPUT_BLOCK && window_next_line(w, NULL, &line)) {
        lines++;
        buffer_append(b, line.text);
        buffer_append(b, (struct slice){"\n", 1});
    }
    return lines;
}

/*
 * Writes the lines from w->next on, and moves it after those that were written. A block that fails
 * is removed from the file, because it will be written elsewhere.
 */
static bool undelivered_write_lines(struct window *w, struct output *out, uint64_t *lines)
{
    for (;;) {
        struct window_mark start = w->next;
        char *start_data = w->next_data;
        off_t end = out->fd == STDOUT_FILENO ? -1 : lseek(out->fd, 0, SEEK_END);
        uint64_t count = undelivered_fill(w, &out->buffer);
        if (count == 0)
            return !out->failed;
        if (!output_flush(out)) {
            w->next = start;
            w->next_data = start_data;
            if (end >= 0 && ftruncate(out->fd, end) != 0)
                log_printf("--spill: %m");
            return false;
        }
        *lines += count;
    }
}

static void undelivered_log(uint64_t lines, const char *outcome, const char *destination)
{
    char count[MESSAGE_COUNT_MAX];
    if (lines)
        log_printf("%s %s unconfirmed%s %s", message_count_format(count, lines),
                   lines == 1 ? "is" : "are", outcome, destination);
}

static uint64_t undelivered_count(struct window *w)
{
    struct window_line line;
    uint64_t lines = 0;
    while (window_next_line(w, NULL, &line))
        lines++;
    return lines;
}

static uint64_t undelivered_write_to(struct window *w, struct output *out, const char *name,
                                     bool *written)
{
    uint64_t lines = 0;
    *written = undelivered_write_lines(w, out, &lines);
    buffer_free(&out->buffer);
    undelivered_log(lines, "; written to", name);
    return lines;
}

bool undelivered_write(struct undelivered *u)
{
    struct window copy = *u->window; /* its owner may still use the window */
    bool written = false;
    uint64_t lines = 0;
    copy.spool.file.map = NULL; /* the spool does not change */
    if (!copy.ring.data)
        return false;
    window_rewind(&copy);
    if (u->spool && !u->path) {
        lines = undelivered_count(&copy);
        undelivered_log(lines, "; kept in", u->spool);
        return lines != 0;
    }
    if (!u->spool)
        window_end_line(&copy);
    if (u->file.fd >= 0)
        lines = undelivered_write_to(&copy, &u->file, u->path, &written);
    if (!written) {
        struct output out;
        output_init(&out, STDOUT_FILENO, "stdout");
        lines += undelivered_write_to(&copy, &out, "stdout", &written);
    }
    if (!written) {
        uint64_t left = undelivered_count(&copy);
        undelivered_log(left, ", and could not be written to", "stdout");
        lines += left;
    }
    return lines != 0;
}

void undelivered_on_abort(void *argument)
{
    struct undelivered *u = argument;
    undelivered_lock(u);
    undelivered_write(u);
}
