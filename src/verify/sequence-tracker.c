#include "verify/sequence-tracker.h"

#include <stdlib.h>

#include "base/exit-status.h"
#include "base/log.h"

enum { TABLE = LEDGER_RUNS, HOSTNAME_LIMIT = 255, PROCID_LIMIT = 128, RUN_LIMIT = 32 };

static void *need(void *memory)
{
    if (!memory) {
        log_printf("out of memory");
        exit(STATUS_FAILED);
    }
    return memory;
}

void ledger_start(struct ledger *l)
{
    *l = (struct ledger){.gaps = {.limit = LEDGER_GAPS}};
    l->table = need(calloc(TABLE, sizeof(struct run *)));
}

static void add_value(struct buffer *b, struct slice value)
{
    buffer_append(b, value);
    buffer_append(b, (struct slice){value.data ? "\xFF" : "\xFE", 1});
}

static size_t place(struct slice key)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ (unsigned char)key.data[i]) * UINT64_C(1099511628211);
    return (size_t)(hash % TABLE);
}

/* What a range is told by where there are several runs. */
static char *label(const struct entry *e)
{
    static const struct slice none = {"-", 1};
    struct slice host = e->hostname.data ? e->hostname : none;
    struct slice id = e->procid.data ? e->procid : none;
    size_t room = host.len + id.len + e->run.len + 2;
    char *text = need(malloc(room));
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

static struct run *new_run(struct ledger *l, const struct entry *e, struct run **at)
{
    if (l->runs == LEDGER_RUNS) {
        l->full = true;
        return NULL;
    }
    struct run *r = need(calloc(1, sizeof *r));
    buffer_append(&r->key, (struct slice){l->key.data, l->key.len});
    r->label = label(e);
    r->of = e->of;
    r->next = *at;
    r->before = l->last;
    *at = l->last = r;
    l->runs++;
    return r;
}

static bool key_is(const struct run *r, const struct entry *e)
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

static struct run *find_run(struct ledger *l, const struct entry *e)
{
    if (l->hit && key_is(l->hit, e))
        return l->hit;
    l->key.len = 0;
    add_value(&l->key, e->hostname);
    add_value(&l->key, e->procid);
    add_value(&l->key, e->run);
    struct run **at = &l->table[place((struct slice){l->key.data, l->key.len})];
    for (struct run *r = *at; r; r = r->next)
        if (key_is(r, e))
            return l->hit = r;
    struct run *fresh = new_run(l, e, at);
    l->hit = fresh ? fresh : l->hit;
    return fresh;
}

static bool possible(const struct entry *e)
{
    return e->hostname.len <= HOSTNAME_LIMIT && e->procid.len <= PROCID_LIMIT &&
           e->run.len <= RUN_LIMIT && e->of <= LEDGER_OF && e->connection < e->of &&
           e->number < LEDGER_NUMBERS / e->of;
}

static bool more_connections(struct ledger *l, struct run *r, uint64_t wanted)
{
    uint64_t count = r->count ? r->count : 1;
    while (count <= wanted)
        count *= 2;
    if (l->connections - r->count + count > LEDGER_CONNECTIONS) {
        l->full = true;
        return false;
    }
    l->connections += count - r->count;
    r->connections = need(realloc(r->connections, (size_t)count * sizeof *r->connections));
    memset(r->connections + r->count, 0, (size_t)(count - r->count) * sizeof *r->connections);
    r->count = count;
    return true;
}

enum ledger_entry ledger_take(struct ledger *l, const struct entry *e)
{
    if (!possible(e))
        return LEDGER_REFUSED;
    struct run *r = find_run(l, e);
    if (!r || r->of != e->of ||
        (e->connection >= r->count && !more_connections(l, r, e->connection)))
        return LEDGER_REFUSED;
    struct run_connection *c = &r->connections[e->connection];
    if (e->number < c->next)
        return gaps_fill(&l->gaps, &c->gaps, e->number) ? LEDGER_LATE : LEDGER_REPEATED;
    if (c->next == 0) {
        r->seen++;
        l->seen++;
    }
    if (e->number > c->next)
        gaps_add(&l->gaps, &c->gaps, c->next, e->number - 1);
    c->next = e->number + 1;
    return LEDGER_NEW;
}

/* How many of the run's first `messages` go over a connection. */
static uint64_t share(const struct run *r, uint64_t connection, uint64_t messages)
{
    return messages > connection ? (messages - connection - 1) / r->of + 1 : 0;
}

static uint64_t next_of(const struct run *r, uint64_t connection)
{
    return connection < r->count ? r->connections[connection].next : 0;
}

void ledger_close(struct ledger *l, uint64_t total)
{
    uint64_t made = 0;
    for (struct run *r = l->last; r; r = r->before) {
        for (uint64_t c = 0; c < r->count; c++) {
            uint64_t next = r->connections[c].next;
            uint64_t least = next ? (next - 1) * r->of + c + 1 : 0;
            r->expected = least > r->expected ? least : r->expected;
        }
        made += r->expected;
    }
    if (total > made && l->last && !l->last->before)
        l->last->expected = total;
    else if (total > made)
        l->unnamed = total - made;
}

static uint64_t missing_of(const struct run *r)
{
    uint64_t missing = 0;
    for (uint64_t c = 0; c < r->of; c++) {
        uint64_t wanted = share(r, c, r->expected);
        uint64_t next = next_of(r, c);
        missing += wanted > next ? wanted - next : 0;
        missing += c < r->count ? r->connections[c].gaps.missing : 0;
    }
    return missing;
}

uint64_t ledger_missing(const struct ledger *l)
{
    uint64_t missing = l->unnamed;
    for (const struct run *r = l->last; r; r = r->before)
        missing += missing_of(r);
    return missing;
}

/* A connection's first gap that does not end before a number; its end counts as one. */
static bool gap_of(const struct ledger *l, const struct run *r, uint64_t connection,
                   uint64_t number, struct gap *gap)
{
    uint64_t next = next_of(r, connection);
    uint64_t wanted = share(r, connection, r->expected);
    if (connection < r->count && gaps_find(&l->gaps, &r->connections[connection].gaps, number, gap))
        return true;
    *gap = (struct gap){next, wanted - 1};
    return wanted > next && number < wanted;
}

/* The least number on a connection whose message is k or one behind it. */
static uint64_t number_from(const struct run *r, uint64_t connection, uint64_t k)
{
    return k > connection ? (k - connection - 1) / r->of + 1 : 0;
}

bool ledger_range(const struct ledger *l, const struct run *r, uint64_t k, struct gap *range)
{
    struct gap gap;
    uint64_t first = UINT64_MAX;
    uint64_t end = r->expected;
    for (uint64_t c = 0; c < r->of; c++) {
        uint64_t from = number_from(r, c, k);
        if (!gap_of(l, r, c, from, &gap))
            continue;
        uint64_t message = (gap.first > from ? gap.first : from) * r->of + c;
        first = message < first ? message : first;
    }
    if (first == UINT64_MAX)
        return false;
    for (uint64_t c = 0; c < r->of; c++) {
        uint64_t from = number_from(r, c, first);
        while (gap_of(l, r, c, from, &gap) && gap.first <= from)
            from = gap.last + 1;
        uint64_t message = from * r->of + c;
        end = message < end ? message : end;
    }
    *range = (struct gap){first, end - 1};
    return true;
}

void ledger_free(struct ledger *l)
{
    for (struct run *r = l->last; r;) {
        struct run *before = r->before;
        buffer_free(&r->key);
        free(r->connections);
        free(r->label);
        free(r);
        r = before;
    }
    free(l->table);
    buffer_free(&l->key);
    gaps_free(&l->gaps);
    *l = (struct ledger){0};
}
