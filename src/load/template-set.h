#ifndef SHNEK_LOAD_TEMPLATE_SET_H
#define SHNEK_LOAD_TEMPLATE_SET_H

#include "load/template.h"

/* The templates of a run, and the strings that they borrow. All zero is an empty set. */
struct template_set {
    struct template *items;
    size_t count;
    size_t capacity;
    struct template_string *strings;
};

/* Returns a new, uninitialized template at the end of the set. Earlier ones may move. */
struct template *template_set_add(struct template_set *set);

/* Returns a copy of the text, with a NUL, that the set owns. */
const char *template_set_copy(struct template_set *set, struct slice text);

void template_set_free(struct template_set *set);

#endif
