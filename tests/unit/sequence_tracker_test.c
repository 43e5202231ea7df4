/* The ledger, held against a table of what came: random losses, repetitions and orders. */

#include "unit.h"
#include "verify/sequence-tracker.h"

enum { MESSAGES = 400 };

static unsigned seed;

static unsigned chance(unsigned below)
{
    return (unsigned)rand_r(&seed) % below;
}

static struct tracked_message message(uint64_t of, uint64_t k)
{
    return (struct tracked_message){
        .hostname = {"h", 1}, .connection_count = of, .connection = k % of, .number = k / of};
}

/* Whether the ledger's ranges are the numbers below `made` that did not come. */
static bool ranges_are(const struct sequence_tracker *l, const bool *came, uint64_t made)
{
    struct gap range;
    uint64_t k = 0;
    uint64_t missing = 0;
    while (k < made) {
        if (came[k]) {
            k++;
            continue;
        }
        uint64_t first = k;
        while (k < made && !came[k])
            k++;
        missing += k - first;
        if (!sequence_tracker_find_range(l, l->last_run, first, &range) || range.first != first ||
            range.last != k - 1)
            return false;
    }
    return !sequence_tracker_find_range(l, l->last_run, made, &range) &&
           missing == sequence_tracker_count_missing(l);
}

static void one_run(unsigned number)
{
    static bool came[MESSAGES];
    struct sequence_tracker l;
    uint64_t of = 1 + chance(6);
    unsigned reach = 1 + chance(number % 2 ? 60 : 3);
    unsigned lost = chance(40);
    bool good = true;
    uint64_t highest[8] = {0};
    uint64_t made = 0;
    memset(came, 0, sizeof came);
    sequence_tracker_init(&l);
    for (unsigned turn = 0; turn < MESSAGES; turn++) {
        uint64_t k = turn + chance(reach);
        if (k >= MESSAGES || chance(100) < lost || k / 50 == 3)
            continue;
        struct tracked_message e = message(of, k);
        enum tracker_result wanted = came[k]                            ? TRACKER_DUPLICATE
                                     : e.number < highest[e.connection] ? TRACKER_REORDERED
                                                                        : TRACKER_NEW;
        good = good && sequence_tracker_add(&l, &e) == wanted;
        came[k] = true;
        made = k >= made ? k + 1 : made;
        if (e.number >= highest[e.connection])
            highest[e.connection] = e.number + 1;
    }
    uint64_t total = number % 3 ? 0 : MESSAGES + 10;
    bool all[MESSAGES + 10] = {0};
    memcpy(all, came, sizeof came);
    sequence_tracker_finish(&l, total);
    unit(good && l.run_count == 1, "run %u: what each message is", number);
    unit(ranges_are(&l, all, total ? total : made), "run %u: what is missing", number);
    sequence_tracker_free(&l);
}

static void many_runs(void)
{
    struct sequence_tracker l;
    char names[300][16];
    sequence_tracker_init(&l);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 300; i++) {
            struct tracked_message e = message(1, (uint64_t)round);
            snprintf(names[i], sizeof names[i], "%d", i);
            e.procid = (struct slice){names[i], strlen(names[i])};
            unit(sequence_tracker_add(&l, &e) == TRACKER_NEW, "run %d", i);
        }
    struct tracked_message e = message(1, 0);
    e.run = (struct slice){"", 0};
    unit(sequence_tracker_add(&l, &e) == TRACKER_NEW, "an empty run id is one");
    unit(l.run_count == 301 && l.seen_connections == 301, "runs");
    sequence_tracker_finish(&l, 605);
    unit(sequence_tracker_count_missing(&l) == 4 && l.unattributed == 4, "missing of somebody's");
    sequence_tracker_free(&l);
}

static void refused(void)
{
    struct sequence_tracker l;
    sequence_tracker_init(&l);
    struct tracked_message e = message(4, 7);
    unit(sequence_tracker_add(&l, &e) == TRACKER_NEW, "the first");
    e = message(5, 7);
    unit(sequence_tracker_add(&l, &e) == TRACKER_REJECTED, "another number of connections");
    e.connection_count = 4;
    e.connection = 4;
    unit(sequence_tracker_add(&l, &e) == TRACKER_REJECTED, "no such connection");
    e.connection = 0;
    e.number = TRACKER_MAX_MESSAGES / 4;
    unit(sequence_tracker_add(&l, &e) == TRACKER_REJECTED, "no such number");
    e.number--;
    unit(sequence_tracker_add(&l, &e) == TRACKER_NEW, "the last number");
    sequence_tracker_finish(&l, 0);
    unit(sequence_tracker_count_missing(&l) == TRACKER_MAX_MESSAGES - 4 + 1 - 2,
         "nearly all are missing");
    sequence_tracker_free(&l);
}

int main(void)
{
    for (unsigned i = 0; i < 300; i++) {
        seed = i;
        one_run(i);
    }
    many_runs();
    refused();
    return unit_end("ledger");
}
