#include "load/malformed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "load/split.h"

enum { OVERLONG = 128 * 1024, CHOICES = 4 };

static const char *const names[BAD_KINDS] = {"pri",     "version",  "date",    "length",
                                             "sd",      "cut",      "utf8",    "nul",
                                             "control", "overlong", "msg-len", "drop"};

static bool add_kind(struct bad_config *c, struct slice name)
{
    for (unsigned i = 0; i < BAD_KINDS; i++) {
        if (slice_equal(name, (struct slice){names[i], strlen(names[i])})) {
            c->kinds |= 1U << i;
            return true;
        }
    }
    char known[128] = "";
    for (int i = 0; i < BAD_KINDS; i++) {
        size_t n = strlen(known);
        snprintf(known + n, sizeof known - n, "%s%s", i ? ", " : "", names[i]);
    }
    log_printf("--bad: '%.*s' is not one of %s", (int)name.len, name.data, known);
    return false;
}

bool bad_option(struct bad_config *c, const char *text)
{
    char *end = NULL;
    double ratio = *text >= '0' && *text <= '9' ? strtod(text, &end) : -1;
    if (end && *end == '%') {
        ratio /= 100;
        end++;
    }
    if (!end || (*end && *end != ':') || ratio < 0 || ratio > 1) {
        log_printf("--bad: '%s' is not a ratio from 0 to 1, or up to 100%%, and kinds behind a ':'",
                   text);
        return false;
    }
    c->one_in = ratio < 1 ? (uint64_t)(ratio * 0x1p64) : UINT64_MAX;
    c->kinds = 0;
    c->all = *end == '\0';
    while (*end) {
        const char *name = ++end;
        end += strcspn(end, ",");
        if (!add_kind(c, slice_between(name, end)))
            return false;
    }
    return true;
}

bool bad_fit(struct bad_config *c, enum message_frame frame, bool connected)
{
    unsigned none = 0;
    if (frame == MESSAGE_BARE)
        none |= 1U << BAD_OVERLONG;
    if (!connected)
        none |= 1U << BAD_DROP;
    if (!connected || frame != MESSAGE_COUNTED)
        none |= 1U << BAD_MSG_LEN;
    if (c->all)
        c->kinds = ~none & ((1U << BAD_KINDS) - 1);
    for (int i = 0; i < BAD_KINDS; i++) {
        if (c->kinds & none & 1U << i) {
            log_printf("--bad: %s: %s", names[i],
                       i == BAD_OVERLONG ? "no datagram is so long"
                       : connected       ? "it wants --framing=octet"
                                         : "it wants a connection");
            return false;
        }
    }
    return true;
}

void bad_start(struct bad *b, const struct bad_config *config, uint64_t seed)
{
    *b = (struct bad){.config = config, .random = random_start(seed, RANDOM_BAD)};
    for (unsigned i = 0; i < BAD_KINDS; i++)
        if (config->kinds & 1U << i)
            b->kinds[b->kind_count++] = (enum bad_kind)i;
}

static void add(struct buffer *b, const char *text)
{
    buffer_append(b, (struct slice){text, strlen(text)});
}

static void add_many(struct buffer *b, char c, size_t n)
{
    memset(buffer_reserve(b, n), c, n);
    b->len += n;
}

/* The message with something else from `from` to `to`. */
static void replace(struct buffer *out, const struct parts *m, const char *from, const char *to,
                    const char *by)
{
    buffer_append(out, slice_between(m->start, from));
    add(out, by);
    buffer_append(out, slice_between(to, m->end));
}

static void add_too_long(struct buffer *out, const struct parts *m, uint64_t choice)
{
    static const size_t most[CHOICES] = {255, 48, 128, 32};
    struct slice field = m->fields[1 + choice];
    buffer_append(out, slice_between(m->start, field.data));
    add_many(out, 'x', most[choice] + 1);
    buffer_append(out, slice_between(field.data + field.len, m->end));
}

static void spoil(struct bad *b, enum bad_kind kind, const struct parts *m, struct buffer *out)
{
    static const char *const pri[CHOICES] = {"<192>", "<007>", "<>", "13>"};
    static const char *const version[CHOICES] = {"2", "0", "01", "x"};
    static const char *const date[CHOICES] = {"2026-02-30T10:00:00Z", "2026-13-01T10:00:00Z",
                                              "2026-11-22T24:00:00Z", "2026-11-22 10:00:00"};
    static const char *const sd[CHOICES] = {"[]", "[a b=c]", "[a b=\"c\"d]", "[a=b c=\"d\"]"};
    static const char nul[] = " a\0b";
    uint64_t choice = random_below(&b->random, CHOICES);
    struct slice whole = slice_between(m->start, m->end);
    switch (kind) {
    case BAD_PRI:
        return replace(out, m, m->start, m->version, pri[choice]);
    case BAD_VERSION:
        return replace(out, m, m->version, m->fields[0].data - 1, version[choice]);
    case BAD_DATE:
        return replace(out, m, m->fields[0].data, m->fields[0].data + m->fields[0].len,
                       date[choice]);
    case BAD_LENGTH:
        return add_too_long(out, m, choice);
    case BAD_SD:
        return replace(out, m, m->sd, m->sd_end, sd[choice]);
    case BAD_UTF8:
        return replace(out, m, m->end, m->end, " \xff\xc0\x80\xed\xa0\x80\xe2\x82");
    case BAD_CONTROL:
        return replace(out, m, m->end, m->end, " \x01\t\x1b[31m\x7f");
    case BAD_NUL:
        buffer_append(out, whole);
        return buffer_append(out, (struct slice){nul, sizeof nul - 1});
    case BAD_OVERLONG:
        buffer_append(out, whole);
        add(out, " ");
        return add_many(out, '.', OVERLONG);
    default: /* within HEADER, so that nobody takes it for a message */
        return buffer_append(out, slice_between(m->start, m->fields[choice].data));
    }
}

/* What MSG-LEN cannot be, or a greater one than what comes of the message. */
static void add_length(struct bad *b, enum bad_kind kind, struct slice whole, size_t length,
                       struct buffer *to)
{
    static const char *const wrong[CHOICES] = {"0 ", "007 ", "12345678901 ", "12"};
    char count[32];
    snprintf(count, sizeof count, "%zu ", kind == BAD_DROP ? whole.len : length);
    add(to, kind == BAD_MSG_LEN ? wrong[random_below(&b->random, CHOICES)] : count);
}

void bad_add(struct bad *b, enum bad_kind kind, struct slice framed, enum message_frame frame,
             struct buffer *to)
{
    const char *start = memchr(framed.data, '<', framed.len);
    size_t length = framed.len - (size_t)(start - framed.data) - (frame == MESSAGE_LINE);
    b->message.len = 0;
    buffer_append(&b->message, (struct slice){start, length});
    *buffer_reserve(&b->message, 1) = '\0';
    struct slice whole = {b->message.data, length};
    struct parts m = parts_of(whole);
    struct buffer *spoilt = &b->spoilt;
    spoilt->len = 0;
    if (kind == BAD_MSG_LEN)
        buffer_append(spoilt, whole);
    else
        spoil(b, kind, &m, spoilt);
    if (frame == MESSAGE_COUNTED)
        add_length(b, kind, whole, spoilt->len, to);
    buffer_append(to, (struct slice){spoilt->data, spoilt->len});
    if (frame == MESSAGE_LINE && kind != BAD_DROP)
        add(to, "\n");
    b->count[kind]++;
}

static uint64_t all_bad(const struct bad *b)
{
    uint64_t all = 0;
    for (unsigned i = 0; i < b->kind_count; i++)
        all += b->count[b->kinds[i]];
    return all;
}

void bad_report(const struct bad *b)
{
    char text[512] = "";
    size_t n = 0;
    for (unsigned i = 0; i < b->kind_count; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, " %s %" PRIu64, names[b->kinds[i]],
                              b->count[b->kinds[i]]);
    log_printf("bad %" PRIu64 "%s", all_bad(b), text);
}

void bad_json(const struct bad *b, struct buffer *out)
{
    enum { ROOM = 64 };
    char *to = buffer_reserve(out, ROOM);
    buffer_commit(out, to + snprintf(to, ROOM, ",\"bad\":{\"all\":%" PRIu64, all_bad(b)));
    for (unsigned i = 0; i < b->kind_count; i++) {
        to = buffer_reserve(out, ROOM);
        buffer_commit(out, to + snprintf(to, ROOM, ",\"%s\":%" PRIu64, names[b->kinds[i]],
                                         b->count[b->kinds[i]]));
    }
    buffer_append(out, (struct slice){"}", 1});
}

void bad_free(struct bad *b)
{
    buffer_free(&b->message);
    buffer_free(&b->spoilt);
}
