#ifndef SHNEK_JSON_MEMBER_SCAN_H
#define SHNEK_JSON_MEMBER_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum { MEMBER_SCAN_DEPTH = 8 /* names in a path */, MEMBER_SCAN_NAMES = 16 };

/*
 * Finds some members of a JSON object, which may be nested, in one pass that ends when all are
 * found. Remembers the names of the last line in order, as json_validate() does, so that lines
 * of one producer need one comparison for each name. All zero is ready for use.
 */
struct member_scan {
    struct member_scan_path *paths;
    size_t path_count;
    size_t path_capacity;
    struct member_scan_top *tops; /* the first names of the paths, each once */
    size_t top_count;
    size_t top_capacity;
    struct member_scan_name {
        uint64_t bytes[2]; /* with the '{' or ',' before it, padded with all ones */
        uint64_t mask[2];  /* all ones in the padding */
        size_t len;        /* up to the value */
        size_t top;        /* index of the member, top_count if it is none of them */
    } names[MEMBER_SCAN_NAMES];
};

/*
 * Adds the path names[0].names[1]... of `depth` names, 1 to MEMBER_SCAN_DEPTH, which is copied.
 * Returns its index. A name matches a name in the line that json_escape() would write.
 */
size_t member_scan_add(struct member_scan *s, const struct slice *names, size_t depth);

/* Finds the members in `line`, a valid JSON object; in other text it may find anything or nothing.
 * Of equal names the first counts. */
void member_scan_run(struct member_scan *s, struct slice line);

/* Forgets the values, as if nothing had been found. */
void member_scan_clear(struct member_scan *s);

/*
 * Returns the scalar value of path `i`, which points into the line: the inside of a string, or the
 * text of a number, true or false. data == NULL if it is missing, null, an object or an array.
 */
struct slice member_scan_text(const struct member_scan *s, size_t i);

void member_scan_free(struct member_scan *s);

#endif
