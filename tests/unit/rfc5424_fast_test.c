/*
 * The accelerator of RFC 5424 against the reference, in a parser that has seen other messages: what
 * it accepts must give the same message and record, and what it declines must not affect the
 * reference. Messages lie between guard pages: tests/data/rfc5424.cases, each byte at each position
 * of some usual messages, every length of fields, random STRUCTURED-DATA, and random changes of all
 * these.
 */

#include "base/buffer.h"
#include "base/defect.h"
#include "base/simd.h"
#include "json/record.h"
#include "syslog/rfc5424.h"
#include "unit.h"

#ifdef SHNEK_NO_FAST_PATH
static const bool has_accelerator = false;
#else
static const bool has_accelerator = true;
#endif

static unsigned accepted;
static unsigned verbatim;
static unsigned simple;

static uint64_t seed = 1;

static unsigned chance(unsigned n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % n;
}

static bool same_slice(struct slice a, struct slice b)
{
    return a.data == b.data && a.len == b.len;
}

static bool same_header(const struct syslog_message *a, const struct syslog_message *b)
{
    return a->pri == b->pri && a->version == b->version && same_slice(a->timestamp, b->timestamp) &&
           same_slice(a->hostname, b->hostname) && same_slice(a->appname, b->appname) &&
           same_slice(a->procid, b->procid) && same_slice(a->msgid, b->msgid);
}

static bool same_param(const struct sd_param *a, const struct sd_param *b)
{
    return same_slice(a->name, b->name) && same_slice(a->value, b->value) &&
           a->repeats == b->repeats && a->more == b->more && (!a->more || a->next == b->next);
}

static bool same_element(const struct sd_element *a, const struct sd_element *b)
{
    return same_slice(a->id, b->id) && a->first == b->first && a->end == b->end &&
           a->repeats == b->repeats && a->more == b->more && (!a->more || a->next == b->next);
}

static bool same_sd(const struct structured_data *a, const struct structured_data *b)
{
    bool same = a->element_count == b->element_count && a->param_count == b->param_count;
    for (uint32_t i = 0; same && i < a->element_count; i++)
        same = same_element(&a->elements[i], &b->elements[i]);
    for (uint32_t i = 0; same && i < a->param_count; i++)
        same = same_param(&a->params[i], &b->params[i]);
    return same;
}

static bool needs_no_escape(struct slice text)
{
    return !memchr(text.data, '"', text.len) && !memchr(text.data, '\\', text.len);
}

/* The promise of header_verbatim for a field that is copied as `copied` bytes. */
static bool field_verbatim(struct slice field, size_t max_len, size_t copied, const char *end)
{
    return !field.data || (needs_no_escape(field) && field.len <= max_len &&
                           end - field.data >= (ptrdiff_t)copied);
}

static bool header_verbatim(const struct syslog_message *m, const char *end)
{
    return field_verbatim(m->timestamp, 32, 32, end) &&
           field_verbatim(m->hostname, 2 * SIMD_SIZE, 2 * SIMD_SIZE, end) &&
           field_verbatim(m->appname, SIMD_SIZE - 1, SIMD_SIZE, end) &&
           field_verbatim(m->procid, SIMD_SIZE - 1, SIMD_SIZE, end) &&
           field_verbatim(m->msgid, SIMD_SIZE - 1, SIMD_SIZE, end);
}

/* The promises of names_verbatim and is_simple. */
static bool sd_flags_hold(const struct structured_data *sd, const char *end)
{
    bool hold = sd->names_verbatim || !sd->is_simple;
    for (uint32_t i = 0; hold && i < sd->element_count; i++) {
        const struct sd_element *e = &sd->elements[i];
        hold = !sd->names_verbatim || needs_no_escape(e->id);
        if (sd->is_simple)
            hold = hold && !e->repeats && !e->more && end - (e->id.data + e->id.len) > SIMD_SIZE;
    }
    for (uint32_t i = 0; hold && i < sd->param_count; i++) {
        const struct sd_param *p = &sd->params[i];
        hold = !sd->names_verbatim || needs_no_escape(p->name);
        if (sd->is_simple)
            hold = hold && !p->repeats && !p->more &&
                   end - (p->value.data + p->value.len) > SIMD_SIZE + 1;
    }
    return hold;
}

/* The record of a message, or its defect. */
static void write_outcome(bool valid, const struct syslog_message *m, const struct defect *defect,
                          struct buffer *out)
{
    out->len = 0;
    if (valid)
        record_write(out, m);
    else
        buffer_printf(out, "%s: %s (at byte %" PRIu64 ")", defect->field, defect->reason,
                      defect->offset);
}

/* `m` has been used for other messages. */
static void compare(struct slice message, struct syslog_message *m)
{
    static struct syslog_message reference;
    static struct buffer expected;
    static struct buffer got;
    const char *end = message.data + message.len;
    struct defect defect;
    bool valid = rfc5424_parse_reference(message, &reference, &defect);
    write_outcome(valid, &reference, &defect, &expected);

    bool fast = rfc5424_fast_parse(message, m);
    if (fast) {
        accepted++;
        verbatim += m->header_verbatim;
        simple += m->sd.element_count && m->sd.is_simple;
        unit(valid, "accepted: %.*s, but %.*s", SHOW(message), SHOW(expected));
        unit(valid && same_header(m, &reference), "other fields: %.*s", SHOW(message));
        unit(valid && same_sd(&m->sd, &reference.sd), "other SD: %.*s", SHOW(message));
        unit(same_slice(m->msg, reference.msg) && same_slice(m->bytes, message),
             "another MSG: %.*s", SHOW(message));
        unit(!m->header_verbatim || header_verbatim(m, end), "not verbatim: %.*s", SHOW(message));
        unit(m->sd.element_count == 0 || sd_flags_hold(&m->sd, end), "not simple: %.*s",
             SHOW(message));
    }
    bool combined = fast || rfc5424_parse_reference(message, m, &defect);
    write_outcome(combined, m, &defect, &got);
    unit(
        slice_equal((struct slice){got.data, got.len}, (struct slice){expected.data, expected.len}),
        "%.*s: got %.*s, expected %.*s", SHOW(message), SHOW(got), SHOW(expected));
}

/* At both ends of the guarded memory. */
static void compare_guarded(struct slice text, struct syslog_message *m)
{
    compare(unit_guarded(text), m);
    compare(unit_guarded_before(text), m);
}

/* Each byte at each position, and each length; by a new parser, and by one that knows the message.
 */
static void vary(const char *text)
{
    char bytes[256];
    size_t len = strlen(text);
    struct syslog_message m = {0};
    memcpy(bytes, text, len);
    for (size_t end = 0; end <= len; end++)
        compare_guarded((struct slice){bytes, end}, &m);
    for (size_t i = 0; i < len; i++) {
        for (int byte = 0; byte < 256; byte++) {
            struct syslog_message fresh = {0};
            bytes[i] = (char)byte;
            struct slice message = unit_guarded((struct slice){bytes, len});
            compare(message, &fresh);
            compare(message, &m);
            syslog_message_free(&fresh);
        }
        bytes[i] = text[i];
        compare(unit_guarded((struct slice){bytes, len}), &m);
    }
    syslog_message_free(&m);
}

static const char *const usual[] = {
    "<34>1 2024-12-15T21:08:09.484+09:00 mantoshkin-pc spamlog 18895 0 - hello from rust!",
    "<191>1 2024-02-29T23:59:59.999999-23:59 node086.dc2.example.net nginx 3126365 - - msg",
    "<165>1 2000-01-01T00:00:00Z h a - ID47 [x@1 k=\"v\"] text that is some bytes longer",
    "<165>1 2000-01-01T00:00:00Z h a - ID47 [a b=\"\\\"c\\\\\" d=\"\\]\"][e][a b=\"f\"] some text",
    "<10>1 2023-04-30T00:00:00+00:00 - - - - - a message without any of the fields",
    "<13>1 - host app 123 id - a message without a timestamp and some more text",
    "<13>1 2023-04-30T00:00:00Z host app a-process-with-a-long-name id [x@1 k=\"v\"] msg",
    "<9>1 2023-04-30T00:00:00+00:00 - - - - - a message with one digit in its PRI",
    "<9>1 2023-04-30T00:00:00+00:00 host.example.com an-application 1 ID -"};
enum { USUAL = sizeof usual / sizeof *usual };

static void vary_usual_messages(void)
{
    for (size_t i = 0; i < USUAL; i++) {
        struct syslog_message m = {0};
        accepted = 0;
        compare(unit_guarded((struct slice){usual[i], strlen(usual[i])}), &m);
        unit(accepted == has_accelerator, "%s: not accepted", usual[i]);
        syslog_message_free(&m);
        vary(usual[i]);
    }
    vary("<34>1 2024-12-15T21:08:60.4841234Z host app 1 0 - no such second, and too many digits");
    vary("<034>1 2024-12-15T21:08:09.4841234Z host app 1 0 - a leading zero");
}

/* HOSTNAME and MSGID of every length, so that blocks and windows end at every position. */
static void vary_lengths(void)
{
    char text[1024];
    struct syslog_message m = {0};
    accepted = verbatim = 0;
    for (int host = 1; host <= 260; host++) {
        for (int id = 1; id <= 34; id++) {
            for (int msg = 0; msg <= 34; msg += 17) {
                int n =
                    snprintf(text, sizeof text, "<34>1 2024-12-15T21:08:09Z %0*d a b %0*d - %*s",
                             host, 1, id, 2, msg, "");
                compare(unit_guarded((struct slice){text, (size_t)n}), &m);
            }
        }
    }
    unit(!has_accelerator || accepted > 3000, "only %u of the lengths are accepted", accepted);
    unit(!has_accelerator || verbatim > 100, "only %u of them are verbatim", verbatim);
    syslog_message_free(&m);
}

/* An empty cache is all NUL, and must not match a TIMESTAMP of NULs. */
static void compare_nul_with_empty_cache(void)
{
    char text[] = "<34>1 2024-12-15T21:08:09.123456+09:00 host app procid msgid - a message";
    struct syslog_message m = {0};
    memset(text + 6, 0, 16);
    unit(!rfc5424_fast_parse((struct slice){text, sizeof text - 1}, &m), "a minute of NULs");
    memcpy(text + 6, "2024-12-15T21:08", 16);
    memset(text + 32, 0, 6);
    unit(!rfc5424_fast_parse((struct slice){text, sizeof text - 1}, &m), "an offset of NULs");
}

/* Each TIMESTAMP after each other one: another minute, fraction or offset. */
static void alternate_timestamps(void)
{
    static const char *const times[] = {
        "2024-12-15T21:08:09.484+09:00", "2024-12-15T21:08:09.48400+09:00",
        "2024-12-15T21:08:09Z",          "2024-12-15T21:08:09.123456Z",
        "2024-12-15T21:09:59.1Z",        "2024-12-15T21:09:00.123456-01:30",
        "2024-12-15T21:09:00-01:30"};
    enum { TIMES = sizeof times / sizeof *times };
    struct syslog_message m = {0};
    char text[128];
    accepted = 0;
    for (int i = 0; i < TIMES * TIMES; i++) {
        const char *time = times[i % 2 ? i % TIMES : i / TIMES];
        int n = snprintf(text, sizeof text, "<34>1 %s host app 1 0 - a message after it", time);
        compare(unit_guarded((struct slice){text, (size_t)n}), &m);
    }
    unit(accepted == (has_accelerator ? TIMES * TIMES : 0), "only %u times are accepted", accepted);
    syslog_message_free(&m);
}

/* Few different names, so that some repeat. */
static void append_name(struct buffer *to)
{
    static const char *const names[] = {"a",  "b",    "ab",   "ba",           "origin", "x@32473",
                                        "ip", "key1", "key2", "a.long.name9", "\\",     ""};
    static const char longest[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    if (chance(12) == 0)
        buffer_append(to, (struct slice){longest, 30 + chance(4)});
    else
        buffer_puts(to, names[chance(chance(40) == 0 ? 12 : 10)]);
}

static void append_value(struct buffer *to)
{
    static const char *const pieces[] = {"v",   " ",        "=",    "\\\"", "\\\\", "\\]",
                                         "\\n", "\xc3\xa9", "\xff", "\t",   "[",    "a longer text",
                                         "\x7f"};
    for (unsigned i = chance(7); i; i--)
        buffer_puts(to, pieces[chance(13)]);
    if (chance(60) == 0)
        buffer_puts(to, "]");
}

static void append_elements(struct buffer *to)
{
    size_t start = to->len;
    for (unsigned n = 1 + chance(4); n; n--) {
        buffer_puts(to, "[");
        append_name(to);
        for (unsigned params = chance(5) + (chance(20) == 0 ? 9 : 0); params; params--) {
            buffer_puts(to, " ");
            append_name(to);
            buffer_puts(to, "=\"");
            append_value(to);
            buffer_puts(to, "\"");
        }
        buffer_puts(to, "]");
    }
    if (chance(15) == 0)
        to->data[start + 1 + chance((unsigned)(to->len - start) - 1)] = "[]\"= \\a"[chance(7)];
}

static void random_structured_data(void)
{
    enum { MESSAGES = 60000 };
    struct buffer text = {0};
    struct syslog_message m = {0};
    accepted = simple = 0;
    for (unsigned i = 0; i < MESSAGES; i++) {
        text.len = 0;
        buffer_puts(&text, "<165>1 2000-01-01T00:00:00Z h a - ID47 ");
        size_t start = text.len;
        append_elements(&text);
        static const char msg[] = " a text that may be long enough for a block";
        buffer_append(&text, (struct slice){msg, chance(sizeof msg)});
        if (chance(8) == 0)
            text.len = start + chance((unsigned)(text.len - start));
        compare_guarded((struct slice){text.data, text.len}, &m);
    }
    unit(!has_accelerator || accepted > MESSAGES, "only %u of %d are accepted", accepted,
         2 * MESSAGES);
    unit(!has_accelerator || simple > MESSAGES / 4, "only %u are simple", simple);
    buffer_free(&text);
    syslog_message_free(&m);
}

/* Changes a few bytes: replaces, removes, inserts, repeats or cuts. */
static void mutate(struct buffer *text)
{
    static const char special[] = " -[]=\"\\<>:.Z+T019a\0\n\x7f\x80\xff";
    for (unsigned n = chance(4); n && text->len; n--) {
        size_t pos = chance((unsigned)text->len);
        char byte = (char)chance(256);
        if (chance(2))
            byte = special[chance(sizeof special)];
        size_t rest = text->len - pos;
        size_t count = 1 + chance(rest < 40 ? (unsigned)rest : 40);
        switch (chance(5)) {
        case 0:
            text->len = pos;
            break;
        case 1:
            memmove(text->data + pos, text->data + pos + count, rest - count);
            text->len -= count;
            break;
        case 2:
            buffer_reserve(text, count);
            memmove(text->data + pos + count, text->data + pos, rest);
            text->len += count;
            break;
        case 3:
            buffer_reserve(text, 1);
            memmove(text->data + pos + 1, text->data + pos, rest);
            text->len++;
            text->data[pos] = byte;
            break;
        default:
            text->data[pos] = byte;
        }
    }
}

static void mutate_often(struct slice message, unsigned times, struct syslog_message *m)
{
    struct buffer text = {0};
    for (unsigned i = 0; i < times; i++) {
        text.len = 0;
        buffer_append(&text, message);
        mutate(&text);
        compare_guarded((struct slice){text.data, text.len}, m);
    }
    buffer_free(&text);
}

static void mutate_messages(void)
{
    struct syslog_message m = {0};
    accepted = 0;
    for (unsigned i = 0; i < USUAL; i++)
        mutate_often((struct slice){usual[i], strlen(usual[i])}, 20000, &m);
    unit(!has_accelerator || accepted > 20000, "only %u are accepted", accepted);
    syslog_message_free(&m);
}

/* Each case as it is, with some MSG after it so that it fills a window, and changed. */
static void compare_cases(const char *path)
{
    FILE *table = unit_table(path);
    struct unit_case c;
    struct syslog_message m = {0};
    struct buffer text = {0};
    unsigned cases = 0;
    accepted = 0;
    while (unit_next_case(table, &c)) {
        text.len = 0;
        buffer_append(&text, c.input);
        buffer_puts(&text, " and some more text that fills a window of the accelerator");
        compare_guarded(c.input, &m);
        compare_guarded((struct slice){text.data, text.len}, &m);
        if (c.input.len < 1000)
            mutate_often((struct slice){text.data, text.len}, 60, &m);
        cases++;
        unit_case_free(&c);
    }
    unit(cases >= 150, "only %u cases", cases);
    unit(!has_accelerator || accepted > cases, "only %u are accepted", accepted);
    buffer_free(&text);
    syslog_message_free(&m);
    fclose(table);
}

int main(int argc, char **argv)
{
    vary_usual_messages();
    vary_lengths();
    compare_nul_with_empty_cache();
    alternate_timestamps();
    random_structured_data();
    mutate_messages();
    compare_cases(argc > 1 ? argv[1] : "tests/data/rfc5424.cases");
    return unit_end("rfc5424 accelerator");
}
