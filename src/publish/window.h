#ifndef SHNEK_PUBLISH_WINDOW_H
#define SHNEK_PUBLISH_WINDOW_H

#include "base/slice.h"
#include "publish/spool.h"

/*
 * The lines that were read and are not yet confirmed: a ring of bytes with three positions.
 *
 *     confirmed.offset <= next.offset <= tail <= read
 *     (confirmed)      sent           unsent   unfinished line
 *
 * Only window_confirm() removes a line, so window_rewind() can repeat everything since.
 */
struct window_mark {
    uint64_t offset;   /* bytes before it */
    uint64_t lines;    /* before it, including empty and rejected ones */
    uint64_t messages; /* before it: lines that are neither empty nor rejected */
};

struct window {
    struct ring ring;
    struct spool spool;
    uint64_t read;           /* offset of the end of the input */
    uint64_t checked;        /* offset before which all lines were returned by window_next_line() */
    bool skipping;           /* the next bytes are the rest of a line that was too long */
    bool continues;          /* stdin continues the input of the previous process */
    bool has_loss;           /* lines are missing in the spool */
    struct window_mark next; /* the first line that window_next_line() did not return yet */
    struct window_mark confirmed; /* the first line that is not confirmed */
    char *next_data;              /* the byte at next.offset */
    uint64_t tail;                /* offset after the last LF that was read */
    size_t line_max;              /* bytes */
    unsigned char *rejected;      /* one bit for each byte of the ring: a line starts there that was
                                     rejected, or is a line feed there that ends no line */
    uint64_t rejected_end;        /* offset after the last bit that is set */
};

struct window_line {
    struct slice text; /* without LF or CR LF; valid until the line is confirmed */
    uint64_t offset;   /* of its first byte in the input */
    uint64_t number;   /* from 1 */
    bool is_new;       /* returned for the first time, so it is not checked yet */
};

/*
 * Opens a window of `size` bytes, 0 for the default: in the file `path`, which does not change if
 * `is_private`, or in memory if that is NULL. Returns false and logs the reason on failure.
 */
bool window_open(struct window *w, const char *path, uint64_t size, bool is_private);

/* Limits the length of lines that are read from now on to `line_max` bytes. */
void window_set_line_max(struct window *w, size_t line_max);

bool window_is_full(const struct window *w);

/* Returns the space for the next read, of *n bytes, or NULL if the window is full. */
char *window_reserve(struct window *w, size_t *n);

/*
 * Adds the `n` bytes that were read to the reserved space. Returns true if that made an unfinished
 * line longer than line_max: *too_long is its beginning, to be passed to window_mark_rejected(),
 * and the rest of the line will be skipped.
 */
bool window_commit(struct window *w, size_t n, struct window_line *too_long);

/* Ends an unfinished last line as an LF would. */
void window_end_line(struct window *w);

/*
 * Ends an unfinished last line whose end will not come. Returns false if there is none; otherwise
 * *line is to be passed to window_mark_rejected().
 */
bool window_end_input(struct window *w, struct window_line *line);

/* Returns whether the input so far ends within a line. */
bool window_mid_line(const struct window *w);

/* Returns the whole lines that window_next_line() has never returned, if one of them is next. */
struct slice window_unchecked(const struct window *w);

/*
 * Finds the next whole line that is neither empty nor rejected. `lf` is its end if the caller knows
 * it, or NULL. Returns false if there is none.
 */
bool window_next_line(struct window *w, const char *lf, struct window_line *line);

/* Marks the line that window_next_line() returned last, so that it is never returned again. */
void window_reject(struct window *w, const struct window_line *line);

/* Marks the unconfirmed line at `offset`, so that it is never returned again. */
void window_mark_rejected(struct window *w, uint64_t offset);

/*
 * Saves in the spool, if there is one, that the `count` records from `offset` on are sent as one
 * message. Returns false if there is no space for that, or if the count is too large.
 */
bool window_mark_batch(struct window *w, uint64_t offset, uint32_t count);

/* Returns the count if that was saved, else 0. */
uint32_t window_find_batch(const struct window *w, uint64_t offset);

/* Removes all lines before `to`, a value that `next` had. */
void window_confirm(struct window *w, const struct window_mark *to);

/* Moves `next` to an unconfirmed line. */
void window_seek(struct window *w, const struct window_mark *to);

/* Moves `next` back: window_next_line() returns all unconfirmed lines once more. */
void window_rewind(struct window *w);

/* Writes the spool to disk. Returns false and logs the reason on failure. */
bool window_sync(struct window *w);

/* Returns false and logs the reason if the spool could not be written to disk. */
bool window_close(struct window *w);

#endif
