/* The straight way through a HEADER against the careful one: what it takes the other takes too,
 * with the same fields. */

#include "base/defect.h"
#include "syslog/rfc5424.h"
#include "unit.h"

static bool same_field(struct slice a, struct slice b)
{
    return a.data == b.data && a.len == b.len;
}

static bool same(const struct syslog_message *a, const struct syslog_message *b)
{
    return a->pri == b->pri && same_field(a->timestamp, b->timestamp) &&
           same_field(a->hostname, b->hostname) && same_field(a->appname, b->appname) &&
           same_field(a->procid, b->procid) && same_field(a->msgid, b->msgid);
}

/* What record.c relies on: `room` bytes can be read, and no character needs an escape. */
static bool is_bare(struct slice value, size_t most, size_t room, const char *end)
{
    if (!value.data)
        return true;
    bool plain = !memchr(value.data, '"', value.len) && !memchr(value.data, '\\', value.len);
    return plain && value.len <= most && end - value.data >= (ptrdiff_t)room;
}

static bool all_bare(const struct syslog_message *m, const char *end)
{
    return is_bare(m->timestamp, 32, 32, end) &&
           is_bare(m->hostname, 2 * SIMD_SIZE, 2 * SIMD_SIZE, end) &&
           is_bare(m->appname, SIMD_SIZE, SIMD_SIZE, end) &&
           is_bare(m->procid, SIMD_SIZE, 8, end) && is_bare(m->msgid, SIMD_SIZE, SIMD_SIZE, end);
}

static bool in_header(const char *field)
{
    static const char header[] = "PRI VERSION TIMESTAMP HOSTNAME APP-NAME PROCID MSGID";
    return strstr(header, field) != NULL;
}

static unsigned taken;
static unsigned bare;

/* `m` is used for many messages, as the parser's is. */
static void one(struct slice text, struct syslog_message *m, const char *what, size_t at, int byte)
{
    struct slice message = unit_guarded(text);
    struct syslog_message careful = {0};
    struct defect defect = {0};
    if (!usual_header(message.data, message.data + message.len, m))
        return;
    taken++;
    bare += m->bare;
    unit(!m->bare || all_bare(m, message.data + message.len), "%s with byte %d at %zu: not bare",
         what, byte, at);
    bool good = rfc5424_parse_from(message, NULL, &careful, &defect) || !in_header(defect.field);
    unit(good && same(m, &careful), "%s with byte %d at %zu: %s", what, byte, at,
         good ? "other fields" : defect.reason);
    syslog_message_free(&careful);
}

/* Each byte at each place, and each end; by a parser that has seen none, or one like it. */
static void vary(const char *text)
{
    char bytes[1024];
    size_t length = strlen(text);
    struct syslog_message m = {0};
    memcpy(bytes, text, length);
    for (size_t end = 0; end <= length; end++)
        one((struct slice){bytes, end}, &m, text, end, -1);
    for (size_t at = 0; at < length; at++) {
        for (int byte = 0; byte < 256; byte++) {
            struct syslog_message fresh = {0};
            bytes[at] = (char)byte;
            one((struct slice){bytes, length}, &fresh, text, at, byte);
            one((struct slice){bytes, length}, &m, text, at, byte);
        }
        bytes[at] = text[at];
        one((struct slice){bytes, length}, &m, text, at, -1);
    }
}

static void usual(const char *text)
{
    struct syslog_message m = {0};
    taken = 0;
    one((struct slice){text, strlen(text)}, &m, text, 0, -1);
    unit(taken == 1, "%s: not taken", text);
    vary(text);
}

/* HOSTNAME and MSGID of every length, so that blocks and windows end at each place. */
static void lengths(void)
{
    char text[1024];
    struct syslog_message m = {0};
    taken = bare = 0;
    for (int host = 1; host <= 260; host++) {
        for (int id = 1; id <= 34; id++) {
            for (int msg = 0; msg <= 34; msg += 17) {
                int n =
                    snprintf(text, sizeof text, "<34>1 2024-12-15T21:08:09Z %0*d a b %0*d - %*s",
                             host, 1, id, 2, msg, "");
                one((struct slice){text, (size_t)n}, &m, "lengths", (size_t)host, id);
            }
        }
    }
    unit(taken > 3000, "only %u of the lengths are taken", taken);
    unit(bare > 100, "only %u of them are bare", bare);
}

/* A time of NULs is none, though a parser that has seen no other has nothing else to compare with.
 */
static void zeros(void)
{
    char text[] = "<34>1 2024-12-15T21:08:09.123456+09:00 host app procid msgid - a message";
    struct syslog_message m = {0};
    memset(text + 6, 0, 16);
    unit(!usual_header(text, text + sizeof text - 1, &m), "a minute of NULs");
    memcpy(text + 6, "2024-12-15T21:08", 16);
    memset(text + 32, 0, 6);
    unit(!usual_header(text, text + sizeof text - 1, &m), "an offset of NULs");
}

/* Each is unlike the one before in its minute, its fraction or its zone. */
static void turns(void)
{
    static const char *const times[] = {
        "2024-12-15T21:08:09.484+09:00", "2024-12-15T21:08:09.48400+09:00",
        "2024-12-15T21:08:09Z",          "2024-12-15T21:08:09.123456Z",
        "2024-12-15T21:09:59.1Z",        "2024-12-15T21:09:00.123456-01:30",
        "2024-12-15T21:09:00-01:30"};
    enum { TIMES = sizeof times / sizeof *times };
    struct syslog_message m = {0};
    char text[128];
    taken = 0;
    for (int i = 0; i < TIMES * TIMES; i++) {
        const char *time = times[i % 2 ? i % TIMES : i / TIMES];
        int n = snprintf(text, sizeof text, "<34>1 %s host app 1 0 - a message behind it", time);
        one((struct slice){text, (size_t)n}, &m, time, 0, i);
    }
    unit(taken == TIMES * TIMES, "only %u of the turns are taken", taken);
}

int main(void)
{
    usual("<34>1 2024-12-15T21:08:09.484+09:00 mantoshkin-pc spamlog 18895 0 - hello from rust!");
    usual("<191>1 2024-02-29T23:59:59.999999-23:59 node086.dc2.example.net nginx 3126365 - - msg");
    usual("<165>1 2000-01-01T00:00:00Z h a - ID47 [x@1 k=\"v\"] text that is some bytes longer");
    usual("<10>1 2023-04-30T00:00:00+00:00 - - - - - a message without any of the fields");
    usual("<13>1 - host app 123 id - a message that does not say when it was");
    usual("<13>1 2023-04-30T00:00:00Z host app a-process-with-a-long-name id [x@1 k=\"v\"] msg");
    usual("<9>1 2023-04-30T00:00:00+00:00 - - - - - a message of a facility below the second");
    vary("<34>1 2024-12-15T21:08:60.4841234Z host app 1 0 - no such second, and too many digits");
    vary("<034>1 2024-12-15T21:08:09.4841234Z host app 1 0 - a leading zero");
    lengths();
    zeros();
    turns();
    return unit_end("usual header");
}
