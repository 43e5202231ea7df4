#include "publish/undelivered.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/log.h"
#include "base/output.h"

void undelivered_init(struct undelivered *s, struct window *w, const char *path, const char *spool)
{
    *s = (struct undelivered){.window = w, .path = path, .spool = spool};
    pthread_mutex_init(&s->read_lock, NULL);
}

void undelivered_lock(struct undelivered *s)
{
    pthread_mutex_lock(&s->read_lock);
}

void undelivered_unlock(struct undelivered *s)
{
    pthread_mutex_unlock(&s->read_lock);
}

static bool undelivered_open_output(const struct undelivered *s, struct output *out)
{
    if (s->path)
        return output_open_append(out, "--spill", s->path);
    output_init(out, STDOUT_FILENO, "stdout");
    return true;
}

/* The lines of a copy of the window, whose owner may go on; an unfinished one is a line, too. */
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

bool undelivered_write(struct undelivered *s)
{
    struct window copy = *s->window;
    struct output out;
    uint64_t lines = 0;
    copy.ring.header = NULL;
    if (!copy.ring.data)
        return false;
    window_rewind(&copy);
    if (copy.next.offset == copy.tail && (s->spool || copy.cursors.read == copy.tail))
        return false;
    if (s->spool && !s->path) {
        copy.cursors.read = copy.tail;
        undelivered_write_lines(&copy, NULL, &lines);
        if (lines)
            log_printf("%" PRIu64 " messages are not confirmed; they stay in %s", lines, s->spool);
        return lines != 0;
    }
    if (!undelivered_open_output(s, &out))
        return true;
    bool wrote = undelivered_write_lines(&copy, &out, &lines);
    wrote = output_close(&out) && wrote;
    if (lines)
        log_printf("%" PRIu64 " messages are not confirmed; %s to %s", lines,
                   wrote ? "written" : "they could not be written", s->path ? s->path : "stdout");
    return lines != 0;
}

void undelivered_on_abort(void *argument)
{
    struct undelivered *s = argument;
    undelivered_lock(s);
    undelivered_write(s);
}
