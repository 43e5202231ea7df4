#include "publish/spool-recovery.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/slice.h"

enum { GAPS_LOGGED = 10, READ_BLOCKS = 128 * 1024 / SPOOL_BLOCK + 1 };

static const uint64_t unknown = UINT64_MAX;

/*
 * Walks over the blocks from the oldest to the last. A gap, blocks or ends of blocks without valid
 * data, is filled with NUL, so that it and the fragments of lines around it are one line, which is
 * marked.
 */
struct recovery {
    struct spool_file *file;
    struct spool_cursor *cursor;
    uint64_t line_start; /* offset of the line that contains the position */
    uint64_t line;       /* line feeds before the position, or `unknown` */
    bool in_gap;
    bool gap_is_confirmed; /* nothing is missing */
    uint64_t gap_start;
    uint64_t gap_line; /* line feeds before it, or `unknown` */
    bool is_changed;
    uint64_t gaps;
};

/* A block, as far as it is known. */
struct found_block {
    struct spool_block block; /* `all` is the part whose data is valid */
    bool is_known;            /* there is a valid descriptor */
    struct spool_extent claimed;
};

static bool spool_cursor_is_valid(const struct spool_file *f, const struct spool_cursor *c)
{
    return c->check == spool_cursor_check(c) && c->last.all.length <= SPOOL_BLOCK &&
           c->confirmed <= spool_cursor_end(c) &&
           spool_cursor_end(c) - c->confirmed <= f->ring->capacity;
}

static bool spool_find_cursor(const struct spool_file *f, struct spool_cursor *cursor)
{
    bool found = false;
    for (int i = 0; i < 4; i++) {
        const struct spool_cursor *c = &spool_file_header(f, i / 2)->slots[i % 2].cursor;
        if (spool_cursor_is_valid(f, c) && (!found || c->version > cursor->version)) {
            memcpy(cursor, c, sizeof *cursor);
            found = true;
        }
    }
    return found || spool_file_log(f->path, "damaged cursors");
}

static bool spool_block_is_valid(const struct spool_file *f, const struct spool_block *b,
                                 uint64_t place)
{
    return b->check == spool_block_check(b) && b->number % f->block_count == place &&
           b->all.length <= SPOOL_BLOCK && b->synced.length <= b->all.length;
}

static uint64_t spool_find_last_block(const struct spool_file *f, const struct spool_cursor *c)
{
    uint64_t last = c->last.number;
    for (uint64_t i = 0; i < f->block_count; i++)
        if (f->blocks[i].number > last && spool_block_is_valid(f, &f->blocks[i], i))
            last = f->blocks[i].number;
    return last;
}

static void spool_try_extent(const struct spool_file *f, struct found_block *found,
                             struct spool_extent e)
{
    struct spool_extent actual = {0};
    if (e.length > found->claimed.length)
        found->claimed = e;
    if (e.length <= found->block.all.length)
        return;
    spool_extend(&actual, spool_file_data(f, found->block.number), e.length);
    if (actual.crc == e.crc)
        found->block.all = actual;
}

static void spool_try_block(const struct spool_file *f, struct found_block *found,
                            const struct spool_block *b)
{
    if (b->number != found->block.number)
        return;
    found->is_known = true;
    found->block.first_line = b->first_line;
    found->block.starts_line = b->starts_line;
    spool_try_extent(f, found, b->all);
    spool_try_extent(f, found, b->synced);
    if (b->synced.length && b->synced.length <= found->block.all.length)
        found->block.synced = b->synced;
}

static struct found_block spool_find_block(const struct spool_file *f, uint64_t number,
                                           const struct spool_cursor *cursor)
{
    const struct spool_block *b = spool_file_block(f, number);
    struct found_block found;
    memset(&found, 0, sizeof found);
    found.block.number = number;
    spool_try_block(f, &found, &cursor->last);
    if (spool_block_is_valid(f, b, number % f->block_count))
        spool_try_block(f, &found, b);
    return found;
}

/* Also loads what a read may have added. */
static bool spool_load_blocks(const struct spool_file *f, uint64_t first, uint64_t last)
{
    last += READ_BLOCKS;
    for (uint64_t k = first; k <= last && k - first < f->block_count; k++) {
        uint64_t offset = f->map_size + k % f->block_count * SPOOL_BLOCK;
        if (pread(f->fd, spool_file_data(f, k), SPOOL_BLOCK, (off_t)offset) != SPOOL_BLOCK)
            return spool_file_log(f->path, NULL);
    }
    return true;
}

static void recovery_mark_line(struct recovery *r)
{
    uint64_t *marks = spool_file_marks(r->file, r->line_start / SPOOL_BLOCK);
    marks[0] = spool_mark_of(r->line_start);
    r->is_changed = true;
}

static void recovery_begin_gap(struct recovery *r, uint64_t offset, uint64_t line)
{
    if (r->in_gap && !r->gap_is_confirmed)
        return;
    r->in_gap = true;
    r->gap_is_confirmed = false;
    r->gap_start = offset;
    r->gap_line = line;
    recovery_mark_line(r);
}

/* `line` is the number of line feeds before `offset`, including that of the line that is cut. */
static void recovery_log_gap(struct recovery *r, uint64_t offset, uint64_t line)
{
    if (r->gap_is_confirmed || r->gaps++ >= GAPS_LOGGED)
        return;
    if (line == unknown || r->gap_line == unknown || line < r->gap_line) {
        log_printf("--spool: %s: an unknown number of lines is missing (bytes %" PRIu64
                   " to %" PRIu64 " of its input)",
                   r->file->path, r->gap_start, offset);
        return;
    }
    uint64_t first = r->gap_line + 1;
    uint64_t last = line > first ? line : first;
    log_printf("--spool: %s: up to %" PRIu64 " %s missing (%" PRIu64 " to %" PRIu64
               ", bytes %" PRIu64 " to %" PRIu64 " of its input)",
               r->file->path, last - first + 1, last == first ? "line is" : "lines are", first,
               last, r->gap_start, offset);
}

/* Ends a gap at the start of a valid block. */
static void recovery_end_gap(struct recovery *r, const struct spool_block *b)
{
    uint64_t offset = b->number * SPOOL_BLOCK;
    recovery_log_gap(r, offset, b->first_line + (b->starts_line ? 0 : 1));
    if (b->starts_line && offset > r->line_start) {
        *ring_byte(r->file->ring, offset - 1) = '\n';
        r->line_start = offset;
    }
    r->in_gap = false;
}

static void recovery_update_line_start(struct recovery *r, const struct spool_block *b)
{
    uint64_t offset = b->number * SPOOL_BLOCK;
    uint64_t from = r->line_start > offset ? r->line_start : offset;
    uint64_t end = offset + b->all.length;
    const char *start = ring_byte(r->file->ring, from);
    const char *lf = end > from ? memrchr(start, '\n', (size_t)(end - from)) : NULL;
    if (lf)
        r->line_start = from + (uint64_t)(lf + 1 - start);
}

static void recovery_visit(struct recovery *r, struct found_block *found, bool is_last)
{
    struct spool_block *b = &found->block;
    uint64_t offset = b->number * SPOOL_BLOCK;
    uint64_t end = offset + (is_last ? found->claimed.length : SPOOL_BLOCK);
    uint64_t valid_end = offset + b->all.length;
    if (found->is_known)
        r->line = b->first_line;
    if (r->in_gap && b->all.length)
        recovery_end_gap(r, b);
    recovery_update_line_start(r, b);
    uint64_t line = r->line == unknown ? unknown : r->line + b->all.lines;
    uint64_t gap = valid_end > r->cursor->confirmed ? valid_end : r->cursor->confirmed;
    if (gap < end) {
        recovery_begin_gap(r, gap, line);
        memset(ring_byte(r->file->ring, gap), 0, (size_t)(end - gap));
    } else if (valid_end < end) {
        r->is_changed = true; /* the damaged lines are confirmed */
    }
    r->line = found->is_known ? b->first_line + found->claimed.lines : unknown;
}

/* The gap may extend to the end of the input. */
static void recovery_end(struct recovery *r, struct found_block *last)
{
    uint64_t end = last->block.number * SPOOL_BLOCK + last->claimed.length;
    if (r->in_gap) {
        recovery_log_gap(r, end, r->line);
        *ring_byte(r->file->ring, end - 1) = '\n';
    }
    last->block.all = (struct spool_extent){.length = last->claimed.length};
}

/* Describes the repaired blocks, so that the next process finds them valid. */
static void recovery_rewrite(struct recovery *r, uint64_t first, struct spool_block *last)
{
    struct spool_file *f = r->file;
    uint64_t line = 0;
    for (uint64_t k = first; k <= last->number; k++) {
        struct spool_block b = *last;
        uint32_t length = k == last->number ? last->all.length : SPOOL_BLOCK;
        const struct spool_block *old = spool_file_block(f, k);
        if (k == last->number)
            line = last->first_line;
        else if (old->number == k && spool_block_is_valid(f, old, k % f->block_count))
            line = old->first_line;
        b.number = k;
        b.first_line = line;
        b.starts_line = k == 0 || *ring_byte(f->ring, k * SPOOL_BLOCK - 1) == '\n';
        b.all = b.synced = (struct spool_extent){0};
        spool_extend(&b.all, spool_file_data(f, k), length);
        b.check = spool_block_check(&b);
        memcpy(spool_file_block(f, k), &b, sizeof b);
        line += b.all.lines;
        if (k == last->number)
            *last = b;
    }
}

bool spool_recover(struct spool_file *f, bool is_private, struct spool_cursor *cursor,
                   bool *has_loss)
{
    struct found_block found = {0};
    struct recovery r = {.file = f, .cursor = cursor, .line = unknown};
    if (!spool_find_cursor(f, cursor))
        return false;
    uint64_t last = spool_find_last_block(f, cursor);
    uint64_t first = cursor->confirmed / SPOOL_BLOCK;
    if (last >= f->block_count && first <= last - f->block_count) {
        /* A block that was overwritten had been confirmed. */
        first = last - f->block_count + 1;
        cursor->confirmed = first * SPOOL_BLOCK;
        r.in_gap = r.gap_is_confirmed = true;
    }
    if (first > last)
        first = last; /* everything is confirmed, and the last block is full */
    if (is_private && !spool_load_blocks(f, first, last))
        return false;
    if (first) {
        found = spool_find_block(f, first - 1, cursor);
        r.line = found.is_known ? found.block.first_line + found.claimed.lines : unknown;
    }
    r.line_start = cursor->confirmed;
    if (r.in_gap && !spool_find_block(f, first, cursor).block.starts_line)
        recovery_mark_line(&r);
    for (uint64_t k = first; k <= last; k++) {
        found = spool_find_block(f, k, cursor);
        recovery_visit(&r, &found, k == last);
    }
    if (r.gaps > GAPS_LOGGED)
        log_printf("--spool: %s: lines are missing in %" PRIu64 " more places", f->path,
                   r.gaps - GAPS_LOGGED);
    if (r.in_gap || r.is_changed) {
        recovery_end(&r, &found);
        recovery_rewrite(&r, first, &found.block);
    }
    cursor->last = found.block;
    *has_loss = r.gaps != 0;
    return true;
}

/* spool_prepare_read() zeroed the space. */
size_t spool_find_unsaved(const struct spool_file *f, const struct spool_cursor *cursor)
{
    const struct spool_read *r = &spool_file_header(f, 0)->read;
    uint64_t end = spool_cursor_end(cursor);
    if (r->check != spool_read_check(r) || r->offset > end || r->offset + r->size < end ||
        r->offset + r->size - cursor->confirmed > f->ring->capacity)
        return 0;
    uint64_t to = r->offset + r->size;
    while (to > end && *ring_byte(f->ring, to - 1) == '\0')
        to--;
    return (size_t)(to - end);
}
