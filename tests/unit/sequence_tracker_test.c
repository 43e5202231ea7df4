/* The sequence tracker, compared with a table: random loss, duplicates and reordering. */

#include "unit.h"
#include "verify/sequence-tracker.h"

enum { MESSAGES = 400 };

static unsigned seed;

static unsigned random_below(unsigned limit)
{
    return (unsigned)rand_r(&seed) % limit;
}

static struct tracked_message make_message(uint64_t connections, uint64_t k)
{
    return (struct tracked_message){.hostname = {"h", 1},
                                    .connection_count = connections,
                                    .connection = k % connections,
                                    .number = k / connections};
}

/* Returns whether the ranges are the messages below `sent` that were not received. */
static bool ranges_match(const struct sequence_tracker *t, const bool *received, uint64_t sent)
{
    struct gap range;
    uint64_t k = 0;
    uint64_t missing = 0;
    while (k < sent) {
        if (received[k]) {
            k++;
            continue;
        }
        uint64_t first = k;
        while (k < sent && !received[k])
            k++;
        missing += k - first;
        if (!sequence_tracker_find_range(t, t->last_run, first, &range) || range.first != first ||
            range.last != k - 1)
            return false;
    }
    return !sequence_tracker_find_range(t, t->last_run, sent, &range) &&
           missing == sequence_tracker_count_missing(t);
}

static void test_random_run(unsigned number)
{
    static bool received[MESSAGES];
    struct sequence_tracker t;
    uint64_t connections = 1 + random_below(6);
    unsigned distance = 1 + random_below(number % 2 ? 60 : 3);
    unsigned lost = random_below(40);
    bool good = true;
    uint64_t highest[8] = {0};
    uint64_t sent = 0;
    memset(received, 0, sizeof received);
    sequence_tracker_init(&t);
    for (unsigned turn = 0; turn < MESSAGES; turn++) {
        uint64_t k = turn + random_below(distance);
        if (k >= MESSAGES || random_below(100) < lost || k / 50 == 3)
            continue;
        struct tracked_message m = make_message(connections, k);
        enum tracker_result expected = received[k]                        ? TRACKER_DUPLICATE
                                       : m.number < highest[m.connection] ? TRACKER_REORDERED
                                                                          : TRACKER_NEW;
        good = good && sequence_tracker_add(&t, &m) == expected;
        received[k] = true;
        sent = k >= sent ? k + 1 : sent;
        if (m.number >= highest[m.connection])
            highest[m.connection] = m.number + 1;
    }
    uint64_t total = number % 3 ? 0 : MESSAGES + 10;
    bool all[MESSAGES + 10] = {0};
    memcpy(all, received, sizeof received);
    sequence_tracker_finish(&t, total);
    unit(good && t.run_count == 1, "run %u: the result for each message", number);
    unit(ranges_match(&t, all, total ? total : sent), "run %u: the missing messages", number);
    sequence_tracker_free(&t);
}

static void test_many_runs(void)
{
    struct sequence_tracker t;
    char names[300][16];
    sequence_tracker_init(&t);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 300; i++) {
            struct tracked_message m = make_message(1, (uint64_t)round);
            snprintf(names[i], sizeof names[i], "%d", i);
            m.procid = (struct slice){names[i], strlen(names[i])};
            unit(sequence_tracker_add(&t, &m) == TRACKER_NEW, "run %d", i);
        }
    struct tracked_message m = make_message(1, 0);
    m.run = (struct slice){"", 0};
    unit(sequence_tracker_add(&t, &m) == TRACKER_NEW, "an empty run name is a run");
    unit(t.run_count == 301 && t.seen_connections == 301, "runs");
    sequence_tracker_finish(&t, 605);
    unit(sequence_tracker_count_missing(&t) == 4 && t.unattributed == 4,
         "missing messages of unknown runs");
    sequence_tracker_free(&t);
}

static void test_rejected(void)
{
    struct sequence_tracker t;
    sequence_tracker_init(&t);
    struct tracked_message m = make_message(4, 7);
    unit(sequence_tracker_add(&t, &m) == TRACKER_NEW, "the first");
    m = make_message(5, 7);
    unit(sequence_tracker_add(&t, &m) == TRACKER_REJECTED, "another number of connections");
    m.connection_count = 4;
    m.connection = 4;
    unit(sequence_tracker_add(&t, &m) == TRACKER_REJECTED, "a connection above the count");
    m.connection = 0;
    m.number = TRACKER_MAX_MESSAGES / 4;
    unit(sequence_tracker_add(&t, &m) == TRACKER_REJECTED, "a number above the limit");
    m.number--;
    unit(sequence_tracker_add(&t, &m) == TRACKER_NEW, "the last number");
    sequence_tracker_finish(&t, 0);
    unit(sequence_tracker_count_missing(&t) == TRACKER_MAX_MESSAGES - 4 + 1 - 2,
         "nearly all are missing");
    sequence_tracker_free(&t);
}

int main(void)
{
    for (unsigned i = 0; i < 300; i++) {
        seed = i;
        test_random_run(i);
    }
    test_many_runs();
    test_rejected();
    return unit_end("sequence tracker");
}
