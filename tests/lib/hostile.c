/*
 * hostile generate COUNT [SEED]: writes COUNT records with hostile values as JSON lines.
 * hostile check COUNT [SEED]: subscribes to all subjects and checks that each of these records
 * arrives once, unchanged, on the subject that shnek-pub(1) documents for HOSTILE_TEMPLATE, and
 * that nothing else arrives. Prints a summary; status 1 if something differs.
 *
 * The checker generates the records again instead of decoding JSON.
 */
#include <inttypes.h>
#include <nats/nats.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* HOSTILE_TEMPLATE is {hostname}.{appname|none}.{sd["a.b@1"].x} */
enum { FIELDS = 3, POINTS_MAX = 300, TOKEN_MAX = 64, SUBJECT_MAX = 256, LINE_MAX_LEN = 1 << 16 };
static const char *const defaults[FIELDS] = {"_", "none", "_"};

static const uint32_t replacement = 0xFFFD;
static const int64_t idle_ms = 60000;

struct value {
    bool is_null; /* or of another type */
    unsigned count;
    uint32_t points[POINTS_MAX];
};

struct record {
    struct value values[FIELDS];
    char line[LINE_MAX_LEN];
    size_t len;
};

/* Random numbers (SplitMix64), one sequence for each record */

static uint64_t state;

static uint64_t random_next(void)
{
    uint64_t z = state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static uint32_t random_below(uint32_t n)
{
    return (uint32_t)((random_next() >> 32) * n >> 32);
}

/* Output */

static void put_text(struct record *r, const char *text)
{
    size_t len = strlen(text);
    memcpy(r->line + r->len, text, len);
    r->len += len;
}

static size_t encode_utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (char)(0xC0 | c >> 6);
        to[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        to[0] = (char)(0xE0 | c >> 12);
        to[1] = (char)(0x80 | (c >> 6 & 0x3F));
        to[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    to[0] = (char)(0xF0 | c >> 18);
    to[1] = (char)(0x80 | (c >> 12 & 0x3F));
    to[2] = (char)(0x80 | (c >> 6 & 0x3F));
    to[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

static void put_escape(struct record *r, uint32_t unit)
{
    static const char *const digits[] = {"0123456789abcdef", "0123456789ABCDEF"};
    const char *hex = digits[random_below(2)];
    char text[] = {
        '\\',           'u', hex[unit >> 12 & 15], hex[unit >> 8 & 15], hex[unit >> 4 & 15],
        hex[unit & 15], '\0'};
    put_text(r, text);
}

/* Writes a character in one of the forms that JSON allows. */
static void put_point(struct record *r, uint32_t c)
{
    static const char named[] = "\"\\/\b\f\n\r\t";
    static const char names[] = "\"\\/bfnrt";
    const char *name = c && c < 0x80 ? strchr(named, (int)c) : NULL;
    if (name && random_below(2)) {
        char text[] = {'\\', names[name - named], '\0'};
        put_text(r, text);
    } else if (c < ' ' || c == '"' || c == '\\' || random_below(8) == 0) {
        if (c >= 0x10000) {
            put_escape(r, 0xD800 + ((c - 0x10000) >> 10));
            put_escape(r, 0xDC00 + (c & 0x3FF));
        } else {
            put_escape(r, c);
        }
    } else {
        r->len += encode_utf8(r->line + r->len, c);
    }
}

static uint32_t random_point(void)
{
    static const uint32_t special[] = {
        '.',    '*',    '>',    ' ',    '\r',   '\n',   '\t',   0,      127,    '$',    '_',
        '"',    '\\',   '/',    '{',    '}',    0x80,   0x85,   0x9F,   0xA0,   0xA1,   0x1680,
        0x2000, 0x200A, 0x200B, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0xFEFF, 0xFFFD, 0x10FFFF};
    switch (random_below(8)) {
    case 0:
        return special[random_below(sizeof special / sizeof *special)];
    case 1:
        return random_below(0x100);
    case 2:
        return 0x80 + random_below(0x780);
    case 3: {
        uint32_t c = random_below(0x10000);
        return c >= 0xD800 && c < 0xE000 ? replacement : c;
    }
    case 4:
        return 0x10000 + random_below(0x100000);
    default:
        return ' ' + random_below(95);
    }
}

static void add_point(struct value *v, uint32_t c)
{
    v->points[v->count++] = c;
}

static void add_text(struct value *v, const char *text)
{
    for (; *text && v->count < POINTS_MAX; text++)
        add_point(v, (unsigned char)*text);
}

/* A string that is an attack, empty, or of 1 to 300 random characters. */
static void put_string(struct record *r, struct value *v)
{
    static const char *const attacks[] = {"$SYS.REQ.SERVER.PING",
                                          "$JS.API.STREAM.DELETE.logs",
                                          "$SYS",
                                          "_INBOX",
                                          "_INBOX.x",
                                          ">",
                                          "*",
                                          ".",
                                          "..",
                                          "a 0\r\n\r\nPUB evil 4\r\nevil\r\n",
                                          "\r\nSUB > 1\r\n",
                                          "{hostname}",
                                          "-"};
    v->count = 0;
    put_text(r, "\"");
    if (random_below(8) == 0) {
        add_text(v, attacks[random_below(sizeof attacks / sizeof *attacks)]);
        for (unsigned i = 0; i < v->count; i++)
            put_point(r, v->points[i]);
        put_text(r, "\"");
        return;
    }
    unsigned count = random_below(random_below(2) ? 12 : POINTS_MAX + 1);
    bool plain = random_below(4) == 0;
    while (v->count < count) {
        if (random_below(64) == 0) { /* half of a surrogate pair, and a character that ends it */
            put_escape(r, (random_below(2) ? 0xD800 : 0xDC00) + random_below(0x400));
            add_point(v, replacement);
            if (v->count < count) {
                add_point(v, '!');
                put_text(r, "!");
            }
            continue;
        }
        uint32_t c = plain ? 'a' + random_below(26) : random_point();
        add_point(v, c);
        put_point(r, c);
    }
    put_text(r, "\"");
}

static void put_other(struct record *r, struct value *v)
{
    static const char *const scalars[] = {"0", "-1.5e+300", "18895", "true", "false", "1.25"};
    static const char *const empty[] = {"null", "[]", "{}", "[\"a\",\"b\"]", "{\"x\":\"y\"}"};
    v->is_null = random_below(2);
    v->count = 0;
    if (v->is_null) {
        put_text(r, empty[random_below(sizeof empty / sizeof *empty)]);
        return;
    }
    const char *text = scalars[random_below(sizeof scalars / sizeof *scalars)];
    put_text(r, text);
    add_text(v, text);
}

static void put_space(struct record *r)
{
    static const char *const spaces[] = {" ", "\t", "\r", "  "};
    if (random_below(16) == 0)
        put_text(r, spaces[random_below(4)]);
}

static void put_name(struct record *r, const char *name)
{
    put_space(r);
    put_text(r, "\"");
    put_text(r, name);
    put_text(r, "\"");
    put_space(r);
    put_text(r, ":");
    put_space(r);
}

static void put_value(struct record *r, struct value *v)
{
    v->is_null = false;
    if (random_below(8) == 0)
        put_other(r, v);
    else
        put_string(r, v);
    put_space(r);
}

/* A member that must not be taken for one of the fields. */
static void put_decoy(struct record *r)
{
    static struct value ignored;
    static const char *const names[] = {"hostnam", "hostname2", "HOSTNAME", "host\\u006eame",
                                        "",        "x",         "a.b@1",    "sd.a"};
    switch (random_below(4)) {
    case 0:
        put_text(r, ",\"msg\":\"{\\\"hostname\\\":\\\"evil\\\"}\\\\\"");
        break;
    case 1:
        put_text(r, ",\"o\":{\"hostname\":\"evil\",\"a\":[{\"appname\":\"evil\"},\"]}\\\"\"]}");
        break;
    default:
        put_text(r, ",");
        put_name(r, names[random_below(sizeof names / sizeof *names)]);
        put_value(r, &ignored);
    }
}

static void put_sd(struct record *r, struct value *v)
{
    put_name(r, "sd");
    put_text(r, "{");
    if (random_below(2))
        put_text(r, "\"b@1\":{\"x\":\"evil\"},");
    put_name(r, "a.b@1");
    put_text(r, random_below(2) ? "{" : "{\"y\":\"evil\",");
    put_name(r, "x");
    put_value(r, v);
    put_text(r, "}}");
}

static void make_record(struct record *r, uint64_t seed, uint64_t number)
{
    static struct value second;
    char head[64];
    state = seed * UINT64_C(0xD1342543DE82EF95) + number;
    r->len = 0;
    snprintf(head, sizeof head, "{\"n\":%" PRIu64, number);
    put_text(r, head);
    unsigned missing = random_below(32); /* the field of this number, if there is one */
    for (unsigned i = 0; i < FIELDS; i++)
        r->values[i] = (struct value){.is_null = true};
    for (unsigned i = 0; i < FIELDS; i++) {
        if (random_below(4) == 0)
            put_decoy(r);
        if (i == missing)
            continue;
        put_text(r, ",");
        if (i == 2) {
            put_sd(r, &r->values[i]);
        } else {
            put_name(r, i ? "appname" : "hostname");
            put_value(r, &r->values[i]);
        }
    }
    if (missing >= FIELDS && random_below(16) == 0) { /* of equal names the first counts */
        put_text(r, ",");
        put_name(r, "hostname");
        put_value(r, &second);
    }
    put_text(r, "}");
}

/* The rules of shnek-pub(1) */

static bool is_replaced(uint32_t c)
{
    return c <= ' ' || c == '.' || c == '*' || c == '>' || (c >= 0x7F && c <= 0xA0) ||
           c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000;
}

static size_t expected_token(char *to, const struct value *v, const char *if_empty)
{
    size_t len = 0;
    for (unsigned i = 0; !v->is_null && i < v->count; i++) {
        char utf8[4];
        size_t n = encode_utf8(utf8, is_replaced(v->points[i]) ? '_' : v->points[i]);
        if (len + n > TOKEN_MAX)
            break;
        memcpy(to + len, utf8, n);
        len += n;
    }
    if (len)
        return len;
    memcpy(to, if_empty, strlen(if_empty));
    return strlen(if_empty);
}

/* At most 3 * 64 + 2 bytes, so the limit of a subject is not reached. */
static void expected_subject(char *to, const struct record *r)
{
    char *start = to;
    for (unsigned i = 0; i < FIELDS; i++) {
        to += expected_token(to, &r->values[i], defaults[i]);
        *to++ = i + 1 < FIELDS ? '.' : '\0';
    }
    if (*start == '$')
        *start = '_';
    if (strncmp(start, "_INBOX.", strlen("_INBOX.")) == 0)
        memcpy(start, "_inbox", strlen("_inbox"));
}

/* Checking */

struct check {
    uint64_t count;
    uint64_t seed;
    uint64_t received;
    uint64_t wrong;
    uint64_t repeated;
    unsigned char *seen;
};

static _Noreturn void fail(const char *what, natsStatus s)
{
    fprintf(stderr, "hostile: %s: %s\n", what, natsStatus_GetText(s));
    exit(2);
}

static void report_wrong(struct check *c, const char *subject, const char *data, int len)
{
    if (c->wrong++ < 10)
        fprintf(stderr, "hostile: wrong subject or payload: %s %.*s\n", subject, len, data);
}

static void check_message(struct check *c, natsMsg *m)
{
    static struct record r;
    static char expected[SUBJECT_MAX];
    const char *data = natsMsg_GetData(m);
    int len = natsMsg_GetDataLength(m);
    uint64_t number = c->count;
    c->received++;
    if (len > 5 && memcmp(data, "{\"n\":", 5) == 0)
        number = strtoull(data + 5, NULL, 10);
    if (number >= c->count) {
        report_wrong(c, natsMsg_GetSubject(m), data, len);
        return;
    }
    c->repeated += c->seen[number];
    c->seen[number] = 1;
    make_record(&r, c->seed, number);
    expected_subject(expected, &r);
    if (strcmp(expected, natsMsg_GetSubject(m)) != 0 || (size_t)len != r.len ||
        memcmp(data, r.line, r.len) != 0)
        report_wrong(c, natsMsg_GetSubject(m), data, len);
}

static _Noreturn void check_records(struct check *c)
{
    natsConnection *connection;
    natsSubscription *subscription;
    natsMsg *m;
    natsStatus s = natsConnection_ConnectTo(&connection, getenv("NATS_URL"));
    if (s == NATS_OK)
        s = natsConnection_SubscribeSync(&subscription, connection, ">");
    if (s == NATS_OK)
        s = natsSubscription_SetPendingLimits(subscription, -1, -1);
    if (s == NATS_OK)
        s = natsConnection_FlushTimeout(connection, idle_ms);
    if (s != NATS_OK)
        fail("connect", s);
    fputs("ready\n", stderr);
    while (c->received < c->count &&
           natsSubscription_NextMsg(&m, subscription, idle_ms) == NATS_OK) {
        check_message(c, m);
        natsMsg_Destroy(m);
    }
    /* Messages that the server has sent in excess arrive before the PONG. */
    natsConnection_FlushTimeout(connection, idle_ms);
    while (natsSubscription_NextMsg(&m, subscription, 0) == NATS_OK) {
        check_message(c, m);
        natsMsg_Destroy(m);
    }
    printf("received: %" PRIu64 " of %" PRIu64 " wrong: %" PRIu64 " repeated: %" PRIu64 "\n",
           c->received, c->count, c->wrong, c->repeated);
    fflush(stdout);
    _exit(c->received != c->count || c->wrong || c->repeated);
}

static int generate(uint64_t count, uint64_t seed)
{
    static struct record r;
    for (uint64_t i = 0; i < count; i++) {
        make_record(&r, seed, i);
        r.line[r.len] = '\n';
        if (fwrite_unlocked(r.line, 1, r.len + 1, stdout) != r.len + 1)
            return 2;
    }
    return fflush(stdout) != 0 ? 2 : 0;
}

int main(int argc, char **argv)
{
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    if (count && strcmp(argv[1], "generate") == 0)
        return generate(count, seed);
    if (!count || strcmp(argv[1], "check") != 0) {
        fputs("usage: hostile generate|check COUNT [SEED]\n", stderr);
        return 2;
    }
    struct check c = {.count = count, .seed = seed, .seen = calloc(count, 1)};
    if (!c.seen)
        return 2;
    check_records(&c);
}
