/* Gap sets, compared with a table of received numbers: random orders, and a full store. */

#include "unit.h"
#include "verify/gaps.h"

enum { NUMBERS = 3000 };

static unsigned seed = 1;

static unsigned random_below(unsigned limit)
{
    return (unsigned)rand_r(&seed) % limit;
}

/* Returns whether gap_set_find() finds the numbers below `next` that were not received. */
static bool set_equals(const struct gap_store *s, const struct gap_set *g, const bool *received,
                       uint64_t next)
{
    uint64_t missing = 0;
    struct gap gap;
    for (uint64_t k = 0; k < next;) {
        if (received[k]) {
            k++;
            continue;
        }
        uint64_t first = k;
        while (k < next && !received[k])
            k++;
        missing += k - first;
        if (!gap_set_find(s, g, first, &gap) || gap.first != first || gap.last != k - 1)
            return false;
        if (!gap_set_find(s, g, k - 1, &gap) || gap.first != first)
            return false;
    }
    return missing == g->count && !gap_set_find(s, g, next, &gap);
}

/* The order is shuffled within `distance`; some numbers are lost, some are received twice. */
static void test_shuffled(unsigned distance, struct gap_store *s)
{
    static bool received[NUMBERS * 2];
    memset(received, 0, sizeof received);
    struct gap_set g = {0};
    uint64_t next = 0;
    bool good = true;
    for (unsigned turn = 0; good && turn < NUMBERS * 2; turn++) {
        uint64_t k = turn / 2 + random_below(distance);
        if (k > next)
            gap_set_add(s, &g, next, k - 1);
        bool is_new = k >= next || gap_set_remove(s, &g, k);
        good = is_new == !received[k];
        received[k] = true;
        next = k >= next ? k + 1 : next;
        if (turn % 100 == 0)
            good = good && set_equals(s, &g, received, next);
    }
    unit(good && set_equals(s, &g, received, next), "shuffled within %u", distance);
    for (uint64_t k = 0; k < next; k++)
        unit(received[k] || gap_set_remove(s, &g, k), "%u is removed", (unsigned)k);
    unit(g.count == 0 && g.root == 0, "the set is empty");
}

static void test_full_store(void)
{
    struct gap_store s = {.max_nodes = 2};
    struct gap_set g = {0};
    struct gap gap;
    gap_set_add(&s, &g, 0, 9);
    gap_set_add(&s, &g, 20, 29);
    gap_set_add(&s, &g, 40, 49);
    unit(s.overflowed && g.count == 30, "a gap without a node is counted, but not recorded");
    unit(!gap_set_remove(&s, &g, 45), "a number that was not recorded is not found");
    unit(gap_set_remove(&s, &g, 5) && g.count == 29, "a gap that cannot be split keeps its count");
    unit(gap_set_find(&s, &g, 0, &gap) && gap.first == 0 && gap.last == 4,
         "its first part is found");
    unit(!gap_set_remove(&s, &g, 7), "its second part is not");
    for (uint64_t k = 20; k < 30; k++)
        gap_set_remove(&s, &g, k);
    gap_set_add(&s, &g, 60, 60);
    unit(gap_set_find(&s, &g, 50, &gap) && gap.first == 60, "a free node is reused");
    gap_store_free(&s);
}

int main(void)
{
    struct gap_store s = {.max_nodes = NUMBERS * 2};
    static const unsigned distances[] = {1, 2, 3, 10, 100, 1000, NUMBERS};
    for (size_t i = 0; i < sizeof distances / sizeof *distances; i++)
        test_shuffled(distances[i], &s);
    unit(!s.overflowed, "the store did not overflow");
    gap_store_free(&s);
    test_full_store();
    return unit_end("gaps");
}
