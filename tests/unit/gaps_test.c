/* Gaps: held against a plain table of what came, for random orders and a store that is too small.
 */

#include "unit.h"
#include "verify/gaps.h"

enum { NUMBERS = 3000 };

static unsigned seed = 1;

static unsigned chance(unsigned below)
{
    return (unsigned)rand_r(&seed) % below;
}

/* What of `came` below `next` is missing, as gaps_find tells it. */
static bool same(const struct gap_store *s, const struct gap_set *g, const bool *came,
                 uint64_t next)
{
    uint64_t missing = 0;
    struct gap gap;
    for (uint64_t k = 0; k < next;) {
        if (came[k]) {
            k++;
            continue;
        }
        uint64_t first = k;
        while (k < next && !came[k])
            k++;
        missing += k - first;
        if (!gap_set_find(s, g, first, &gap) || gap.first != first || gap.last != k - 1)
            return false;
        if (!gap_set_find(s, g, k - 1, &gap) || gap.first != first)
            return false;
    }
    return missing == g->count && !gap_set_find(s, g, next, &gap);
}

/* Numbers come in an order that is shuffled within `reach`; some do not come, some come twice. */
static void shuffled(unsigned reach, struct gap_store *s)
{
    static bool came[NUMBERS * 2];
    memset(came, 0, sizeof came);
    struct gap_set g = {0};
    uint64_t next = 0;
    bool good = true;
    for (unsigned turn = 0; good && turn < NUMBERS * 2; turn++) {
        uint64_t k = turn / 2 + chance(reach);
        if (k > next)
            gap_set_add(s, &g, next, k - 1);
        bool fresh = k >= next || gap_set_remove(s, &g, k);
        good = fresh == !came[k];
        came[k] = true;
        next = k >= next ? k + 1 : next;
        if (turn % 100 == 0)
            good = good && same(s, &g, came, next);
    }
    unit(good && same(s, &g, came, next), "shuffled within %u", reach);
    for (uint64_t k = 0; k < next; k++)
        unit(came[k] || gap_set_remove(s, &g, k), "%u is filled", (unsigned)k);
    unit(g.count == 0 && g.root == 0, "nothing is left");
}

static void bounded(void)
{
    struct gap_store s = {.max_nodes = 2};
    struct gap_set g = {0};
    struct gap gap;
    gap_set_add(&s, &g, 0, 9);
    gap_set_add(&s, &g, 20, 29);
    gap_set_add(&s, &g, 40, 49);
    unit(s.overflowed && g.count == 30, "the third is counted, but not kept");
    unit(!gap_set_remove(&s, &g, 45), "nor found");
    unit(gap_set_remove(&s, &g, 5) && g.count == 29, "what is split keeps its count");
    unit(gap_set_find(&s, &g, 0, &gap) && gap.first == 0 && gap.last == 4, "and its first part");
    unit(!gap_set_remove(&s, &g, 7), "but not the second");
    for (uint64_t k = 20; k < 30; k++)
        gap_set_remove(&s, &g, k);
    gap_set_add(&s, &g, 60, 60);
    unit(gap_set_find(&s, &g, 50, &gap) && gap.first == 60, "a node that is free is used again");
    gap_store_free(&s);
}

int main(void)
{
    struct gap_store s = {.max_nodes = NUMBERS * 2};
    static const unsigned reaches[] = {1, 2, 3, 10, 100, 1000, NUMBERS};
    for (size_t i = 0; i < sizeof reaches / sizeof *reaches; i++)
        shuffled(reaches[i], &s);
    unit(!s.overflowed, "nothing was forgotten");
    gap_store_free(&s);
    bounded();
    return unit_end("gaps");
}
