#ifndef SHNEK_PUBLISH_TIME_MARKS_H
#define SHNEK_PUBLISH_TIME_MARKS_H

#include <stdbool.h>
#include <stdint.h>

enum { TIME_MARKS_MAX = 512 };

/* The time at which a position of the window was reached. */
struct time_mark {
    uint64_t offset;   /* bytes before it */
    uint64_t messages; /* before it */
    uint64_t reached_ns;
};

/* A queue of marks in ascending order. If it is full, neighbours are merged: their earlier time is
 * kept, so its precision is that of the whole time divided by some hundred. */
struct time_marks {
    unsigned first;
    unsigned count;
    struct time_mark marks[TIME_MARKS_MAX];
};

/* Appends a mark if its offset is greater than that of the last one, which may have been removed.
 */
void time_marks_append(struct time_marks *t, const struct time_mark *mark);

/* Returns the first mark, or NULL. */
const struct time_mark *time_marks_first(const struct time_marks *t);

/* Removes the first mark. */
void time_marks_remove(struct time_marks *t);

#endif
