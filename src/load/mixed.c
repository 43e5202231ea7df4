#include "load/mixed.h"

#include "load/random.h"

enum { MIXED_TEMPLATES = 1024 };

struct mixed_severity {
    unsigned weight; /* percent */
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

/* UTF-8 sequences of two to four bytes, right-to-left text, combining characters, characters that
 * JSON or RFC 5424 escapes, and control characters. */
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

#define MIXED_COUNT(table)   (sizeof(table) / sizeof *(table))
#define MIXED_DRAW(r, table) ((table)[random_below(r, MIXED_COUNT(table))])

static bool mixed_draw_percent(struct random *r, unsigned percent)
{
    return random_below(r, 100) < percent;
}

/* Copies the text to the set, and empties the buffer. */
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
        buffer_puts(b, "-");
    else if (kind < 15)
        buffer_printf(b, "10.20.%u.%u", n / 16, n);
    else if (kind < 18)
        buffer_printf(b, "2001:db8::%x", n);
    else if (kind < 60)
        buffer_printf(b, "node%03u.dc%u.example.net", n, n % 4);
    else
        buffer_printf(b, "node%03u", n);
}

static void mixed_draw_procid(struct random *r, struct buffer *b)
{
    uint64_t kind = random_below(r, 100);
    if (kind < 15)
        buffer_puts(b, "-");
    else if (kind < 20)
        buffer_printf(b, "worker-%u", (unsigned)random_below(r, 64));
    else
        buffer_printf(b, "%u", (unsigned)random_below(r, 4194304) + 1);
}

/* Parameter names are unique in an element, and SD-IDs in a message. */
static void mixed_draw_sd(struct random *r, struct buffer *b)
{
    if (mixed_draw_percent(r, 50))
        return buffer_puts(b, "-");
    size_t elements = 1 + random_below(r, 3);
    size_t id = random_below(r, MIXED_COUNT(mixed_sd_ids));
    for (size_t i = 0; i < elements; i++) {
        size_t params = random_below(r, 5);
        size_t name = random_below(r, MIXED_COUNT(mixed_param_names));
        buffer_puts(b, "[");
        buffer_puts(b, mixed_sd_ids[(id + i) % MIXED_COUNT(mixed_sd_ids)]);
        for (size_t k = 0; k < params; k++) {
            buffer_puts(b, " ");
            buffer_puts(b, mixed_param_names[(name + k) % MIXED_COUNT(mixed_param_names)]);
            buffer_puts(b, "=\"");
            buffer_puts(b, mixed_draw_percent(r, 20) ? MIXED_DRAW(r, mixed_special_values)
                                                     : MIXED_DRAW(r, mixed_values));
            buffer_puts(b, "\"");
        }
        buffer_puts(b, "]");
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
        buffer_puts(b, "\xEF\xBB\xBF");
    for (bool first = true; b->len < len; first = false) {
        uint64_t kind = random_below(r, 100);
        if (!first)
            buffer_puts(b, " ");
        if (kind < 6)
            buffer_puts(b, MIXED_DRAW(r, mixed_special_words));
        else if (kind < 20)
            buffer_printf(b, "%u", (unsigned)random_below(r, 65536));
        else if (kind < 24)
            buffer_printf(b, "192.0.2.%u:%u", (unsigned)random_below(r, 256),
                          (unsigned)random_below(r, 65536));
        else
            buffer_puts(b, MIXED_DRAW(r, mixed_words));
    }
}

/* Draws every field, even those that options set, so that an option changes no other field. */
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
    m.appname = mixed_draw_percent(r, 5) ? "-" : MIXED_DRAW(r, mixed_appnames);
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
    unsigned replaced = message_config_replaced_fields(c);
    m->pri = replaced & MESSAGE_FIELD_PRI ? c->pri : m->pri;
    m->timestamp = replaced & MESSAGE_FIELD_TIMESTAMP ? c->timestamp : m->timestamp;
    m->hostname = replaced & MESSAGE_FIELD_HOSTNAME ? c->hostname : m->hostname;
    m->appname = replaced & MESSAGE_FIELD_APPNAME ? c->appname : m->appname;
    m->procid = replaced & MESSAGE_FIELD_PROCID ? c->procid : m->procid;
    m->msgid = replaced & MESSAGE_FIELD_MSGID ? c->msgid : m->msgid;
    m->sd = replaced & MESSAGE_FIELD_SD ? c->sd : m->sd;
    m->text = replaced & MESSAGE_FIELD_TEXT ? c->text : m->text;
}

bool mixed_generate(struct template_set *set, const struct message_config *c)
{
    struct random r = random_init(c->seed, RANDOM_PROFILE);
    for (int i = 0; i < MIXED_TEMPLATES; i++) {
        struct message_config m = mixed_draw_config(&r, set, c);
        mixed_apply_options(&m, c);
        template_init(template_set_add(set), &m);
        if (c->given_fields & (MESSAGE_FIELD_TEXT | MESSAGE_FIELD_SD) && m.text &&
            !template_check(&set->items[i], &m))
            return false;
    }
    return true;
}
