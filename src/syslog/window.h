#ifndef SHNEK_SYSLOG_WINDOW_H
#define SHNEK_SYSLOG_WINDOW_H

#include <stdbool.h>

#include "base/simd.h"

/*
 * A look ahead at WINDOW bytes at once: which of them are marks, by a function that gives a bit for
 * each byte of a block. Window follows window, and marks come in their order.
 */
enum { WINDOW = 48 };
struct window {
    const char *start;
    uint64_t marks;
};
typedef uint64_t window_bits(simd_block b);

static inline struct window window_within(const char *p, size_t last, window_bits *bits)
{
    uint64_t marks = 0;
#pragma GCC unroll 6
    for (size_t i = 0; i < WINDOW; i += SIMD_SIZE) {
        size_t at = i < last ? i : last;
        marks |= bits(simd_load(p + at)) << at;
    }
    return (struct window){p, marks};
}

/* Where the end is near: blocks overlap, or begin before `p`. */
static __attribute__((noinline)) struct window window_at_end(const char *p, const char *end,
                                                             window_bits *bits)
{
    ptrdiff_t left = end - p;
    if (left >= SIMD_SIZE)
        return window_within(p, (size_t)left - SIMD_SIZE, bits);
    uint64_t marks = left > 0 ? bits(simd_load(end - SIMD_SIZE)) >> (SIMD_SIZE - left) : 0;
    return (struct window){p, marks};
}

/* At `p`, which has a block or more before it or behind it. */
static inline struct window window_at(const char *p, const char *end, window_bits *bits)
{
    return end - p >= WINDOW ? window_within(p, WINDOW - SIMD_SIZE, bits)
                             : window_at_end(p, end, bits);
}

/* The next one that has marks, or one without where there is none. */
static __attribute__((noinline, unused)) struct window
window_behind(struct window w, const char *end, window_bits *bits)
{
    while (w.marks == 0 && end - w.start > WINDOW)
        w = window_at(w.start + WINDOW, end, bits);
    return w;
}

static inline uint64_t without_first(uint64_t marks)
{
    return marks & (marks - 1);
}

static inline size_t first_of(uint64_t marks)
{
    return (unsigned)__builtin_ctzll(marks);
}

/* Where the first four marks are, counted from the start. False where there are fewer. */
struct window_marks {
    size_t first, second, third, fourth;
};
static inline bool window_four_marks(struct window w, struct window_marks *at)
{
    uint64_t from_second = without_first(w.marks);
    uint64_t from_third = without_first(from_second);
    uint64_t from_fourth = without_first(from_third);
    if (from_fourth == 0)
        return false;
    *at = (struct window_marks){first_of(w.marks), first_of(from_second), first_of(from_third),
                                first_of(from_fourth)};
    return true;
}

/* The next mark, which there must be. */
static inline const char *window_mark(struct window *w)
{
    const char *mark = w->start + first_of(w->marks);
    w->marks = without_first(w->marks);
    return mark;
}

#endif
