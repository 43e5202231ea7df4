#include "verify/sequence-tracker.h"

#include <stdlib.h>

#include "base/exit-status.h"
#include "base/log.h"

enum { TABLE = TRACKER_MAX_RUNS, HOSTNAME_LIMIT = 255, PROCID_LIMIT = 128, RUN_LIMIT = 32 };

static void *tracker_check_memory(void *memory)
{
    if (!memory) {
        log_printf("out of memory");
        exit(STATUS_FAILED);
    }
    return memory;
}

void sequence_tracker_init(struct sequence_tracker *l)
{
    *l = (struct sequence_tracker){.gaps = {.max_nodes = TRACKER_MAX_GAPS}};
    l->table = tracker_check_memory(calloc(TABLE, sizeof(struct tracked_run *)));
}

static void key_append(struct buffer *b, struct slice value)
{
    buffer_append(b, value);
    buffer_append(b, (struct slice){value.data ? "\xFF" : "\xFE", 1});
}

static size_t key_hash(struct slice key)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ (unsigned char)key.data[i]) * UINT64_C(1099511628211);
    return (size_t)(hash % TABLE);
}

/* What a range is told by where there are several runs. */
static char *run_format_label(const struct tracked_message *e)
{
    static const struct slice none = {"-", 1};
    struct slice host = e->hostname.data ? e->hostname : none;
    struct slice id = e->procid.data ? e->procid : none;
    size_t room = host.len + id.len + e->run.len + 2;
    char *text = tracker_check_memory(malloc(room));
    char *to = text;
    if (e->run.data) {
        memcpy(to, e->run.data, e->run.len);
        to += e->run.len;
    } else {
        memcpy(to, host.data, host.len);
        to[host.len] = '/';
        memcpy(to + host.len + 1, id.data, id.len);
        to += host.len + 1 + id.len;
    }
    *to = '\0';
    return text;
}

static struct tracked_run *run_new(struct sequence_tracker *l, const struct tracked_message *e,
                                   struct tracked_run **at)
{
    if (l->run_count == TRACKER_MAX_RUNS) {
        l->overflowed = true;
        return NULL;
    }
    struct tracked_run *r = tracker_check_memory(calloc(1, sizeof *r));
    buffer_append(&r->key, (struct slice){l->key.data, l->key.len});
    r->label = run_format_label(e);
    r->connection_count = e->connection_count;
    r->hash_next = *at;
    r->previous = l->last_run;
    *at = l->last_run = r;
    l->run_count++;
    return r;
}

static bool run_has_key(const struct tracked_run *r, const struct tracked_message *e)
{
    const char *p = r->key.data;
    if (r->key.len != e->hostname.len + e->procid.len + e->run.len + 3)
        return false;
    const struct slice *values[] = {&e->hostname, &e->procid, &e->run};
    for (size_t i = 0; i < 3; i++) {
        const struct slice *v = values[i];
        if ((v->len && memcmp(p, v->data, v->len) != 0) || p[v->len] != (v->data ? '\xFF' : '\xFE'))
            return false;
        p += v->len + 1;
    }
    return true;
}

static struct tracked_run *tracker_find_run(struct sequence_tracker *l,
                                            const struct tracked_message *e)
{
    if (l->current_run && run_has_key(l->current_run, e))
        return l->current_run;
    l->key.len = 0;
    key_append(&l->key, e->hostname);
    key_append(&l->key, e->procid);
    key_append(&l->key, e->run);
    struct tracked_run **at = &l->table[key_hash((struct slice){l->key.data, l->key.len})];
    for (struct tracked_run *r = *at; r; r = r->hash_next)
        if (run_has_key(r, e))
            return l->current_run = r;
    struct tracked_run *fresh = run_new(l, e, at);
    l->current_run = fresh ? fresh : l->current_run;
    return fresh;
}

static bool message_is_plausible(const struct tracked_message *e)
{
    return e->hostname.len <= HOSTNAME_LIMIT && e->procid.len <= PROCID_LIMIT &&
           e->run.len <= RUN_LIMIT && e->connection_count <= TRACKER_MAX_RUN_CONNECTIONS &&
           e->connection < e->connection_count &&
           e->number < TRACKER_MAX_MESSAGES / e->connection_count;
}

static bool run_reserve_connections(struct sequence_tracker *l, struct tracked_run *r,
                                    uint64_t wanted)
{
    uint64_t count = r->connection_capacity ? r->connection_capacity : 1;
    while (count <= wanted)
        count *= 2;
    if (l->connection_capacity - r->connection_capacity + count > TRACKER_MAX_CONNECTIONS) {
        l->overflowed = true;
        return false;
    }
    l->connection_capacity += count - r->connection_capacity;
    r->connections =
        tracker_check_memory(realloc(r->connections, (size_t)count * sizeof *r->connections));
    memset(r->connections + r->connection_capacity, 0,
           (size_t)(count - r->connection_capacity) * sizeof *r->connections);
    r->connection_capacity = count;
    return true;
}

enum tracker_result sequence_tracker_add(struct sequence_tracker *l,
                                         const struct tracked_message *e)
{
    if (!message_is_plausible(e))
        return TRACKER_REJECTED;
    struct tracked_run *r = tracker_find_run(l, e);
    if (!r || r->connection_count != e->connection_count ||
        (e->connection >= r->connection_capacity && !run_reserve_connections(l, r, e->connection)))
        return TRACKER_REJECTED;
    struct tracked_connection *c = &r->connections[e->connection];
    if (e->number < c->next)
        return gap_set_remove(&l->gaps, &c->gaps, e->number) ? TRACKER_REORDERED
                                                             : TRACKER_DUPLICATE;
    if (c->next == 0) {
        r->seen_connections++;
        l->seen_connections++;
    }
    if (e->number > c->next)
        gap_set_add(&l->gaps, &c->gaps, c->next, e->number - 1);
    c->next = e->number + 1;
    return TRACKER_NEW;
}

/* How many of the run's first `messages` go over a connection. */
static uint64_t run_connection_share(const struct tracked_run *r, uint64_t connection,
                                     uint64_t messages)
{
    return messages > connection ? (messages - connection - 1) / r->connection_count + 1 : 0;
}

static uint64_t run_connection_next(const struct tracked_run *r, uint64_t connection)
{
    return connection < r->connection_capacity ? r->connections[connection].next : 0;
}

void sequence_tracker_finish(struct sequence_tracker *l, uint64_t total)
{
    uint64_t made = 0;
    for (struct tracked_run *r = l->last_run; r; r = r->previous) {
        for (uint64_t c = 0; c < r->connection_capacity; c++) {
            uint64_t next = r->connections[c].next;
            uint64_t least = next ? (next - 1) * r->connection_count + c + 1 : 0;
            r->message_count = least > r->message_count ? least : r->message_count;
        }
        made += r->message_count;
    }
    if (total > made && l->last_run && !l->last_run->previous)
        l->last_run->message_count = total;
    else if (total > made)
        l->unattributed = total - made;
}

static uint64_t run_count_missing(const struct tracked_run *r)
{
    uint64_t missing = 0;
    for (uint64_t c = 0; c < r->connection_count; c++) {
        uint64_t wanted = run_connection_share(r, c, r->message_count);
        uint64_t next = run_connection_next(r, c);
        missing += wanted > next ? wanted - next : 0;
        missing += c < r->connection_capacity ? r->connections[c].gaps.count : 0;
    }
    return missing;
}

uint64_t sequence_tracker_count_missing(const struct sequence_tracker *l)
{
    uint64_t missing = l->unattributed;
    for (const struct tracked_run *r = l->last_run; r; r = r->previous)
        missing += run_count_missing(r);
    return missing;
}

/* A connection's first gap that does not end before a number; its end counts as one. */
static bool run_find_gap(const struct sequence_tracker *l, const struct tracked_run *r,
                         uint64_t connection, uint64_t number, struct gap *gap)
{
    uint64_t next = run_connection_next(r, connection);
    uint64_t wanted = run_connection_share(r, connection, r->message_count);
    if (connection < r->connection_capacity &&
        gap_set_find(&l->gaps, &r->connections[connection].gaps, number, gap))
        return true;
    *gap = (struct gap){next, wanted - 1};
    return wanted > next && number < wanted;
}

/* The least number on a connection whose message is k or one behind it. */
static uint64_t run_number_from(const struct tracked_run *r, uint64_t connection, uint64_t k)
{
    return k > connection ? (k - connection - 1) / r->connection_count + 1 : 0;
}

bool sequence_tracker_find_range(const struct sequence_tracker *l, const struct tracked_run *r,
                                 uint64_t k, struct gap *range)
{
    struct gap gap;
    uint64_t first = UINT64_MAX;
    uint64_t end = r->message_count;
    for (uint64_t c = 0; c < r->connection_count; c++) {
        uint64_t from = run_number_from(r, c, k);
        if (!run_find_gap(l, r, c, from, &gap))
            continue;
        uint64_t message = (gap.first > from ? gap.first : from) * r->connection_count + c;
        first = message < first ? message : first;
    }
    if (first == UINT64_MAX)
        return false;
    for (uint64_t c = 0; c < r->connection_count; c++) {
        uint64_t from = run_number_from(r, c, first);
        while (run_find_gap(l, r, c, from, &gap) && gap.first <= from)
            from = gap.last + 1;
        uint64_t message = from * r->connection_count + c;
        end = message < end ? message : end;
    }
    *range = (struct gap){first, end - 1};
    return true;
}

void sequence_tracker_free(struct sequence_tracker *l)
{
    for (struct tracked_run *r = l->last_run; r;) {
        struct tracked_run *before = r->previous;
        buffer_free(&r->key);
        free(r->connections);
        free(r->label);
        free(r);
        r = before;
    }
    free(l->table);
    buffer_free(&l->key);
    gap_store_free(&l->gaps);
    *l = (struct sequence_tracker){0};
}
