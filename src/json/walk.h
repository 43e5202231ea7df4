#ifndef SHNEK_JSON_WALK_H
#define SHNEK_JSON_WALK_H

#include "json/locate-error.h"

/* A walk through the members of an object, or the elements of an array. */
struct json_walk {
    struct json_checker checker;
    struct slice text; /* borrowed */
    size_t next;       /* token */
    bool is_array;
};

/* Begins to walk through `text`, an object or array that json_is_valid() has accepted. */
void json_walk_begin(struct json_walk *w, struct slice text);

/*
 * Returns false at the end. `value` is as of json_get_member(), `name` the inside of a string,
 * which json_unescape() decodes; its data is NULL for an element of an array.
 */
bool json_walk_next(struct json_walk *w, struct slice *name, struct slice *value);

/* Ends the walk, also before its end. */
void json_walk_free(struct json_walk *w);

#endif
