#include <stdarg.h>
#include <stdio.h>

#include "base/buffer.h"
#include "load/profile.h"
#include "load/random.h"

enum { BODIES = 1024 };

/* --- what the man page gives the distributions of --- */

struct choice {
    unsigned weight; /* of all in its table */
    unsigned value;
};

static const struct choice severities[] = {{1, 0},  {1, 1},  {2, 2},  {10, 3},
                                           {15, 4}, {15, 5}, {46, 6}, {10, 7}};

static const char *const applications[] = {
    "sshd",  "kernel",         "systemd", "cron",  "postfix/smtpd", "nginx",       "named",
    "dhcpd", "NetworkManager", "haproxy", "audit", "worker",        "api.gateway", "db-primary"};

static const char *const words[] = {
    "accepted", "address", "after",   "backend", "bytes",   "cache",    "client", "closed",
    "commit",   "config",  "denied",  "device",  "expired", "failed",   "from",   "handshake",
    "in",       "job",     "lease",   "limit",   "lookup",  "of",       "on",     "packet",
    "password", "peer",    "pool",    "process", "query",   "queued",   "quota",  "reached",
    "received", "refused", "reload",  "request", "restart", "retrying", "route",  "served",
    "shard",    "slow",    "started", "stopped", "table",   "thread",   "to",     "updated",
    "volume",   "waiting", "with",    "zone"};

/* UTF-8 of two, three and four bytes, right-to-left and combining; what JSON and RFC 5424 escape;
 * control characters. */
static const char *const special[] = {
    "Größe",     "naïve",  "Łódź",    "привет",     "Ελλάδα",  "שלום",        "مرحبا",
    "東京",      "서울",   "ไทย",     "e\xCC\x81",  "🚀",       "👩‍💻", "√2≈1.41",
    "5 €",       "\"ok\"", "\\n",     "C:\\dir\\x", "a\tb",    "</x>",        "[x]",
    "{\"k\":1}", "100%",   "x=1;y=2", "'q'",        "\x1B[0m", "\x7F"};

static const char *const plain_values[] = {
    "1", "443", "eth0", "true", "GET", "10.1.2.3", "2001:db8::1", "/var/lib/x", "text with spaces",
    ""};
static const char *const special_values[] = {"Größe", "東京",  "a\\\"b", "c:\\\\d",
                                             "[x\\]", "\\\\q", "🚀",      "a\tb"};
static const char *const names[] = {"id", "user", "ip", "port", "path", "class", "note", "eventID"};
static const char *const ids[] = {"origin",        "meta",          "timeQuality",
                                  "request@32473", "audit.x@32473", "zone@0"};

#define COUNT(table)     (sizeof(table) / sizeof *(table))
#define ONE_OF(r, table) ((table)[random_below(r, COUNT(table))])

/* --- drawing --- */

static bool chance(struct random *r, unsigned percent)
{
    return random_below(r, 100) < percent;
}

static void add(struct buffer *b, const char *text)
{
    buffer_append(b, (struct slice){text, strlen(text)});
}

static __attribute__((format(printf, 2, 3))) void add_format(struct buffer *b, const char *format,
                                                             ...)
{
    char text[64];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    add(b, text);
}

static const char *keep(struct bodies *to, struct buffer *b)
{
    const char *text = bodies_keep(to, (struct slice){b->data, b->len});
    b->len = 0;
    return text;
}

static unsigned draw_pri(struct random *r)
{
    uint64_t at = random_below(r, 100);
    size_t i = 0;
    while (at >= severities[i].weight)
        at -= severities[i++].weight;
    return 8 * (unsigned)random_below(r, 24) + severities[i].value;
}

static void draw_hostname(struct random *r, struct buffer *b)
{
    uint64_t kind = random_below(r, 100);
    unsigned n = (unsigned)random_below(r, 250) + 1;
    if (kind < 5)
        add(b, "-");
    else if (kind < 15)
        add_format(b, "10.20.%u.%u", n / 16, n);
    else if (kind < 18)
        add_format(b, "2001:db8::%x", n);
    else if (kind < 60)
        add_format(b, "node%03u.dc%u.example.net", n, n % 4);
    else
        add_format(b, "node%03u", n);
}

static void draw_procid(struct random *r, struct buffer *b)
{
    uint64_t kind = random_below(r, 100);
    if (kind < 15)
        add(b, "-");
    else if (kind < 20)
        add_format(b, "worker-%u", (unsigned)random_below(r, 64));
    else
        add_format(b, "%u", (unsigned)random_below(r, 4194304) + 1);
}

/* Names do not repeat within an element, nor IDs within a message. */
static void draw_sd(struct random *r, struct buffer *b)
{
    if (chance(r, 50))
        return add(b, "-");
    size_t elements = 1 + random_below(r, 3);
    size_t id = random_below(r, COUNT(ids));
    for (size_t i = 0; i < elements; i++) {
        size_t params = random_below(r, 5);
        size_t name = random_below(r, COUNT(names));
        add(b, "[");
        add(b, ids[(id + i) % COUNT(ids)]);
        for (size_t k = 0; k < params; k++) {
            add(b, " ");
            add(b, names[(name + k) % COUNT(names)]);
            add(b, "=\"");
            add(b, chance(r, 20) ? ONE_OF(r, special_values) : ONE_OF(r, plain_values));
            add(b, "\"");
        }
        add(b, "]");
    }
}

static size_t draw_length(struct random *r)
{
    uint64_t kind = random_below(r, 100);
    if (kind < 3)
        return 0;
    if (kind < 60)
        return 20 + random_below(r, 180);
    if (kind < 90)
        return 200 + random_below(r, 300);
    if (kind < 99)
        return 500 + random_below(r, 500);
    return 1000 + random_below(r, 1000);
}

static void draw_msg(struct random *r, struct buffer *b)
{
    size_t length = draw_length(r);
    if (chance(r, 10))
        add(b, "\xEF\xBB\xBF");
    for (bool first = true; b->len < length; first = false) {
        uint64_t kind = random_below(r, 100);
        if (!first)
            add(b, " ");
        if (kind < 6)
            add(b, ONE_OF(r, special));
        else if (kind < 20)
            add_format(b, "%u", (unsigned)random_below(r, 65536));
        else if (kind < 24)
            add_format(b, "192.0.2.%u:%u", (unsigned)random_below(r, 256),
                       (unsigned)random_below(r, 65536));
        else
            add(b, ONE_OF(r, words));
    }
}

/* Everything is drawn, also what is given, so that that changes nothing else. */
static struct message_config draw(struct random *r, struct bodies *to,
                                  const struct message_config *c)
{
    struct buffer b = {0};
    struct message_config m = *c;
    m.pri = draw_pri(r);
    uint64_t timestamp = random_below(r, 100);
    m.timestamp = timestamp < 3 ? "-" : NULL;
    m.utc = timestamp < 43;
    draw_hostname(r, &b);
    m.hostname = keep(to, &b);
    m.appname = chance(r, 5) ? "-" : ONE_OF(r, applications);
    draw_procid(r, &b);
    m.procid = keep(to, &b);
    uint64_t msgid = random_below(r, 100);
    m.msgid = msgid < 40 ? NULL : msgid < 70 ? "-" : msgid < 85 ? "TCPIN" : "ID47";
    draw_sd(r, &b);
    m.sd = keep(to, &b);
    bool no_msg = chance(r, 3);
    draw_msg(r, &b);
    m.text = keep(to, &b);
    if (no_msg)
        m.text = NULL;
    buffer_free(&b);
    return m;
}

static void take_given(struct message_config *m, const struct message_config *c)
{
    m->pri = c->given & FIELD_PRI ? c->pri : m->pri;
    m->timestamp =
        c->given & FIELD_TIMESTAMP || c->fresh & FRESH_TIME ? c->timestamp : m->timestamp;
    m->hostname = c->given & FIELD_HOSTNAME || c->fresh & FRESH_HOST ? c->hostname : m->hostname;
    m->appname = c->given & FIELD_APPNAME ? c->appname : m->appname;
    m->procid = c->given & FIELD_PROCID ? c->procid : m->procid;
    m->msgid = c->given & FIELD_MSGID || c->fresh & FRESH_COUNTER ? c->msgid : m->msgid;
    m->sd = c->given & FIELD_SD ? c->sd : m->sd;
    m->text = c->given & FIELD_TEXT ? c->text : m->text;
}

bool mixed_bodies(struct bodies *b, const struct message_config *c)
{
    struct random r = random_start(c->seed, RANDOM_PROFILE);
    for (int i = 0; i < BODIES; i++) {
        struct message_config m = draw(&r, b, c);
        take_given(&m, c);
        body_start(bodies_add(b), &m);
        if (c->given & (FIELD_TEXT | FIELD_SD) && m.text && !body_fits(&b->all[i], &m))
            return false;
    }
    return true;
}
