/*
 * Batches of random lines with random keys: each record is sent once, in the order of its key, and
 * within the limits; what counts as sent never includes a line that is not; and the records of a
 * batch are found again.
 */
#include "publish/batcher.h"
#include "unit.h"

enum { LINES = 20000, KEYS_MAX = 400, SIZE = 1 << 20, LINE_MAX_BYTES = 300 };

static unsigned seed = 1;

static unsigned random_below(unsigned below)
{
    return (unsigned)rand_r(&seed) % below;
}

/* A line is KEY:NUMBER and padding. */
struct receiver {
    struct publish_transport base;
    struct span_reader reader;
    struct window *window;
    char *sent;              /* LINES flags */
    unsigned last[KEYS_MAX]; /* number of the last line of each key, plus one */
    unsigned records;
    unsigned messages;
    uint64_t oldest_settled;
    size_t size_max;
    unsigned refuse_above; /* records in a message */
    unsigned too_long;     /* messages that were refused because of that */
};

static struct slice line_key(void *argument, struct slice line, struct buffer *to)
{
    (void)argument;
    (void)to;
    const char *colon = memchr(line.data, ':', line.len);
    return slice_between(line.data, colon);
}

static void receive_record(struct receiver *r, struct slice line, struct slice key)
{
    unsigned number = (unsigned)strtoul(line.data + key.len + 1, NULL, 10);
    unsigned k = (unsigned)strtoul(key.data, NULL, 10);
    unit(slice_equal(line_key(NULL, line, NULL), key), "a message has one key");
    unit(number < LINES && !r->sent[number], "record %u is sent once", number);
    unit(number >= r->last[k], "record %u follows %u", number, r->last[k]);
    r->sent[number] = 1;
    r->last[k] = number + 1;
    r->records++;
}

static enum transport_result receive(struct publish_transport *t, const struct transport_message *m)
{
    struct receiver *r = (struct receiver *)t;
    struct slice rest = m->text;
    struct slice key = line_key(NULL, m->text, NULL);
    unsigned count = 0;
    if (r->refuse_above && m->span->count > r->refuse_above) {
        r->too_long++;
        return TRANSPORT_TOO_LONG;
    }
    unit(m->text.len == m->span->length, "the length is that of the text");
    unit(m->span->count == 1 || m->text.len <= r->size_max, "%zu bytes are too many", m->text.len);
    unit(m->settled->offset >= r->oldest_settled, "what is settled never decreases");
    unit(slice_equal(span_read(&r->reader, m->span), m->text), "the records are found again");
    r->oldest_settled = m->settled->offset;
    while (rest.data) {
        const char *end = rest.data + rest.len;
        const char *lf = memchr(rest.data, '\n', rest.len);
        receive_record(r, slice_between(rest.data, lf ? lf : end), key);
        rest = lf ? slice_between(lf + 1, end) : (struct slice){0};
        count++;
    }
    unit(count == m->span->count, "%u records, not %u", count, m->span->count);
    r->messages++;
    return TRANSPORT_SENT;
}

static const struct transport_ops receiver_ops = {.send = receive};

static bool is_rejected(unsigned k)
{
    return k % 89 == 7;
}

/* Every line before what counts as sent was sent, unless it was rejected or is empty. */
static void check_settled(const struct batcher *b, const struct receiver *r,
                          const uint64_t *offsets)
{
    static unsigned first;
    struct window_mark sent = *batcher_sent(b);
    first = sent.lines < first ? 0 : first;
    for (; first < sent.lines; first++)
        unit(r->sent[first] || offsets[first] == UINT64_MAX, "line %u counts as sent", first);
}

static void feed(struct window *w, unsigned *fed, unsigned keys)
{
    char line[LINE_MAX_BYTES + 64];
    struct window_line too_long;
    size_t space;
    while (*fed < LINES) {
        size_t len = (size_t)sprintf(line, "%u:%u:", random_below(keys), *fed);
        memset(line + len, 'x', LINE_MAX_BYTES);
        len += random_below(LINE_MAX_BYTES);
        len += (size_t)sprintf(line + len, *fed % 13 ? "\n" : "\r\n");
        char *to = window_reserve(w, &space);
        if (!to || space < len)
            return;
        memcpy(to, line, len);
        window_commit(w, len, &too_long);
        ++*fed;
    }
}

static void test_keys(unsigned keys, uint64_t size, unsigned refuse_above)
{
    struct window w;
    struct batcher b;
    struct window_line line;
    struct batch_config config = {.size = size, .wait_ns = UINT64_MAX / 4};
    struct receiver r = {.base = {.ops = &receiver_ops, .batch_max = 1 << 20},
                         .size_max = size,
                         .refuse_above = refuse_above};
    static uint64_t offsets[LINES];
    unsigned fed = 0;
    unsigned expected = 0;
    unit(window_open(&w, NULL, SIZE, false), "opens");
    unit(batcher_init(&b, &config, &w, &r.base, 0), "starts");
    r.sent = calloc(1, LINES);
    r.reader = b.reader = (struct span_reader){.window = &w, .key = line_key};
    while (fed < LINES || w.next.offset < w.tail) {
        feed(&w, &fed, keys);
        while (window_next_line(&w, NULL, &line)) {
            unsigned number = (unsigned)line.number - 1;
            offsets[number] = is_rejected(number) ? UINT64_MAX : line.offset;
            if (is_rejected(number)) {
                window_reject(&w, &line);
                continue;
            }
            expected++;
            unit(batcher_add(&b, line_key(NULL, line.text, NULL), &line) == TRANSPORT_SENT,
                 "line %u is added", number);
            check_settled(&b, &r, offsets);
        }
        if (window_is_full(&w) || w.ring.capacity - (w.read - w.confirmed.offset) < 1024)
            while (batcher_is_due(&b, 0, true))
                batcher_send_oldest(&b);
        struct window_mark sent = *batcher_sent(&b);
        window_confirm(&w, &sent);
    }
    while (batcher_is_due(&b, 0, true))
        batcher_send_oldest(&b);
    unit(r.records == expected, "%u of %u records are sent", r.records, expected);
    unit(batcher_sent(&b)->offset == w.next.offset, "nothing is left");
    unit(refuse_above ? r.too_long > 0 : keys > 256 || size < 1000 || r.messages < expected / 2,
         "%u messages of %u records", r.messages, expected);
    span_reader_free(&r.reader);
    free(r.sent);
    batcher_free(&b);
    window_close(&w);
}

int main(void)
{
    test_keys(1, 32 * 1024, 0);
    test_keys(1, 200, 0);
    test_keys(3, 1000, 0);
    test_keys(256, 4 * 1024, 0);
    test_keys(KEYS_MAX, 4 * 1024, 0);
    test_keys(3, 1000, 2);
    return unit_end("batcher");
}
