#include <stdarg.h>
#include <stdio.h>

#include "base/buffer.h"
#include "load/profile.h"
#include "load/random.h"

enum { MIXED_TEMPLATES = 1024 };

/* --- what the man page gives the distributions of --- */

struct mixed_severity {
    unsigned weight; /* of all in its table */
    unsigned severity;
};

static const struct mixed_severity mixed_severities[] = {{1, 0},  {1, 1},  {2, 2},  {10, 3},
                                                         {15, 4}, {15, 5}, {46, 6}, {10, 7}};

static const char *const mixed_appnames[] = {
    "sshd",  "kernel",         "systemd", "cron",  "postfix/smtpd", "nginx",       "named",
    "dhcpd", "NetworkManager", "haproxy", "audit", "worker",        "api.gateway", "db-primary"};

static const char *const mixed_words[] = {
    "accepted", "address", "after",   "backend", "bytes",   "cache",    "client", "closed",
    "commit",   "config",  "denied",  "device",  "expired", "failed",   "from",   "handshake",
    "in",       "job",     "lease",   "limit",   "lookup",  "of",       "on",     "packet",
    "password", "peer",    "pool",    "process", "query",   "queued",   "quota",  "reached",
    "received", "refused", "reload",  "request", "restart", "retrying", "route",  "served",
    "shard",    "slow",    "started", "stopped", "table",   "thread",   "to",     "updated",
    "volume",   "waiting", "with",    "zone"};

/* UTF-8 of two, three and four bytes, right-to-left and combining; what JSON and RFC 5424 escape;
 * control characters. */
static const char *const mixed_special_words[] = {
    "Größe",     "naïve",  "Łódź",    "привет",     "Ελλάδα",  "שלום",        "مرحبا",
    "東京",      "서울",   "ไทย",     "e\xCC\x81",  "🚀",       "👩‍💻", "√2≈1.41",
    "5 €",       "\"ok\"", "\\n",     "C:\\dir\\x", "a\tb",    "</x>",        "[x]",
    "{\"k\":1}", "100%",   "x=1;y=2", "'q'",        "\x1B[0m", "\x7F"};

static const char *const mixed_values[] = {
    "1", "443", "eth0", "true", "GET", "10.1.2.3", "2001:db8::1", "/var/lib/x", "text with spaces",
    ""};
static const char *const mixed_special_values[] = {"Größe", "東京",  "a\\\"b", "c:\\\\d",
                                                   "[x\\]", "\\\\q", "🚀",      "a\tb"};
static const char *const mixed_param_names[] = {"id",   "user",  "ip",   "port",
                                                "path", "class", "note", "eventID"};
static const char *const mixed_sd_ids[] = {"origin",        "meta",          "timeQuality",
                                           "request@32473", "audit.x@32473", "zone@0"};

#define COUNT(table)     (sizeof(table) / sizeof *(table))
#define ONE_OF(r, table) ((table)[random_below(r, COUNT(table))])

/* --- drawing --- */

static bool mixed_draw_percent(struct random *r, unsigned percent)
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

static const char *mixed_copy_text(struct template_set *set, struct buffer *b)
{
    const char *text = template_set_copy(set, (struct slice){b->data, b->len});
    b->len = 0;
    return text;
}

static unsigned mixed_draw_pri(struct random *r)
{
    uint64_t offset = random_below(r, 100);
    size_t i = 0;
    while (offset >= mixed_severities[i].weight)
        offset -= mixed_severities[i++].weight;
    return 8 * (unsigned)random_below(r, 24) + mixed_severities[i].severity;
}

static void mixed_draw_hostname(struct random *r, struct buffer *b)
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

static void mixed_draw_procid(struct random *r, struct buffer *b)
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
static void mixed_draw_sd(struct random *r, struct buffer *b)
{
    if (mixed_draw_percent(r, 50))
        return add(b, "-");
    size_t elements = 1 + random_below(r, 3);
    size_t id = random_below(r, COUNT(mixed_sd_ids));
    for (size_t i = 0; i < elements; i++) {
        size_t params = random_below(r, 5);
        size_t name = random_below(r, COUNT(mixed_param_names));
        add(b, "[");
        add(b, mixed_sd_ids[(id + i) % COUNT(mixed_sd_ids)]);
        for (size_t k = 0; k < params; k++) {
            add(b, " ");
            add(b, mixed_param_names[(name + k) % COUNT(mixed_param_names)]);
            add(b, "=\"");
            add(b, mixed_draw_percent(r, 20) ? ONE_OF(r, mixed_special_values)
                                             : ONE_OF(r, mixed_values));
            add(b, "\"");
        }
        add(b, "]");
    }
}

static size_t mixed_draw_msg_len(struct random *r)
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

static void mixed_draw_msg(struct random *r, struct buffer *b)
{
    size_t len = mixed_draw_msg_len(r);
    if (mixed_draw_percent(r, 10))
        add(b, "\xEF\xBB\xBF");
    for (bool first = true; b->len < len; first = false) {
        uint64_t kind = random_below(r, 100);
        if (!first)
            add(b, " ");
        if (kind < 6)
            add(b, ONE_OF(r, mixed_special_words));
        else if (kind < 20)
            add_format(b, "%u", (unsigned)random_below(r, 65536));
        else if (kind < 24)
            add_format(b, "192.0.2.%u:%u", (unsigned)random_below(r, 256),
                       (unsigned)random_below(r, 65536));
        else
            add(b, ONE_OF(r, mixed_words));
    }
}

/* Everything is drawn, also what is given, so that that changes nothing else. */
static struct message_config mixed_draw_config(struct random *r, struct template_set *set,
                                               const struct message_config *c)
{
    struct buffer b = {0};
    struct message_config m = *c;
    m.pri = mixed_draw_pri(r);
    uint64_t timestamp = random_below(r, 100);
    m.timestamp = timestamp < 3 ? "-" : NULL;
    m.utc = timestamp < 43;
    mixed_draw_hostname(r, &b);
    m.hostname = mixed_copy_text(set, &b);
    m.appname = mixed_draw_percent(r, 5) ? "-" : ONE_OF(r, mixed_appnames);
    mixed_draw_procid(r, &b);
    m.procid = mixed_copy_text(set, &b);
    uint64_t msgid = random_below(r, 100);
    m.msgid = msgid < 40 ? NULL : msgid < 70 ? "-" : msgid < 85 ? "TCPIN" : "ID47";
    mixed_draw_sd(r, &b);
    m.sd = mixed_copy_text(set, &b);
    bool no_msg = mixed_draw_percent(r, 3);
    mixed_draw_msg(r, &b);
    m.text = mixed_copy_text(set, &b);
    if (no_msg)
        m.text = NULL;
    buffer_free(&b);
    return m;
}

static void mixed_apply_options(struct message_config *m, const struct message_config *c)
{
    m->pri = c->given_fields & MESSAGE_FIELD_PRI ? c->pri : m->pri;
    m->timestamp = c->given_fields & MESSAGE_FIELD_TIMESTAMP || c->fresh & MESSAGE_FRESH_TIME
                       ? c->timestamp
                       : m->timestamp;
    m->hostname = c->given_fields & MESSAGE_FIELD_HOSTNAME || c->fresh & MESSAGE_FRESH_HOST
                      ? c->hostname
                      : m->hostname;
    m->appname = c->given_fields & MESSAGE_FIELD_APPNAME ? c->appname : m->appname;
    m->procid = c->given_fields & MESSAGE_FIELD_PROCID ? c->procid : m->procid;
    m->msgid = c->given_fields & MESSAGE_FIELD_MSGID || c->fresh & MESSAGE_FRESH_COUNTER ? c->msgid
                                                                                         : m->msgid;
    m->sd = c->given_fields & MESSAGE_FIELD_SD ? c->sd : m->sd;
    m->text = c->given_fields & MESSAGE_FIELD_TEXT ? c->text : m->text;
}

bool mixed_generate(struct template_set *set, const struct message_config *c)
{
    struct random r = random_init(c->seed, RANDOM_PROFILE);
    for (int i = 0; i < MIXED_TEMPLATES; i++) {
        struct message_config m = mixed_draw_config(&r, set, c);
        mixed_apply_options(&m, c);
        template_init(template_set_add(set), &m);
        if (c->given_fields & (MESSAGE_FIELD_TEXT | MESSAGE_FIELD_SD) && m.text &&
            !template_check(&set->templates[i], &m))
            return false;
    }
    return true;
}
