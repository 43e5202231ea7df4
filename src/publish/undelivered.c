#include "publish/undelivered.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/log.h"
#include "base/output.h"

void spill_start(struct spill *s, struct window *w, const char *path, const char *spool)
{
    *s = (struct spill){.window = w, .path = path, .spool = spool};
    pthread_mutex_init(&s->reading, NULL);
}

void spill_hold(struct spill *s)
{
    pthread_mutex_lock(&s->reading);
}

void spill_release(struct spill *s)
{
    pthread_mutex_unlock(&s->reading);
}

static bool open_output(const struct spill *s, struct output *out)
{
    if (s->path)
        return output_open_append(out, "--spill", s->path);
    output_init(out, STDOUT_FILENO, "stdout");
    return true;
}

/* The lines of a copy of the window, whose owner may go on; an unfinished one is a line, too. */
static bool write_lines(struct window *w, struct output *out, uint64_t *lines)
{
    struct line line;
    window_finish(w);
    while (window_next(w, NULL, &line)) {
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

bool spill_rest(struct spill *s)
{
    struct window copy = *s->window;
    struct output out;
    uint64_t lines = 0;
    copy.ring.header = NULL;
    if (!copy.ring.at)
        return false;
    window_rewind(&copy);
    if (copy.next.offset == copy.tail && (s->spool || copy.cursors.read == copy.tail))
        return false;
    if (s->spool && !s->path) {
        copy.cursors.read = copy.tail;
        write_lines(&copy, NULL, &lines);
        if (lines)
            log_printf("%" PRIu64 " messages are not confirmed; they stay in %s", lines, s->spool);
        return lines != 0;
    }
    if (!open_output(s, &out))
        return true;
    bool wrote = write_lines(&copy, &out, &lines);
    wrote = output_close(&out) && wrote;
    if (lines)
        log_printf("%" PRIu64 " messages are not confirmed; %s to %s", lines,
                   wrote ? "written" : "they could not be written", s->path ? s->path : "stdout");
    return lines != 0;
}

void spill_abort(void *argument)
{
    struct spill *s = argument;
    spill_hold(s);
    spill_rest(s);
}
