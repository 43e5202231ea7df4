#include "verify/sequence-tracker.h"

#include <stdlib.h>

#include "base/exit-status.h"
#include "base/log.h"

enum {
    TABLE_SIZE = TRACKER_MAX_RUNS,
    MAX_HOSTNAME_LEN = 255, /* RFC 5424, section 6 */
    MAX_PROCID_LEN = 128,
    MAX_RUN_LEN = 32 /* of --run */
};

static void *tracker_check_memory(void *memory)
{
    if (!memory) {
        log_printf("out of memory");
        exit(STATUS_FAILED);
    }
    return memory;
}

void sequence_tracker_init(struct sequence_tracker *t)
{
    *t = (struct sequence_tracker){.gaps = {.max_nodes = TRACKER_MAX_GAPS}};
    t->table = tracker_check_memory(calloc(TABLE_SIZE, sizeof(struct tracked_run *)));
}

/* 0xFF and 0xFE occur in no UTF-8 text: the end of a value, and an absent one. */
static void run_key_append(struct buffer *b, struct slice value)
{
    buffer_append(b, value);
    buffer_append(b, (struct slice){value.data ? "\xFF" : "\xFE", 1});
}

static size_t run_key_hash(struct slice key)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ (unsigned char)key.data[i]) * UINT64_C(1099511628211);
    return (size_t)(hash % TABLE_SIZE);
}

static void run_format_label(const struct tracked_message *m, struct buffer *label)
{
    static const struct slice nilvalue = {"-", 1};
    if (m->run.data) {
        buffer_append(label, m->run);
        return;
    }
    buffer_append(label, m->hostname.data ? m->hostname : nilvalue);
    buffer_puts(label, "/");
    buffer_append(label, m->procid.data ? m->procid : nilvalue);
}

static struct tracked_run *run_new(struct sequence_tracker *t, const struct tracked_message *m,
                                   struct tracked_run **bucket)
{
    if (t->run_count == TRACKER_MAX_RUNS) {
        t->overflowed = true;
        return NULL;
    }
    struct tracked_run *r = tracker_check_memory(calloc(1, sizeof *r));
    buffer_append(&r->key, (struct slice){t->key.data, t->key.len});
    run_format_label(m, &r->label);
    r->connection_count = m->connection_count;
    r->hash_next = *bucket;
    r->previous = t->last_run;
    *bucket = t->last_run = r;
    t->run_count++;
    return r;
}

static bool run_has_key(const struct tracked_run *r, const struct tracked_message *m)
{
    const char *p = r->key.data;
    if (r->key.len != m->hostname.len + m->procid.len + m->run.len + 3)
        return false;
    const struct slice *values[] = {&m->hostname, &m->procid, &m->run};
    for (size_t i = 0; i < 3; i++) {
        const struct slice *v = values[i];
        if ((v->len && memcmp(p, v->data, v->len) != 0) || p[v->len] != (v->data ? '\xFF' : '\xFE'))
            return false;
        p += v->len + 1;
    }
    return true;
}

static struct tracked_run *tracker_find_run(struct sequence_tracker *t,
                                            const struct tracked_message *m)
{
    if (t->current_run && run_has_key(t->current_run, m))
        return t->current_run;
    t->key.len = 0;
    run_key_append(&t->key, m->hostname);
    run_key_append(&t->key, m->procid);
    run_key_append(&t->key, m->run);
    struct tracked_run **bucket = &t->table[run_key_hash((struct slice){t->key.data, t->key.len})];
    for (struct tracked_run *r = *bucket; r; r = r->hash_next)
        if (run_has_key(r, m))
            return t->current_run = r;
    struct tracked_run *r = run_new(t, m, bucket);
    if (r)
        t->current_run = r;
    return r;
}

static bool tracker_accepts(const struct tracked_message *m)
{
    return m->hostname.len <= MAX_HOSTNAME_LEN && m->procid.len <= MAX_PROCID_LEN &&
           m->run.len <= MAX_RUN_LEN && m->connection_count <= TRACKER_MAX_RUN_CONNECTIONS &&
           m->connection < m->connection_count &&
           m->number < TRACKER_MAX_MESSAGES / m->connection_count;
}

static bool run_reserve_connections(struct sequence_tracker *t, struct tracked_run *r,
                                    uint64_t connection)
{
    uint64_t count = r->connection_capacity ? r->connection_capacity : 1;
    while (count <= connection)
        count *= 2;
    if (t->connection_capacity - r->connection_capacity + count > TRACKER_MAX_CONNECTIONS) {
        t->overflowed = true;
        return false;
    }
    t->connection_capacity += count - r->connection_capacity;
    r->connections =
        tracker_check_memory(realloc(r->connections, (size_t)count * sizeof *r->connections));
    memset(r->connections + r->connection_capacity, 0,
           (size_t)(count - r->connection_capacity) * sizeof *r->connections);
    r->connection_capacity = count;
    return true;
}

enum tracker_result sequence_tracker_add(struct sequence_tracker *t,
                                         const struct tracked_message *m)
{
    if (!tracker_accepts(m))
        return TRACKER_REJECTED;
    struct tracked_run *r = tracker_find_run(t, m);
    if (!r || r->connection_count != m->connection_count ||
        (m->connection >= r->connection_capacity && !run_reserve_connections(t, r, m->connection)))
        return TRACKER_REJECTED;
    struct tracked_connection *c = &r->connections[m->connection];
    if (m->number < c->next)
        return gap_set_remove(&t->gaps, &c->gaps, m->number) ? TRACKER_REORDERED
                                                             : TRACKER_DUPLICATE;
    if (c->next == 0) {
        r->seen_connections++;
        t->seen_connections++;
    }
    if (m->number > c->next)
        gap_set_add(&t->gaps, &c->gaps, c->next, m->number - 1);
    c->next = m->number + 1;
    return TRACKER_NEW;
}

/* Returns how many of the first `messages` of the run are sent over a connection. */
static uint64_t run_connection_share(const struct tracked_run *r, uint64_t connection,
                                     uint64_t messages)
{
    return messages > connection ? (messages - connection - 1) / r->connection_count + 1 : 0;
}

static uint64_t run_connection_next(const struct tracked_run *r, uint64_t connection)
{
    return connection < r->connection_capacity ? r->connections[connection].next : 0;
}

void sequence_tracker_finish(struct sequence_tracker *t, uint64_t total)
{
    uint64_t sent = 0;
    for (struct tracked_run *r = t->last_run; r; r = r->previous) {
        for (uint64_t c = 0; c < r->connection_capacity; c++) {
            uint64_t next = r->connections[c].next;
            uint64_t count = next ? (next - 1) * r->connection_count + c + 1 : 0;
            r->message_count = count > r->message_count ? count : r->message_count;
        }
        sent += r->message_count;
    }
    if (total > sent && t->last_run && !t->last_run->previous)
        t->last_run->message_count = total;
    else if (total > sent)
        t->unattributed = total - sent;
}

static uint64_t run_count_missing(const struct tracked_run *r)
{
    uint64_t missing = 0;
    for (uint64_t c = 0; c < r->connection_count; c++) {
        uint64_t expected = run_connection_share(r, c, r->message_count);
        uint64_t next = run_connection_next(r, c);
        missing += expected > next ? expected - next : 0;
        missing += c < r->connection_capacity ? r->connections[c].gaps.count : 0;
    }
    return missing;
}

uint64_t sequence_tracker_count_missing(const struct sequence_tracker *t)
{
    uint64_t missing = t->unattributed;
    for (const struct tracked_run *r = t->last_run; r; r = r->previous)
        missing += run_count_missing(r);
    return missing;
}

/* Like gap_set_find(); the numbers after the last one received are a gap, too. */
static bool run_find_gap(const struct sequence_tracker *t, const struct tracked_run *r,
                         uint64_t connection, uint64_t number, struct gap *gap)
{
    uint64_t next = run_connection_next(r, connection);
    uint64_t expected = run_connection_share(r, connection, r->message_count);
    if (connection < r->connection_capacity &&
        gap_set_find(&t->gaps, &r->connections[connection].gaps, number, gap))
        return true;
    *gap = (struct gap){next, expected - 1};
    return expected > next && number < expected;
}

/* Returns the least number on a connection whose message is k or later. */
static uint64_t run_number_from(const struct tracked_run *r, uint64_t connection, uint64_t k)
{
    return k > connection ? (k - connection - 1) / r->connection_count + 1 : 0;
}

bool sequence_tracker_find_range(const struct sequence_tracker *t, const struct tracked_run *r,
                                 uint64_t k, struct gap *range)
{
    struct gap gap;
    uint64_t first = UINT64_MAX;
    uint64_t end = r->message_count;
    for (uint64_t c = 0; c < r->connection_count; c++) {
        uint64_t from = run_number_from(r, c, k);
        if (!run_find_gap(t, r, c, from, &gap))
            continue;
        uint64_t message = (gap.first > from ? gap.first : from) * r->connection_count + c;
        first = message < first ? message : first;
    }
    if (first == UINT64_MAX)
        return false;
    for (uint64_t c = 0; c < r->connection_count; c++) {
        uint64_t from = run_number_from(r, c, first);
        while (run_find_gap(t, r, c, from, &gap) && gap.first <= from)
            from = gap.last + 1;
        uint64_t message = from * r->connection_count + c;
        end = message < end ? message : end;
    }
    *range = (struct gap){first, end - 1};
    return true;
}

void sequence_tracker_free(struct sequence_tracker *t)
{
    for (struct tracked_run *r = t->last_run; r;) {
        struct tracked_run *previous = r->previous;
        buffer_free(&r->key);
        free(r->connections);
        buffer_free(&r->label);
        free(r);
        r = previous;
    }
    free(t->table);
    buffer_free(&t->key);
    gap_store_free(&t->gaps);
    *t = (struct sequence_tracker){0};
}
