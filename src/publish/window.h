#ifndef SHNEK_PUBLISH_WINDOW_H
#define SHNEK_PUBLISH_WINDOW_H

#include "base/slice.h"
#include "publish/ring.h"

/*
 * The lines that were read and that the server does not have for certain: a ring of bytes with
 * three cursors, read >= next >= confirmed. A line leaves it only by window_confirm, so whatever
 * happens in between can be done again from window_rewind.
 */
struct window_mark {
    uint64_t offset;   /* bytes before it */
    uint64_t lines;    /* before it, empty and refused ones included */
    uint64_t messages; /* before it, those only that were not refused */
};

struct window {
    struct ring ring;
    struct ring_cursors cursors;
    struct window_mark next; /* what window_next gives next: all before it was sent */
    struct window_mark confirmed;
    char *next_data; /* the byte at next.offset */
    uint64_t tail;   /* where the line begins that was read last: all before it are whole */
    size_t line_max; /* the longest line, in bytes */
};

struct window_line {
    struct slice text; /* without LF or CR LF */
    uint64_t offset;   /* of its first byte in all that was read */
    uint64_t number;   /* from 1 */
    bool is_new;       /* for the first time: it has to be checked */
};

/* Without a path the window goes with the process. Size 0 is the default. */
bool window_open(struct window *w, const char *path, uint64_t size);

/* The most bytes that a line may have from now on. */
void window_set_line_max(struct window *w, size_t limit);

bool window_is_full(const struct window *w);

/* Where to read to, and how much; NULL where it is full. */
char *window_reserve(struct window *w, size_t *n);

/*
 * Takes in n bytes that were read there. Where they make an unfinished line longer than the limit,
 * *too_long is its beginning, valid until the next call; the rest of it will be skipped.
 */
bool window_commit(struct window *w, size_t n, struct slice *too_long);

/* Ends an unfinished last line, as its LF would. */
void window_end_line(struct window *w);

/* Takes an unfinished last line out, which is valid until the next reading. */
struct slice window_take_partial(struct window *w);

/* Whether what was read ends within a line. */
bool window_mid_line(const struct window *w);

/* The whole lines that window_next did not give yet, neither now nor before a window_rewind. */
struct slice window_unchecked(const struct window *w);

/*
 * The next whole line that is not empty and was not refused; it stays until it is confirmed. `lf`
 * is where it ends, which has to be looked for where that is NULL.
 */
bool window_next_line(struct window *w, const char *lf, struct window_line *line);

/* The line that window_next gave last is no message, and is never given again. */
void window_reject(struct window *w, const struct window_line *line);

/* The server has all lines before `to`, a value that `next` had. */
void window_confirm(struct window *w, const struct window_mark *to);

/* All that is not confirmed is given once more. */
void window_rewind(struct window *w);

void window_close(struct window *w);

#endif
