#ifndef SHNEK_VERIFY_GAPS_H
#define SHNEK_VERIFY_GAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Which numbers are missing: sets of gaps, each a balanced tree (a treap), whose nodes come out of
 * one store. The store is bounded: numbers for which no node was left are still counted as missing,
 * but which they are is forgotten.
 */
struct gap {
    uint64_t first;
    uint64_t last;
};

struct gap_node {
    struct gap gap;
    uint32_t left;
    uint32_t right;
    uint32_t priority;
};

/* All zero but for `limit` is ready for use. */
struct gap_store {
    struct gap_node *nodes;
    size_t capacity;
    uint32_t max_nodes; /* of nodes */
    uint32_t used;      /* of nodes that were ever used */
    uint32_t free_list; /* the first that is free again, in a chain of left, or 0 */
    uint32_t random;
    bool overflowed; /* some numbers */
};

/* All zero is an empty one. */
struct gap_set {
    uint32_t root;
    uint64_t count; /* numbers */
};

/* Numbers that are missing from now on: behind all of the set, and some. */
void gap_set_add(struct gap_store *s, struct gap_set *g, uint64_t first, uint64_t last);

/* A number is no longer missing. False where it was not, or is among the forgotten. */
bool gap_set_remove(struct gap_store *s, struct gap_set *g, uint64_t number);

/* The first gap that does not end before a number; false where there is none. */
bool gap_set_find(const struct gap_store *s, const struct gap_set *g, uint64_t number,
                  struct gap *gap);

void gap_store_free(struct gap_store *s);

#endif
