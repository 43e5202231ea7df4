#include "verify/gaps.h"

#include <stdlib.h>

#include "base/buffer.h"

/* Node 0 is none. */

static uint32_t take_node(struct gap_store *s, struct gap gap)
{
    uint32_t node = s->spare;
    if (node) {
        s->spare = s->nodes[node].left;
    } else if (s->count == s->limit) {
        s->forgot = true;
        return 0;
    } else {
        node = ++s->count;
        s->nodes = array_grow(s->nodes, &s->capacity, node, sizeof *s->nodes);
    }
    s->random = s->random * 1664525 + 1013904223;
    s->nodes[node] = (struct gap_node){.gap = gap, .priority = s->random};
    return node;
}

static void free_node(struct gap_store *s, uint32_t node)
{
    s->nodes[node].left = s->spare;
    s->spare = node;
}

/* Joins two trees, all of `left` before all of `right`. */
static uint32_t join(struct gap_store *s, uint32_t left, uint32_t right)
{
    struct gap_node *n = s->nodes;
    if (!left || !right)
        return left ? left : right;
    if (n[left].priority > n[right].priority) {
        n[left].right = join(s, n[left].right, right);
        return left;
    }
    n[right].left = join(s, left, n[right].left);
    return right;
}

/* Parts a tree into what ends before a number and the rest. */
static void part(struct gap_store *s, uint32_t tree, uint64_t number, uint32_t *before,
                 uint32_t *rest)
{
    struct gap_node *n = s->nodes;
    if (!tree) {
        *before = *rest = 0;
    } else if (n[tree].gap.last < number) {
        part(s, n[tree].right, number, &n[tree].right, rest);
        *before = tree;
    } else {
        part(s, n[tree].left, number, before, &n[tree].left);
        *rest = tree;
    }
}

static void insert(struct gap_store *s, struct gaps *g, uint32_t node)
{
    uint32_t before;
    uint32_t rest;
    part(s, g->root, s->nodes[node].gap.first, &before, &rest);
    g->root = join(s, join(s, before, node), rest);
}

static void take_out(struct gap_store *s, struct gaps *g, uint32_t node)
{
    uint32_t *link = &g->root;
    while (*link != node)
        link = s->nodes[*link].gap.last < s->nodes[node].gap.first ? &s->nodes[*link].right
                                                                   : &s->nodes[*link].left;
    *link = join(s, s->nodes[node].left, s->nodes[node].right);
    free_node(s, node);
}

static uint32_t find(const struct gap_store *s, const struct gaps *g, uint64_t number)
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

void gaps_add(struct gap_store *s, struct gaps *g, uint64_t first, uint64_t last)
{
    uint32_t node = take_node(s, (struct gap){first, last});
    g->missing += last - first + 1;
    if (node)
        g->root = join(s, g->root, node);
}

bool gaps_fill(struct gap_store *s, struct gaps *g, uint64_t number)
{
    uint32_t node = find(s, g, number);
    if (!node || s->nodes[node].gap.first > number)
        return false;
    struct gap was = s->nodes[node].gap;
    g->missing--;
    if (was.first == was.last) {
        take_out(s, g, node);
    } else if (was.first == number) {
        s->nodes[node].gap.first++;
    } else {
        s->nodes[node].gap.last = number - 1;
        if (was.last > number) {
            uint32_t rest = take_node(s, (struct gap){number + 1, was.last});
            if (rest)
                insert(s, g, rest);
        }
    }
    return true;
}

bool gaps_find(const struct gap_store *s, const struct gaps *g, uint64_t number, struct gap *gap)
{
    uint32_t node = find(s, g, number);
    if (node)
        *gap = s->nodes[node].gap;
    return node != 0;
}

void gaps_free(struct gap_store *s)
{
    free(s->nodes);
    *s = (struct gap_store){0};
}
