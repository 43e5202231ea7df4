#include "publish/window.h"

enum {
    WINDOW_READ_MAX = 128 * 1024, /* bytes; also what the longest line leaves free */
    WINDOW_REJECTED = '\0'        /* replaces the first byte; no JSON text starts with it */
};

/* Returns the offset of the unfinished line that the previous process left. */
static uint64_t window_find_tail(const struct window *w)
{
    const char *from = ring_byte(&w->ring, w->cursors.confirmed);
    size_t len = (size_t)(w->cursors.read - w->cursors.confirmed);
    const char *lf = len ? memrchr(from, '\n', len) : NULL;
    return lf ? w->cursors.confirmed + (uint64_t)(lf + 1 - from) : w->cursors.confirmed;
}

bool window_open(struct window *w, const char *path, uint64_t size)
{
    size_t unsaved = 0;
    struct slice too_long;
    *w = (struct window){0};
    if (!(path ? ring_open_file(&w->ring, path, size, &w->cursors, &unsaved)
               : ring_open(&w->ring, size)))
        return false;
    w->confirmed.offset = w->cursors.confirmed;
    window_rewind(w);
    window_set_line_max(w, SIZE_MAX);
    w->tail = window_find_tail(w);
    window_commit(w, unsaved, &too_long);
    return true;
}

void window_set_line_max(struct window *w, size_t line_max)
{
    size_t most = w->ring.capacity - WINDOW_READ_MAX;
    w->line_max = line_max < most ? line_max : most;
}

/* One byte is reserved for the LF of window_end_line(). */
static size_t window_space(const struct window *w)
{
    return w->ring.capacity - (size_t)(w->cursors.read - w->cursors.confirmed) - 1;
}

bool window_is_full(const struct window *w)
{
    return window_space(w) == 0;
}

char *window_reserve(struct window *w, size_t *n)
{
    size_t space = window_space(w);
    if (space == 0)
        return NULL;
    *n = space < WINDOW_READ_MAX ? space : WINDOW_READ_MAX;
    ring_prepare_read(&w->ring, w->cursors.read, *n);
    return ring_byte(&w->ring, w->cursors.read);
}

/* Removes the rest of a line that was too long from the n bytes that were just read, and returns
 * how many are left. */
static size_t window_skip_line(struct window *w, size_t n)
{
    char *data = ring_byte(&w->ring, w->cursors.read);
    char *lf = memchr(data, '\n', n);
    if (!lf)
        return 0;
    size_t rest = n - (size_t)(lf + 1 - data);
    memmove(data, lf + 1, rest);
    w->cursors.skipping = 0;
    return rest;
}

bool window_commit(struct window *w, size_t n, struct slice *too_long)
{
    if (w->cursors.skipping)
        n = window_skip_line(w, n);
    const char *data = ring_byte(&w->ring, w->cursors.read);
    const char *lf = n ? memrchr(data, '\n', n) : NULL;
    if (lf)
        w->tail = w->cursors.read + (uint64_t)(lf + 1 - data);
    w->cursors.read += n;
    size_t len = (size_t)(w->cursors.read - w->tail);
    bool is_too_long = len > w->line_max + 1; /* plus a CR */
    if (is_too_long) {
        *too_long = (struct slice){ring_byte(&w->ring, w->tail), len};
        w->cursors.read = w->tail;
        w->cursors.skipping = 1;
    }
    ring_save_cursors(&w->ring, &w->cursors);
    return is_too_long;
}

void window_end_line(struct window *w)
{
    if (w->cursors.read > w->tail) {
        *ring_byte(&w->ring, w->cursors.read) = '\n';
        w->tail = ++w->cursors.read;
    }
    w->cursors.skipping = 0;
    ring_save_cursors(&w->ring, &w->cursors);
}

struct slice window_take_partial(struct window *w)
{
    struct slice rest = {ring_byte(&w->ring, w->tail), (size_t)(w->cursors.read - w->tail)};
    w->cursors.read = w->tail;
    w->cursors.skipping = 0;
    ring_save_cursors(&w->ring, &w->cursors);
    return rest;
}

bool window_mid_line(const struct window *w)
{
    return w->cursors.skipping || w->cursors.read > w->tail;
}

struct slice window_unchecked(const struct window *w)
{
    if (w->next.offset < w->cursors.checked)
        return (struct slice){0};
    return (struct slice){w->next_data, (size_t)(w->tail - w->next.offset)};
}

bool window_next_line(struct window *w, const char *lf, struct window_line *line)
{
    for (; w->next.offset < w->tail; lf = NULL) {
        const char *start = w->next_data;
        if (!lf)
            lf = memchr(start, '\n', (size_t)(w->tail - w->next.offset));
        size_t len = (size_t)(lf - start);
        line->text = (struct slice){start, len};
        line->offset = w->next.offset;
        line->number = ++w->next.lines;
        w->next.offset += len + 1;
        w->next_data += len + 1;
        if (w->next_data >= w->ring.data + w->ring.capacity)
            w->next_data -= w->ring.capacity;
        line->is_new = w->next.offset > w->cursors.checked;
        if (line->is_new)
            w->cursors.checked = w->next.offset;
        if (len && start[len - 1] == '\r')
            line->text.len--;
        if (line->text.len && (line->is_new || *start != WINDOW_REJECTED)) {
            w->next.messages++;
            return true;
        }
    }
    return false;
}

void window_reject(struct window *w, const struct window_line *line)
{
    *ring_byte(&w->ring, line->offset) = WINDOW_REJECTED;
    w->next.messages--;
    ring_save_cursors(&w->ring, &w->cursors);
}

void window_confirm(struct window *w, const struct window_mark *to)
{
    if (to->offset <= w->confirmed.offset)
        return;
    w->confirmed = *to;
    w->cursors.confirmed = to->offset;
    ring_save_cursors(&w->ring, &w->cursors);
}

void window_rewind(struct window *w)
{
    w->next = w->confirmed;
    w->next_data = ring_byte(&w->ring, w->next.offset);
}

void window_close(struct window *w)
{
    ring_close(&w->ring);
}
