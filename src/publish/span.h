#ifndef SHNEK_PUBLISH_SPAN_H
#define SHNEK_PUBLISH_SPAN_H

#include "base/buffer.h"
#include "publish/window.h"

/*
 * Records of a window that are published as one message: a line, or several lines with the same
 * key. The same lines are found again as long as they are not confirmed.
 */
struct span {
    struct window_mark start; /* of the first record */
    uint64_t end;             /* offset after the last record */
    uint32_t count;           /* of records */
    bool is_whole;            /* the records are one piece of the ring */
    bool has_cr;              /* the last line ends in CR LF */
    size_t length;            /* bytes; of the records, separated by LF */
};

/*
 * Returns what lines must have in common to be records of one message, such as their subject:
 * borrowed, or written to `to`.
 */
typedef struct slice span_key(void *argument, struct slice line, struct buffer *to);

/* Reads records of an unconfirmed span. All zero except the window is ready for use. */
struct span_reader {
    const struct window *window;
    span_key *key; /* NULL: all lines have the same key */
    void *argument;
    struct buffer text;
    struct buffer keys[2];
};

/* Returns the span of the line that window_next_line() returned last. */
static inline struct span span_of_line(const struct window *w, const struct window_line *line)
{
    return (struct span){.start = {line->offset, line->number - 1, w->next.messages - 1},
                         .end = w->next.offset,
                         .count = 1,
                         .is_whole = true,
                         .has_cr = line->offset + line->text.len + 1 != w->next.offset,
                         .length = line->text.len};
}

/* Appends the line that window_next_line() returned last. */
static inline void span_extend(struct span *s, const struct window *w,
                               const struct window_line *line)
{
    bool has_cr = line->offset + line->text.len + 1 != w->next.offset;
    s->is_whole = s->is_whole && line->offset == s->end && !s->has_cr && !has_cr;
    s->has_cr = has_cr;
    s->end = w->next.offset;
    s->length += 1 + line->text.len;
    s->count++;
}

/* Returns the records, separated by LF. The text is valid until the next call. */
struct slice span_read(struct span_reader *r, const struct span *s);

/* Returns the first one of records that are separated by LF. */
static inline struct slice span_first_of(struct slice records)
{
    const char *lf = memchr(records.data, '\n', records.len);
    return lf ? slice_between(records.data, lf) : records;
}

/* Returns the first record. */
struct slice span_first_record(const struct window *w, const struct span *s);

/* Removes up to `count` records from the beginning of a span and returns them. */
struct span span_take(struct span_reader *r, struct span *s, uint32_t count);

void span_reader_free(struct span_reader *r);

#endif
