#include "verify/gaps.h"

#include <stdlib.h>

#include "base/buffer.h"

static uint32_t gap_node_alloc(struct gap_store *s, struct gap gap)
{
    uint32_t node = s->free_list;
    if (node) {
        s->free_list = s->nodes[node].left;
    } else if (s->used == s->max_nodes) {
        s->overflowed = true;
        return 0;
    } else {
        node = ++s->used;
        s->nodes = array_grow(s->nodes, &s->capacity, node, sizeof *s->nodes);
    }
    s->random = s->random * 1664525 + 1013904223;
    s->nodes[node] = (struct gap_node){.gap = gap, .priority = s->random};
    return node;
}

static void gap_node_free(struct gap_store *s, uint32_t node)
{
    s->nodes[node].left = s->free_list;
    s->free_list = node;
}

/* Every gap of `left` must be less than every gap of `right`. */
static uint32_t gap_tree_join(struct gap_store *s, uint32_t left, uint32_t right)
{
    struct gap_node *n = s->nodes;
    if (!left || !right)
        return left ? left : right;
    if (n[left].priority > n[right].priority) {
        n[left].right = gap_tree_join(s, n[left].right, right);
        return left;
    }
    n[right].left = gap_tree_join(s, left, n[right].left);
    return right;
}

/* Gaps that end before `number` go to `before`. */
static void gap_tree_split(struct gap_store *s, uint32_t tree, uint64_t number, uint32_t *before,
                           uint32_t *rest)
{
    struct gap_node *n = s->nodes;
    if (!tree) {
        *before = *rest = 0;
    } else if (n[tree].gap.last < number) {
        gap_tree_split(s, n[tree].right, number, &n[tree].right, rest);
        *before = tree;
    } else {
        gap_tree_split(s, n[tree].left, number, before, &n[tree].left);
        *rest = tree;
    }
}

static void gap_tree_insert(struct gap_store *s, struct gap_set *g, uint32_t node)
{
    uint32_t before;
    uint32_t rest;
    gap_tree_split(s, g->root, s->nodes[node].gap.first, &before, &rest);
    g->root = gap_tree_join(s, gap_tree_join(s, before, node), rest);
}

static void gap_tree_remove(struct gap_store *s, struct gap_set *g, uint32_t node)
{
    uint32_t *link = &g->root;
    while (*link != node)
        link = s->nodes[*link].gap.last < s->nodes[node].gap.first ? &s->nodes[*link].right
                                                                   : &s->nodes[*link].left;
    *link = gap_tree_join(s, s->nodes[node].left, s->nodes[node].right);
    gap_node_free(s, node);
}

static uint32_t gap_tree_find(const struct gap_store *s, const struct gap_set *g, uint64_t number)
{
    uint32_t found = 0;
    for (uint32_t node = g->root; node;) {
        if (s->nodes[node].gap.last < number) {
            node = s->nodes[node].right;
        } else {
            found = node;
            node = s->nodes[node].left;
        }
    }
    return found;
}

void gap_set_add(struct gap_store *s, struct gap_set *g, uint64_t first, uint64_t last)
{
    uint32_t node = gap_node_alloc(s, (struct gap){first, last});
    g->count += last - first + 1;
    if (node)
        g->root = gap_tree_join(s, g->root, node);
}

bool gap_set_remove(struct gap_store *s, struct gap_set *g, uint64_t number)
{
    uint32_t node = gap_tree_find(s, g, number);
    if (!node || s->nodes[node].gap.first > number)
        return false;
    struct gap old = s->nodes[node].gap;
    g->count--;
    if (old.first == old.last) {
        gap_tree_remove(s, g, node);
    } else if (old.first == number) {
        s->nodes[node].gap.first++;
    } else {
        s->nodes[node].gap.last = number - 1;
        if (old.last > number) {
            uint32_t rest = gap_node_alloc(s, (struct gap){number + 1, old.last});
            if (rest)
                gap_tree_insert(s, g, rest);
        }
    }
    return true;
}

bool gap_set_find(const struct gap_store *s, const struct gap_set *g, uint64_t number,
                  struct gap *gap)
{
    uint32_t node = gap_tree_find(s, g, number);
    if (node)
        *gap = s->nodes[node].gap;
    return node != 0;
}

void gap_store_free(struct gap_store *s)
{
    free(s->nodes);
    *s = (struct gap_store){0};
}
