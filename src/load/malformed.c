#include "load/malformed.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/options.h"
#include "load/split.h"

enum { MALFORMED_OVERLONG_PADDING = 128 * 1024, MALFORMED_CHOICES = 4 };

/* As users know them; NULL-terminated for option_choice(). */
static const char *const malformed_names[MALFORMED_KINDS + 1] = {
    [MALFORMED_PRI] = "pri",         [MALFORMED_VERSION] = "version",
    [MALFORMED_DATE] = "date",       [MALFORMED_LENGTH] = "length",
    [MALFORMED_SD] = "sd",           [MALFORMED_TRUNCATED] = "cut",
    [MALFORMED_UTF8] = "utf8",       [MALFORMED_NUL] = "nul",
    [MALFORMED_CONTROL] = "control", [MALFORMED_OVERLONG] = "overlong",
    [MALFORMED_MSG_LEN] = "msg-len", [MALFORMED_DROP] = "drop"};

static bool malformed_parse_kind(struct malformed_config *c, struct slice text)
{
    char name[32];
    int kind;
    snprintf(name, sizeof name, "%.*s", (int)text.len, text.data);
    if (!option_choice("--bad", name, malformed_names, &kind))
        return false;
    c->kinds |= 1U << kind;
    return true;
}

bool malformed_parse(struct malformed_config *c, const char *text)
{
    char *end = NULL;
    double ratio = *text >= '0' && *text <= '9' ? strtod(text, &end) : -1;
    if (end && *end == '%') {
        ratio /= 100;
        end++;
    }
    if (!end || (*end && *end != ':') || ratio < 0 || ratio > 1) {
        log_printf(
            "--bad: '%s' is not a ratio; expected 0 to 1 or 0%% to 100%%, then ':' and kinds",
            text);
        return false;
    }
    c->threshold = ratio < 1 ? (uint64_t)(ratio * 0x1p64) : UINT64_MAX;
    c->kinds = 0;
    c->all_kinds = *end == '\0';
    while (*end) {
        const char *name = ++end;
        end += strcspn(end, ",");
        if (!malformed_parse_kind(c, slice_between(name, end)))
            return false;
    }
    return true;
}

bool malformed_check(struct malformed_config *c, enum message_framing framing, bool connected)
{
    unsigned excluded = 0;
    if (framing == MESSAGE_DATAGRAM)
        excluded |= 1U << MALFORMED_OVERLONG;
    if (!connected)
        excluded |= 1U << MALFORMED_DROP;
    if (!connected || framing != MESSAGE_OCTET_COUNTED)
        excluded |= 1U << MALFORMED_MSG_LEN;
    if (c->all_kinds)
        c->kinds = ~excluded & ((1U << MALFORMED_KINDS) - 1);
    for (int i = 0; i < MALFORMED_KINDS; i++) {
        if (c->kinds & excluded & 1U << i) {
            log_printf("--bad: %s: %s", malformed_names[i],
                       i == MALFORMED_OVERLONG ? "the message is too long for a datagram"
                       : connected             ? "requires --framing=octet"
                                               : "requires a connection (tcp, tls or unix)");
            return false;
        }
    }
    return true;
}

void malformed_init(struct malformed *m, const struct malformed_config *config, uint64_t seed)
{
    *m = (struct malformed){.config = config, .random = random_init(seed, RANDOM_MALFORMED)};
    for (unsigned i = 0; i < MALFORMED_KINDS; i++)
        if (config->kinds & 1U << i)
            m->kinds[m->kind_count++] = (enum malformed_kind)i;
}

static void malformed_append_padding(struct buffer *b, char c, size_t n)
{
    memset(buffer_reserve(b, n), c, n);
    b->len += n;
}

/* Appends the message with the bytes from `from` to `to` replaced. */
static void malformed_replace(struct buffer *out, const struct message_parts *parts,
                              const char *from, const char *to, const char *with)
{
    buffer_append(out, slice_between(parts->start, from));
    buffer_puts(out, with);
    buffer_append(out, slice_between(to, parts->end));
}

static void malformed_append_long_field(struct buffer *out, const struct message_parts *parts,
                                        uint64_t choice)
{
    static const size_t max_len[MALFORMED_CHOICES] = {255, 48, 128, 32};
    struct slice field = parts->fields[1 + choice];
    buffer_append(out, slice_between(parts->start, field.data));
    malformed_append_padding(out, 'x', max_len[choice] + 1);
    buffer_append(out, slice_between(field.data + field.len, parts->end));
}

static void malformed_append_message(struct malformed *m, enum malformed_kind kind,
                                     const struct message_parts *parts, struct buffer *out)
{
    static const char *const pri[MALFORMED_CHOICES] = {"<192>", "<007>", "<>", "13>"};
    static const char *const version[MALFORMED_CHOICES] = {"2", "0", "01", "x"};
    static const char *const date[MALFORMED_CHOICES] = {
        "2026-02-30T10:00:00Z", "2026-13-01T10:00:00Z", "2026-11-22T24:00:00Z",
        "2026-11-22 10:00:00"};
    static const char *const sd[MALFORMED_CHOICES] = {"[]", "[a b=c]", "[a b=\"c\"d]",
                                                      "[a=b c=\"d\"]"};
    static const char nul[] = " a\0b";
    uint64_t choice = random_below(&m->random, MALFORMED_CHOICES);
    struct slice whole = slice_between(parts->start, parts->end);
    switch (kind) {
    case MALFORMED_PRI:
        return malformed_replace(out, parts, parts->start, parts->version, pri[choice]);
    case MALFORMED_VERSION:
        return malformed_replace(out, parts, parts->version, parts->fields[0].data - 1,
                                 version[choice]);
    case MALFORMED_DATE:
        return malformed_replace(out, parts, parts->fields[0].data,
                                 parts->fields[0].data + parts->fields[0].len, date[choice]);
    case MALFORMED_LENGTH:
        return malformed_append_long_field(out, parts, choice);
    case MALFORMED_SD:
        return malformed_replace(out, parts, parts->sd, parts->sd_end, sd[choice]);
    case MALFORMED_UTF8:
        return malformed_replace(out, parts, parts->end, parts->end,
                                 " \xff\xc0\x80\xed\xa0\x80\xe2\x82");
    case MALFORMED_CONTROL:
        return malformed_replace(out, parts, parts->end, parts->end, " \x01\t\x1b[31m\x7f");
    case MALFORMED_NUL:
        buffer_append(out, whole);
        return buffer_append(out, (struct slice){nul, sizeof nul - 1});
    case MALFORMED_OVERLONG:
        buffer_append(out, whole);
        buffer_puts(out, " ");
        return malformed_append_padding(out, '.', MALFORMED_OVERLONG_PADDING);
    default: /* truncated in HEADER: truncated later, it could still be valid */
        return buffer_append(out, slice_between(parts->start, parts->fields[choice].data));
    }
}

/* Appends MSG-LEN: invalid, or, for a dropped connection, longer than the truncated message. */
static void malformed_append_msg_len(struct malformed *m, enum malformed_kind kind,
                                     struct slice whole, size_t len, struct buffer *to)
{
    static const char *const wrong[MALFORMED_CHOICES] = {"0 ", "007 ", "12345678901 ", "12"};
    if (kind == MALFORMED_MSG_LEN)
        buffer_puts(to, wrong[random_below(&m->random, MALFORMED_CHOICES)]);
    else
        buffer_printf(to, "%zu ", kind == MALFORMED_DROP ? whole.len : len);
}

void malformed_append(struct malformed *m, enum malformed_kind kind, struct slice framed,
                      enum message_framing framing, struct buffer *to)
{
    const char *start = memchr(framed.data, '<', framed.len);
    size_t len = framed.len - (size_t)(start - framed.data) - (framing == MESSAGE_NEWLINE);
    m->message.len = 0;
    buffer_append(&m->message, (struct slice){start, len});
    *buffer_reserve(&m->message, 1) = '\0';
    struct slice whole = {m->message.data, len};
    struct message_parts parts = split_message(whole);
    struct buffer *output = &m->output;
    output->len = 0;
    if (kind == MALFORMED_MSG_LEN)
        buffer_append(output, whole);
    else
        malformed_append_message(m, kind, &parts, output);
    if (framing == MESSAGE_OCTET_COUNTED)
        malformed_append_msg_len(m, kind, whole, output->len, to);
    buffer_append(to, (struct slice){output->data, output->len});
    if (framing == MESSAGE_NEWLINE && kind != MALFORMED_DROP)
        buffer_puts(to, "\n");
    m->count[kind]++;
}

const char *malformed_kind_name(enum malformed_kind kind)
{
    return malformed_names[kind];
}

uint64_t malformed_total(const struct malformed *m)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < m->kind_count; i++)
        total += m->count[m->kinds[i]];
    return total;
}

void malformed_free(struct malformed *m)
{
    buffer_free(&m->message);
    buffer_free(&m->output);
}
