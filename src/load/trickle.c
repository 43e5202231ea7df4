#include "load/trickle.h"

#include "base/clock.h"

enum { SHORTEST_PAUSE = 1000000, LONGEST_PAUSE = 100000000 };

void trickle_take(struct trickle *t, struct buffer *from, uint64_t now)
{
    buffer_add(&t->held, (struct slice){from->at, from->len});
    from->len = 0;
    t->gone = 0;
    t->since = now;
}

bool trickle_give(struct trickle *t, uint64_t slow, uint64_t now, struct buffer *to)
{
    unsigned __int128 may = (unsigned __int128)(now - t->since) * slow / NS_PER_S;
    size_t end = may < t->held.len ? (size_t)may : t->held.len;
    if (end > t->gone)
        buffer_add(to, slice_between(t->held.at + t->gone, t->held.at + end));
    t->gone = end;
    if (end < t->held.len)
        return false;
    t->held.len = 0;
    return true;
}

uint64_t trickle_pause(uint64_t slow)
{
    uint64_t pause = NS_PER_S / slow;
    return pause < SHORTEST_PAUSE ? SHORTEST_PAUSE : pause < LONGEST_PAUSE ? pause : LONGEST_PAUSE;
}
