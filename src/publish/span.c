#include "publish/span.h"

/* Its own position in the window, which must not change. */
struct span_cursor {
    struct window window;
    struct slice key;
};

static struct span_cursor span_open_cursor(struct span_reader *r, const struct span *s)
{
    struct span_cursor c = {.window = *r->window};
    struct window_line line;
    window_seek(&c.window, &s->start);
    if (r->key && window_next_line(&c.window, NULL, &line)) {
        r->keys[0].len = 0;
        c.key = r->key(r->argument, line.text, &r->keys[0]);
        window_seek(&c.window, &s->start);
    }
    return c;
}

/* Returns false after the last record before `end`. */
static bool span_next_record(struct span_reader *r, struct span_cursor *c, uint64_t end,
                             struct window_line *line)
{
    while (c->window.next.offset < end && window_next_line(&c->window, NULL, line) &&
           c->window.next.offset <= end) {
        if (!r->key)
            return true;
        r->keys[1].len = 0;
        if (slice_equal(r->key(r->argument, line->text, &r->keys[1]), c->key))
            return true;
    }
    return false;
}

struct slice span_read(struct span_reader *r, const struct span *s)
{
    struct window_line line;
    if (s->is_whole)
        return (struct slice){ring_byte(&r->window->ring, s->start.offset), s->length};
    struct span_cursor c = span_open_cursor(r, s);
    r->text.len = 0;
    while (span_next_record(r, &c, s->end, &line)) {
        if (r->text.len)
            buffer_append(&r->text, (struct slice){"\n", 1});
        buffer_append(&r->text, line.text);
    }
    return (struct slice){r->text.data, r->text.len};
}

struct slice span_first_record(const struct window *w, const struct span *s)
{
    struct slice line = span_first_of(
        (struct slice){ring_byte(&w->ring, s->start.offset), (size_t)(s->end - s->start.offset)});
    if (line.len && line.data[line.len - 1] == '\r')
        line.len--;
    return line;
}

struct span span_take(struct span_reader *r, struct span *s, uint32_t count)
{
    struct window_line line;
    struct span_cursor c = span_open_cursor(r, s);
    struct span part = {.is_whole = true};
    while (part.count < count && span_next_record(r, &c, s->end, &line)) {
        if (part.count == 0)
            part = span_of_line(&c.window, &line);
        else
            span_extend(&part, &c.window, &line);
    }
    bool has_more = s->count > part.count && span_next_record(r, &c, s->end, &line);
    s->count = has_more ? s->count - part.count : 0;
    if (has_more)
        s->start = span_of_line(&c.window, &line).start;
    return part;
}

void span_reader_free(struct span_reader *r)
{
    buffer_free(&r->text);
    buffer_free(&r->keys[0]);
    buffer_free(&r->keys[1]);
}
