/* The ledger, held against a table of what came: random losses, repetitions and orders. */

#include "unit.h"
#include "verify/sequence-tracker.h"

enum { MESSAGES = 400 };

static unsigned seed;

static unsigned chance(unsigned below)
{
    return (unsigned)rand_r(&seed) % below;
}

static struct entry message(uint64_t of, uint64_t k)
{
    return (struct entry){.hostname = {"h", 1}, .of = of, .connection = k % of, .number = k / of};
}

/* Whether the ledger's ranges are the numbers below `made` that did not come. */
static bool ranges_are(const struct ledger *l, const bool *came, uint64_t made)
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
        if (!ledger_range(l, l->last, first, &range) || range.first != first || range.last != k - 1)
            return false;
    }
    return !ledger_range(l, l->last, made, &range) && missing == ledger_missing(l);
}

static void one_run(unsigned number)
{
    static bool came[MESSAGES];
    struct ledger l;
    uint64_t of = 1 + chance(6);
    unsigned reach = 1 + chance(number % 2 ? 60 : 3);
    unsigned lost = chance(40);
    bool good = true;
    uint64_t highest[8] = {0};
    uint64_t made = 0;
    memset(came, 0, sizeof came);
    ledger_start(&l);
    for (unsigned turn = 0; turn < MESSAGES; turn++) {
        uint64_t k = turn + chance(reach);
        if (k >= MESSAGES || chance(100) < lost || k / 50 == 3)
            continue;
        struct entry e = message(of, k);
        enum ledger_entry wanted = came[k]                            ? LEDGER_REPEATED
                                   : e.number < highest[e.connection] ? LEDGER_LATE
                                                                      : LEDGER_NEW;
        good = good && ledger_take(&l, &e) == wanted;
        came[k] = true;
        made = k >= made ? k + 1 : made;
        if (e.number >= highest[e.connection])
            highest[e.connection] = e.number + 1;
    }
    uint64_t total = number % 3 ? 0 : MESSAGES + 10;
    bool all[MESSAGES + 10] = {0};
    memcpy(all, came, sizeof came);
    ledger_close(&l, total);
    unit(good && l.runs == 1, "run %u: what each message is", number);
    unit(ranges_are(&l, all, total ? total : made), "run %u: what is missing", number);
    ledger_free(&l);
}

static void many_runs(void)
{
    struct ledger l;
    char names[300][16];
    ledger_start(&l);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 300; i++) {
            struct entry e = message(1, (uint64_t)round);
            snprintf(names[i], sizeof names[i], "%d", i);
            e.procid = (struct slice){names[i], strlen(names[i])};
            unit(ledger_take(&l, &e) == LEDGER_NEW, "run %d", i);
        }
    struct entry e = message(1, 0);
    e.run = (struct slice){"", 0};
    unit(ledger_take(&l, &e) == LEDGER_NEW, "an empty run id is one");
    unit(l.runs == 301 && l.seen == 301, "runs");
    ledger_close(&l, 605);
    unit(ledger_missing(&l) == 4 && l.unnamed == 4, "missing of somebody's");
    ledger_free(&l);
}

static void refused(void)
{
    struct ledger l;
    ledger_start(&l);
    struct entry e = message(4, 7);
    unit(ledger_take(&l, &e) == LEDGER_NEW, "the first");
    e = message(5, 7);
    unit(ledger_take(&l, &e) == LEDGER_REFUSED, "another number of connections");
    e.of = 4;
    e.connection = 4;
    unit(ledger_take(&l, &e) == LEDGER_REFUSED, "no such connection");
    e.connection = 0;
    e.number = LEDGER_NUMBERS / 4;
    unit(ledger_take(&l, &e) == LEDGER_REFUSED, "no such number");
    e.number--;
    unit(ledger_take(&l, &e) == LEDGER_NEW, "the last number");
    ledger_close(&l, 0);
    unit(ledger_missing(&l) == LEDGER_NUMBERS - 4 + 1 - 2, "nearly all are missing");
    ledger_free(&l);
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
