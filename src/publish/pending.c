#include "publish/pending.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "publish/message-count.h"

enum { SCANNED_MAX = 64 * 1024 * 1024 /* bytes in which lines are counted; more are estimated */ };

static void pending_set(_Atomic uint64_t *to, uint64_t value)
{
    atomic_store_explicit(to, value, memory_order_relaxed);
}

/*
 * A line is younger than the mark before it. There is one mark after the confirmed lines, which
 * follows the end of the input whenever it is confirmed; `since_ns` is the time of the one before.
 */
void pending_update(struct pending *p, const struct window *w)
{
    uint64_t confirmed = w->confirmed.offset;
    bool was_empty = confirmed >= atomic_load_explicit(&p->tail, memory_order_relaxed);
    if (was_empty || confirmed >= p->mark) {
        uint64_t now_ns = clock_monotonic();
        pending_set(&p->since_ns, was_empty ? now_ns : p->mark_ns);
        p->mark = w->tail;
        p->mark_ns = now_ns;
    }
    pending_set(&p->confirmed, confirmed);
    pending_set(&p->next, w->next.offset);
    pending_set(&p->tail, w->tail);
    pending_set(&p->sent, w->next.messages - w->confirmed.messages);
}

/* Empty and rejected lines count, too. */
static uint64_t pending_count_lines(const struct ring *ring, uint64_t from, uint64_t to)
{
    uint64_t lines = 0;
    uint64_t len = to > from ? to - from : 0;
    uint64_t scanned = len < SCANNED_MAX ? len : SCANNED_MAX;
    const char *p = ring_byte(ring, from);
    const char *end = p + scanned;
    for (; p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++)
        lines++;
    return scanned < len ? (uint64_t)((double)lines * (double)len / (double)scanned) : lines;
}

void pending_log(struct pending *p, const struct ring *ring, const char *text)
{
    char count[MESSAGE_COUNT_MAX];
    char size[NUMBER_SIZE];
    char age[NUMBER_SIZE];
    uint64_t confirmed = atomic_load(&p->confirmed);
    uint64_t tail = atomic_load(&p->tail);
    uint64_t bytes = tail > confirmed ? tail - confirmed : 0;
    uint64_t since_ns = atomic_load(&p->since_ns);
    uint64_t now_ns = clock_monotonic();
    uint64_t hundredths = now_ns > since_ns ? (now_ns - since_ns) / (NS_PER_S / 100) : 0;
    uint64_t lines = atomic_load(&p->sent);
    if (bytes && ring->data)
        lines += pending_count_lines(ring, atomic_load(&p->next), tail);
    if (bytes == 0 || lines == 0)
        return;
    log_info("%s; %s %s unconfirmed (%s%s, the oldest for %s s)", text,
             message_count_format(count, lines), lines == 1 ? "is" : "are",
             number_format_bytes(size, bytes), bytes < 1000000 ? " bytes" : "",
             number_format_real(age, (double)hundredths / 100));
}
