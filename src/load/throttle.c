#include "load/throttle.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/options.h"

enum { SHORTEST_PAUSE = 1000000, LONGEST_PAUSE = 100000000 };

bool trickle_option(uint64_t *slow, const char *text)
{
    char bytes[32];
    size_t length = strlen(text);
    length -= length > 2 && strcmp(text + length - 2, "/s") == 0 ? 2 : 0;
    snprintf(bytes, sizeof bytes, "%.*s", (int)length, text);
    return option_size("--slow", length < sizeof bytes ? bytes : text, 1, 1 << 30, slow);
}

void trickle_take(struct trickle *t, struct buffer *from, uint64_t now)
{
    buffer_append(&t->held, (struct slice){from->data, from->len});
    from->len = 0;
    t->gone = 0;
    t->since = now;
}

bool trickle_give(struct trickle *t, uint64_t slow, uint64_t now, struct buffer *to)
{
    unsigned __int128 may = (unsigned __int128)(now - t->since) * slow / NS_PER_S;
    size_t end = may < t->held.len ? (size_t)may : t->held.len;
    if (end > t->gone)
        buffer_append(to, slice_between(t->held.data + t->gone, t->held.data + end));
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
