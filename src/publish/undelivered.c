#include "publish/undelivered.h"

#include <unistd.h>

#include "base/log.h"
#include "base/output.h"
#include "publish/message-count.h"

void undelivered_init(struct undelivered *u, struct window *w, const char *path, const char *spool)
{
    *u = (struct undelivered){.window = w, .path = path, .spool = spool};
    pthread_mutex_init(&u->read_lock, NULL);
}

void undelivered_free(struct undelivered *u)
{
    pthread_mutex_destroy(&u->read_lock);
}

void undelivered_lock(struct undelivered *u)
{
    pthread_mutex_lock(&u->read_lock);
}

void undelivered_unlock(struct undelivered *u)
{
    pthread_mutex_unlock(&u->read_lock);
}

static bool undelivered_open_output(const struct undelivered *u, struct output *out)
{
    if (u->path)
        return output_open_append(out, "--spill", u->path);
    output_init(out, STDOUT_FILENO, "stdout");
    return true;
}

/* `out` is NULL if the lines are only counted. An unfinished last line is a line. */
static bool undelivered_write_lines(struct window *w, struct output *out, uint64_t *lines)
{
    struct window_line line;
    window_end_line(w);
    while (window_next_line(w, NULL, &line)) {
        ++*lines;
        if (!out)
            continue;
        buffer_append(&out->buffer, line.text);
        buffer_append(&out->buffer, (struct slice){"\n", 1});
        if (!output_flush_full(out))
            return false;
    }
    return true;
}

static void undelivered_log(uint64_t lines, const char *outcome, const char *destination)
{
    char count[MESSAGE_COUNT_MAX];
    log_printf("%s %s unconfirmed%s %s", message_count_format(count, lines),
               lines == 1 ? "is" : "are", outcome, destination);
}

bool undelivered_write(struct undelivered *u)
{
    struct window copy = *u->window; /* its owner may still use the window */
    struct output out;
    uint64_t lines = 0;
    copy.ring.header = NULL; /* the spool file keeps its cursors */
    if (!copy.ring.data)
        return false;
    window_rewind(&copy);
    if (copy.next.offset == copy.tail && (u->spool || copy.cursors.read == copy.tail))
        return false;
    if (u->spool && !u->path) {
        copy.cursors.read = copy.tail;
        undelivered_write_lines(&copy, NULL, &lines);
        if (lines)
            undelivered_log(lines, "; kept in", u->spool);
        return lines != 0;
    }
    if (!undelivered_open_output(u, &out))
        return true;
    bool written = undelivered_write_lines(&copy, &out, &lines);
    written = output_close(&out) && written;
    if (lines)
        undelivered_log(lines, written ? "; written to" : ", and could not be written to",
                        u->path ? u->path : "stdout");
    return lines != 0;
}

void undelivered_on_abort(void *argument)
{
    struct undelivered *u = argument;
    undelivered_lock(u);
    undelivered_write(u);
}
