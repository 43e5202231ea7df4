#include "publish/window.h"

#include <sys/mman.h>

#include "base/log.h"

enum { WINDOW_READ_MAX = 128 * 1024 /* bytes; also what the longest line leaves free */ };

/* Rejected lines */

static void window_set_bit(struct window *w, uint64_t offset)
{
    w->rejected[offset % w->ring.capacity / 8] |= (unsigned char)(1 << offset % 8);
    if (w->rejected_end <= offset)
        w->rejected_end = offset + 1;
}

static bool window_get_bit(const struct window *w, uint64_t offset)
{
    return offset < w->rejected_end && w->rejected[offset % w->ring.capacity / 8] >> offset % 8 & 1;
}

static void window_clear_bits(struct window *w, uint64_t from, uint64_t to)
{
    if (to > w->rejected_end)
        to = w->rejected_end;
    while (from < to) {
        uint64_t bytes = from % 8 ? 0 : (to - from) / 8;
        uint64_t left = (w->ring.capacity - from % w->ring.capacity) / 8;
        unsigned char *byte = &w->rejected[from % w->ring.capacity / 8];
        bytes = bytes < left ? bytes : left;
        if (bytes)
            memset(byte, 0, bytes);
        else
            *byte &= (unsigned char)~(1 << from % 8);
        from += bytes ? bytes * 8 : 1;
    }
}

void window_mark_rejected(struct window *w, uint64_t offset)
{
    if (offset < w->confirmed.offset)
        return; /* nothing would clear the bit before another line starts there */
    window_set_bit(w, offset);
    spool_mark(&w->spool, offset);
}

void window_reject(struct window *w, const struct window_line *line)
{
    window_mark_rejected(w, line->offset);
    w->next.messages--;
}

/* Opening */

static bool window_map_rejected(struct window *w)
{
    void *bits = mmap(NULL, w->ring.capacity / 8, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (bits == MAP_FAILED) {
        log_printf("--window: %m");
        return false;
    }
    w->rejected = bits;
    return true;
}

/* Returns the offset of the unfinished line that the previous process left. */
static uint64_t window_find_tail(const struct window *w)
{
    const char *from = ring_byte(&w->ring, w->confirmed.offset);
    size_t len = (size_t)(w->read - w->confirmed.offset);
    const char *lf = len ? memrchr(from, '\n', len) : NULL;
    return lf ? w->confirmed.offset + (uint64_t)(lf + 1 - from) : w->confirmed.offset;
}

static void window_load_marks(struct window *w)
{
    uint64_t offset;
    for (uint64_t block = w->confirmed.offset / SPOOL_BLOCK; block <= w->read / SPOOL_BLOCK;
         block++)
        for (unsigned i = 0; i < SPOOL_MARKS; i++)
            if (spool_get_mark(&w->spool, block, i, &offset) && offset >= w->confirmed.offset)
                window_set_bit(w, offset);
}

static bool window_open_spool(struct window *w, const char *path, uint64_t size, bool is_private,
                              size_t *unsaved)
{
    struct spool_state state;
    if (!spool_open(&w->spool, &w->ring, path, size, is_private, &state))
        return false;
    w->confirmed.offset = w->checked = state.confirmed;
    w->read = state.read;
    w->skipping = state.skipping;
    w->continues = state.same_input;
    w->has_loss = state.has_loss;
    *unsaved = state.unsaved;
    return true;
}

bool window_open(struct window *w, const char *path, uint64_t size, bool is_private)
{
    size_t unsaved = 0;
    struct window_line too_long;
    *w = (struct window){.spool = {.file = {.fd = -1}}};
    if (!(path ? window_open_spool(w, path, size, is_private, &unsaved)
               : ring_open(&w->ring, size)) ||
        !window_map_rejected(w))
        return false;
    window_rewind(w);
    window_set_line_max(w, SIZE_MAX);
    w->tail = window_find_tail(w);
    if (path)
        window_load_marks(w);
    if (unsaved && window_commit(w, unsaved, &too_long))
        window_mark_rejected(w, too_long.offset);
    w->skipping = w->skipping && w->continues;
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
    uint64_t released = spool_released(&w->spool, w->confirmed.offset);
    return w->ring.capacity - (size_t)(w->read - released) - 1;
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
    spool_prepare_read(&w->spool, *n);
    return ring_byte(&w->ring, w->read);
}

/* Marks the rest of a line that was too long, which does not count as a line. Returns how many of
 * the `n` bytes remain. */
static size_t window_skip_line(struct window *w, size_t n)
{
    const char *data = ring_byte(&w->ring, w->read);
    const char *lf = memchr(data, '\n', n);
    if (!lf)
        return 0;
    window_mark_rejected(w, w->read);
    window_set_bit(w, w->read + (uint64_t)(lf - data));
    w->skipping = false;
    return n;
}

static uint64_t window_line_number(const struct window *w, uint64_t offset)
{
    uint64_t number = w->next.lines + 1;
    const char *p = w->next_data;
    const char *end = p + (offset - w->next.offset);
    for (; p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++)
        number++;
    return number;
}

/* The caller knows that there is an unfinished line. */
static struct window_line window_cut_line(struct window *w)
{
    size_t len = (size_t)(w->read - w->tail);
    struct window_line line = {.text = {ring_byte(&w->ring, w->tail), len},
                               .offset = w->tail,
                               .number = window_line_number(w, w->tail),
                               .is_new = true};
    *ring_byte(&w->ring, w->read) = '\n';
    w->tail = ++w->read;
    return line;
}

bool window_commit(struct window *w, size_t n, struct window_line *too_long)
{
    uint64_t start = w->read;
    if (w->skipping)
        n = window_skip_line(w, n);
    const char *data = ring_byte(&w->ring, w->read);
    const char *lf = n ? memrchr(data, '\n', n) : NULL;
    if (lf)
        w->tail = w->read + (uint64_t)(lf + 1 - data);
    w->read += n;
    bool is_too_long = w->read - w->tail > w->line_max + 1; /* plus a CR */
    if (is_too_long) {
        *too_long = window_cut_line(w);
        w->skipping = true;
    }
    spool_append(&w->spool, (size_t)(w->read - start), w->skipping);
    return is_too_long;
}

void window_end_line(struct window *w)
{
    struct window_line line;
    window_end_input(w, &line);
}

bool window_end_input(struct window *w, struct window_line *line)
{
    bool unfinished = w->read > w->tail;
    w->skipping = false;
    if (unfinished)
        *line = window_cut_line(w);
    spool_append(&w->spool, unfinished, w->skipping);
    return unfinished;
}

bool window_mid_line(const struct window *w)
{
    return w->skipping || w->read > w->tail;
}

struct slice window_unchecked(const struct window *w)
{
    if (w->next.offset < w->checked || window_get_bit(w, w->next.offset))
        return (struct slice){0};
    return (struct slice){w->next_data, (size_t)(w->tail - w->next.offset)};
}

/* Also corrects the number of lines. */
static bool window_is_rejected(struct window *w, struct window_line *line)
{
    if (window_get_bit(w, w->next.offset - 1))
        w->next.lines--;
    return window_get_bit(w, line->offset);
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
        line->is_new = w->next.offset > w->checked;
        if (line->is_new)
            w->checked = w->next.offset;
        if (line->offset < w->rejected_end && window_is_rejected(w, line))
            continue;
        if (len && start[len - 1] == '\r')
            line->text.len--;
        if (line->text.len) {
            w->next.messages++;
            return true;
        }
    }
    return false;
}

void window_confirm(struct window *w, const struct window_mark *to)
{
    if (to->offset <= w->confirmed.offset)
        return;
    if (w->confirmed.offset < w->rejected_end)
        window_clear_bits(w, w->confirmed.offset, to->offset);
    w->confirmed = *to;
    spool_confirm(&w->spool, to->offset);
}

void window_seek(struct window *w, const struct window_mark *to)
{
    w->next = *to;
    w->next_data = ring_byte(&w->ring, to->offset);
}

void window_rewind(struct window *w)
{
    window_seek(w, &w->confirmed);
}

bool window_mark_batch(struct window *w, uint64_t offset, uint32_t count)
{
    return spool_mark_batch(&w->spool, offset, count);
}

uint32_t window_find_batch(const struct window *w, uint64_t offset)
{
    return spool_find_batch(&w->spool, offset);
}

bool window_sync(struct window *w)
{
    return spool_sync(&w->spool);
}

bool window_close(struct window *w)
{
    bool synced = spool_close(&w->spool);
    if (w->rejected)
        munmap(w->rejected, w->ring.capacity / 8);
    ring_close(&w->ring);
    w->rejected = NULL;
    return synced;
}
