#include "publish/time-marks.h"

#include <stddef.h>

static struct time_mark *time_marks_at(struct time_marks *t, unsigned i)
{
    return &t->marks[(t->first + i) % TIME_MARKS_MAX];
}

static void time_marks_merge(struct time_marks *t)
{
    for (unsigned i = 0; i < t->count / 2; i++) {
        uint64_t reached_ns = time_marks_at(t, 2 * i)->reached_ns;
        *time_marks_at(t, i) = *time_marks_at(t, 2 * i + 1);
        time_marks_at(t, i)->reached_ns = reached_ns;
    }
    t->count /= 2;
}

void time_marks_append(struct time_marks *t, const struct time_mark *mark)
{
    /* Of the last mark the memory is unchanged after it was removed, or zero. */
    if (mark->offset <= time_marks_at(t, t->count + TIME_MARKS_MAX - 1)->offset)
        return;
    if (t->count == TIME_MARKS_MAX)
        time_marks_merge(t);
    *time_marks_at(t, t->count++) = *mark;
}

const struct time_mark *time_marks_first(const struct time_marks *t)
{
    return t->count ? &t->marks[t->first] : NULL;
}

void time_marks_remove(struct time_marks *t)
{
    t->first = (t->first + 1) % TIME_MARKS_MAX;
    t->count--;
}
