#include "load/throttle.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/options.h"

enum { THROTTLE_PAUSE_MIN_NS = 1000000, THROTTLE_PAUSE_MAX_NS = 100000000 };

bool throttle_parse(uint64_t *bytes_per_s, const char *text)
{
    char bytes[32];
    size_t len = strlen(text);
    len -= len > 2 && strcmp(text + len - 2, "/s") == 0 ? 2 : 0;
    snprintf(bytes, sizeof bytes, "%.*s", (int)len, text);
    return option_size("--slow", len < sizeof bytes ? bytes : text, 1, 1 << 30, bytes_per_s);
}

void throttle_load(struct throttle *t, struct buffer *from, uint64_t now_ns)
{
    buffer_append(&t->pending, (struct slice){from->data, from->len});
    from->len = 0;
    t->released = 0;
    t->since_ns = now_ns;
}

bool throttle_release(struct throttle *t, uint64_t bytes_per_s, uint64_t now_ns, struct buffer *to)
{
    unsigned __int128 allowed = (unsigned __int128)(now_ns - t->since_ns) * bytes_per_s / NS_PER_S;
    size_t end = allowed < t->pending.len ? (size_t)allowed : t->pending.len;
    if (end > t->released)
        buffer_append(to, slice_between(t->pending.data + t->released, t->pending.data + end));
    t->released = end;
    if (end < t->pending.len)
        return false;
    t->pending.len = 0;
    return true;
}

uint64_t throttle_pause_ns(uint64_t bytes_per_s)
{
    uint64_t pause = NS_PER_S / bytes_per_s;
    return pause < THROTTLE_PAUSE_MIN_NS   ? THROTTLE_PAUSE_MIN_NS
           : pause < THROTTLE_PAUSE_MAX_NS ? pause
                                           : THROTTLE_PAUSE_MAX_NS;
}
