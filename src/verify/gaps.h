#ifndef SHNEK_VERIFY_GAPS_H
#define SHNEK_VERIFY_GAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Sets of missing sequence numbers, as ranges ("gaps"). Each set is a balanced tree (a treap) whose
 * nodes come from a store that all sets share. The store is bounded: without a free node, a gap
 * still counts as missing, but its numbers are not recorded.
 */
struct gap {
    uint64_t first;
    uint64_t last;
};

struct gap_node {
    struct gap gap;
    uint32_t left; /* index into the store; 0 is none */
    uint32_t right;
    uint32_t priority;
};

/* The owner sets `max_nodes`; all else is zero at first. */
struct gap_store {
    struct gap_node *nodes;
    size_t capacity;
    uint32_t max_nodes;
    uint32_t used;      /* nodes, those on the free list included */
    uint32_t free_list; /* first free node, linked by `left`; 0 is none */
    uint32_t random;
    bool overflowed; /* a gap was not recorded */
};

/* All zero is an empty set. */
struct gap_set {
    uint32_t root;
    uint64_t count; /* numbers */
};

/* Adds the numbers from `first` to `last`, which must be greater than all in the set. */
void gap_set_add(struct gap_store *s, struct gap_set *g, uint64_t first, uint64_t last);

/* Removes one number. Returns false if it is not in the set, or was not recorded. */
bool gap_set_remove(struct gap_store *s, struct gap_set *g, uint64_t number);

/* Finds the first gap that ends at `number` or later. Returns false if there is none. */
bool gap_set_find(const struct gap_store *s, const struct gap_set *g, uint64_t number,
                  struct gap *gap);

void gap_store_free(struct gap_store *s);

#endif
