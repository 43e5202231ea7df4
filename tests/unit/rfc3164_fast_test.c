/*
 * rfc3164_fast_test [ITERATIONS [SEED]]: passes messages to tests/fuzz/rfc3164_fast.c, which aborts
 * if the accelerator of RFC 3164 and the reference disagree: usual messages with each byte at each
 * position, messages of words that have a meaning somewhere, the messages of tests/data/, and
 * random changes of all these. The default run is deterministic.
 */

#include <glob.h>

#include "../fuzz/rfc3164_fast.h"
#include "unit.h"

enum { SEEDS = 4096, LONG = 512, ITERATIONS = 100000, CHOICES = 32 };

#ifdef SHNEK_NO_FAST_PATH
static const bool has_accelerator = false;
#else
static const bool has_accelerator = true;
#endif

static struct slice seeds[SEEDS];
static size_t seed_count;

static uint64_t state = UINT64_C(0x9E3779B97F4A7C15);

static size_t random_below(size_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (size_t)(state >> 11) % n;
}

/* The choice of the parser, and the message. */
struct text {
    char choice;
    char bytes[4 * LONG];
    size_t len;
};

static void text_check(struct text *t)
{
    LLVMFuzzerTestOneInput((const uint8_t *)&t->choice, t->len + 1);
}

static void text_append(struct text *t, const char *piece)
{
    size_t n = strlen(piece);
    if (t->len + n <= sizeof t->bytes) {
        memcpy(t->bytes + t->len, piece, n);
        t->len += n;
    }
}

static void text_set(struct text *t, struct slice bytes)
{
    t->choice = (char)random_below(CHOICES);
    t->len = bytes.len;
    memcpy(t->bytes, bytes.data, bytes.len);
}

static const char *const usual[] = {
    "<38>Nov 22 17:00:00 web1 sshd[4123]: Accepted publickey for joe from 192.0.2.1",
    "<6>Nov  2 17:00:00 web-1.example.com kernel: [12.3] eth0: link up",
    "<78>Nov 22 17:00:01 CRON[991]: (root) CMD (true)",
    "<13>Nov 22 17:00:00 root: hello from a user",
    "<22>Nov 22 17:00:00 192.0.2.7 postfix/smtpd[12]: connect from mail",
    "<22>Nov 22 17:00:00 Mail01 com.example.App: \xEF\xBB\xBFtext after a BOM, \"quoted\"",
    "<38>2026-11-22T17:00:00.123456+01:00 web1 sshd[4123]: Accepted publickey",
    "<38>2026-11-22T17:00:00Z WIN-DC1 app[1]: started",
    "<38>Nov 22 2026 17:00:00.5 web1 app: started",
    "<189>44: sw1: *Nov 22 17:00:00.123 CET: %SYS-5-CONFIG_I: Configured from console by vty0",
    "<189>29: *Mar  1 18:46:11.457: %LINK-3-UPDOWN: Interface Fa0/1, changed state to up",
    "<189>29: 000030: core-1: 000031: .Nov 22 17:00:00.123 UTC: %SYS-5-CONFIG_I: Configured",
    "<189>Nov 22 17:00:00.123: %LINEPROTO-5-UPDOWN: Line protocol on Interface Vlan1, up",
    "<187>: 2026 Nov 22 17:00:00 UTC: %ETHPORT-5-IF_UP: Interface Ethernet1/1 is up",
    "<166>Nov 22 2026 17:00:00: %ASA-6-302013: Built outbound TCP connection 42"};
enum { USUAL = sizeof usual / sizeof *usual };

/* Words that mean something somewhere, also in other places than these. */
static const char *const times[] = {
    "Nov 22 17:00:",      "Nov 22 17:00:",     "Nov 22 17:01:",     "Oct 25 02:30:",
    "Feb 29 02:00:",      "May 24 05:00:",     "Dec 31 23:59:",     "Nov 22 2026 17:00:",
    "2026 Nov 22 17:00:", "2026-11-22T17:00:", "2026-10-25T02:00:", "2026-11-22 17:00:",
    "Nov 22 12:15:",      "Nov 22 00:15:",     "Nov 32 17:00:",     "Nov 22 24:00:"};
static const char *const zones[] = {"",          "",      "",       "",       " CET",    " UTC",
                                    " HQ",       " CST",  "Z",      "+01:00", "-05:30",  " PM",
                                    " AM",       " pm",   " AEDT",  " GMT+1", " TZ-6",   " 2026",
                                    " UTC 2026", "+0100", "+25:00", " MSK",   " ABCDEF", " +02:00"};
static const char *const words[] = {"web1",
                                    "web1",
                                    "web-1.example.com",
                                    "192.0.2.1",
                                    "gateway",
                                    "Mail01",
                                    "WIN-DC1",
                                    "my_host",
                                    "sw1",
                                    "info",
                                    "ERROR",
                                    "warning",
                                    "Notice",
                                    "panic",
                                    "user.err",
                                    "daemon.info",
                                    "security.warn",
                                    "local4.err",
                                    "web.info",
                                    "CET",
                                    "MSK",
                                    "EST",
                                    "UTC",
                                    "GMT",
                                    "GMT-5",
                                    "UTC+01",
                                    "TZ-6",
                                    "Z",
                                    "z",
                                    "AM",
                                    "pm",
                                    "PM.250",
                                    "PM-AP7",
                                    "2026",
                                    "1850",
                                    "42",
                                    "17.5",
                                    "1.2.3.4.5",
                                    "2026-11-22",
                                    "17:00:00",
                                    "Nov 22 17:00:00",
                                    "*Nov 22 17:00:00.1:",
                                    "2026-11-22T17:00:00Z",
                                    "44:",
                                    "44: 45:",
                                    "Message forwarded from",
                                    "Forwarded from",
                                    "last message repeated",
                                    "message repeated",
                                    "-- MARK --",
                                    "-",
                                    ":",
                                    "%$VDC-1%$",
                                    "RP/0/RSP0/CPU0:",
                                    "*spamApTask4:",
                                    "3d04h:",
                                    "1w2d:",
                                    "CEF:0|a",
                                    "LEEF:1.0|a",
                                    "{\"a\":1}",
                                    "a=b",
                                    "1,2",
                                    "system,info",
                                    "wireless,info,debug",
                                    "02aabbccddee,U6-1.2+3:",
                                    "U7PG2,788a20000000,v4.3:",
                                    "788a20000000",
                                    "MSWinEventLog\t1",
                                    "fe80::1",
                                    "[2001:db8::1]",
                                    "m\xC3\xBCller",
                                    "a@b/1.2.3.4",
                                    "fpc0",
                                    "web1.",
                                    ".web1",
                                    "w",
                                    "http://a/",
                                    "db::pool",
                                    "web1:",
                                    "WEB1",
                                    "web1.example.com",
                                    "a-host-with-a-name-of-more-than-32-bytes.example.com"};
static const char *const tags[] = {"sshd[1]:",
                                   "sshd[4123]:",
                                   "kernel:",
                                   "app:",
                                   "CRON[1]:",
                                   "CRON:",
                                   "postfix/smtpd[12]:",
                                   "getty@tty1[8]:",
                                   "info:",
                                   "error[3]:",
                                   "ERROR:",
                                   "user.err:",
                                   "CEF:",
                                   "CEF: 0|",
                                   "LEEF:",
                                   "LEEF: 1.0|",
                                   "web1:",
                                   "app[web.1]:",
                                   "app[]:",
                                   "app[1]",
                                   "app[1]:x",
                                   "app:x",
                                   "app:{",
                                   "app:[",
                                   "a<0.1>:",
                                   "a<0.1>[2]:",
                                   "(sd-pam)[9]:",
                                   "PM:",
                                   "PM.2a[1]:",
                                   "CET:",
                                   "z:",
                                   "2026:",
                                   "app[123456789012345678901]:",
                                   "%SYS-5-CONFIG_I:",
                                   "%SYS-5-CONFIG_I :",
                                   "%SYS-5-CONFIG_I",
                                   "%%01IFNET/4/UP(l)[5]:",
                                   "%LINK-3-UPDOWN:",
                                   "%A:",
                                   "%A-9-X:",
                                   "%FW-6-a.b:",
                                   "%ASA-session-6-302013:",
                                   "%s:",
                                   "ios-xr[3]:",
                                   "app :",
                                   "app[1] :",
                                   "Nov:"};
static const char *const texts[] = {"text",
                                    "Accepted publickey for joe from 192.0.2.1 port 51012",
                                    "%SYS-5-CONFIG_I: text",
                                    ": %A-1-A: m",
                                    ": text",
                                    " indented",
                                    " %SYS-5-CONFIG_I: text",
                                    "",
                                    "\xEF\xBB\xBFtext",
                                    "CEF:0|a",
                                    "app: text",
                                    "web1: text",
                                    "44: *Nov 22 17:00:00: %SYS-5-CONFIG_I: text",
                                    "Nov 22 17:00:00: %SYS-5-CONFIG_I: text",
                                    "message repeated 2 times: [ a]",
                                    "-- MARK --",
                                    "{\"a\":1}",
                                    "a=b",
                                    "1,2,3",
                                    "error: text",
                                    "\t%A-1-A: m"};

#define CHOOSE(list) list[random_below(sizeof list / sizeof *list)]

static void append_time(struct text *t)
{
    static const char *const seconds[] = {"00", "29", "30", "31", "59", "60", "5", "07"};
    static const char *const fractions[] = {"",        "",          "",           ".1", ".123",
                                            ".123456", ".12345678", ".123456789", ".",  ",5"};
    static const char *const marks[] = {"", "", "", "", "", "", "*", "."};
    text_append(t, CHOOSE(marks));
    text_append(t, CHOOSE(times));
    text_append(t, seconds[random_below(random_below(4) ? 5 : 8)]);
    text_append(t, CHOOSE(fractions));
    text_append(t, CHOOSE(zones));
}

static void append_blank(struct text *t)
{
    static const char *const blanks[] = {"  ", "\t", "", ": "};
    text_append(t, random_below(24) ? " " : CHOOSE(blanks));
}

/* A message of such words, in an order that is sometimes usual. */
static void generate(struct text *t)
{
    static const char *const priorities[] = {"<38>",  "<38>",  "<189>", "<0>",   "<191>",
                                             "<192>", "<034>", "",      "<13> ", "<13>1 "};
    static const char *const counters[] = {
        "",   "",      "",        "44: ", "44: ", "1: 2: ", "1: 2: 3: ", "1: 2: 3: 4: ",
        ": ", "44:  ", "000123: "};
    t->choice = (char)random_below(CHOICES);
    t->len = 0;
    text_append(t, priorities[random_below(random_below(4) ? 3 : 10)]);
    bool cisco = random_below(4) == 0;
    if (cisco) {
        text_append(t, CHOOSE(counters));
        if (random_below(2)) {
            text_append(t, CHOOSE(words));
            text_append(t, random_below(8) ? ": " : " ");
            if (random_below(4) == 0)
                text_append(t, CHOOSE(counters));
        }
    }
    append_time(t);
    text_append(t, cisco && random_below(8) ? ":" : "");
    append_blank(t);
    for (size_t n = random_below(8); n > 5 || (n && !cisco && t->len < 100);
         n = n > 5 ? n - 6 : 0) {
        text_append(t, CHOOSE(words));
        append_blank(t);
    }
    text_append(t, cisco && random_below(4) ? "%SYS-5-CONFIG_I:" : CHOOSE(tags));
    append_blank(t);
    text_append(t, CHOOSE(texts));
}

static void text_replace(struct text *t, size_t pos, size_t n, struct slice with)
{
    if (t->len - n + with.len > LONG)
        return;
    memmove(t->bytes + pos + with.len, t->bytes + pos + n, t->len - pos - n);
    memcpy(t->bytes + pos, with.data, with.len);
    t->len += with.len - n;
}

/* The position of a random word, and its length. */
static size_t text_word(const struct text *t, size_t *len)
{
    size_t pos = random_below(t->len + 1);
    while (pos > 0 && t->bytes[pos - 1] != ' ')
        pos--;
    const char *blank = memchr(t->bytes + pos, ' ', t->len - pos);
    *len = (blank ? (size_t)(blank - t->bytes) : t->len) - pos;
    return pos;
}

/* Flips, replaces, inserts or removes a byte; truncates, splices; inserts, replaces, removes or
 * repeats a word. */
static void mutate(struct text *t)
{
    static const char special[] = " \t:[]%<>*.,-+/_@{=\"\\0129azAZ\xEF\x80";
    char copy[LONG];
    size_t pos = random_below(t->len + 1);
    size_t word_len;
    size_t word = text_word(t, &word_len);
    char byte = special[random_below(sizeof special)];
    struct slice other = seeds[random_below(seed_count)];
    const char *piece = random_below(2)   ? CHOOSE(words)
                        : random_below(2) ? CHOOSE(tags)
                                          : CHOOSE(zones);
    size_t rest = t->len - pos;
    switch (random_below(10)) {
    case 0:
        if (rest)
            t->bytes[pos] = (char)((unsigned char)t->bytes[pos] ^ 1U << random_below(8));
        break;
    case 1:
        text_replace(t, pos, rest ? 1 : 0, (struct slice){&byte, 1});
        break;
    case 2:
        text_replace(t, pos, 0, (struct slice){&byte, 1});
        break;
    case 3:
        text_replace(t, pos, rest < 3 ? rest : 1 + random_below(3), (struct slice){"", 0});
        break;
    case 4:
        t->len = random_below(3) ? t->len : pos;
        break;
    case 5:
        if (other.len > pos)
            text_replace(t, pos, rest, (struct slice){other.data + pos, other.len - pos});
        break;
    case 6:
        text_replace(t, word, word_len, (struct slice){piece, strlen(piece)});
        break;
    case 7:
        text_replace(t, word, 0, (struct slice){" ", 1});
        text_replace(t, word, 0, (struct slice){piece, strlen(piece)});
        break;
    case 8:
        text_replace(t, word, word + word_len < t->len ? word_len + 1 : word_len,
                     (struct slice){"", 0});
        break;
    default:
        if (word + word_len < t->len && word_len < sizeof copy) {
            memcpy(copy, t->bytes + word, word_len + 1);
            text_replace(t, word, 0, (struct slice){copy, word_len + 1});
        }
    }
}

static void seed_add(struct slice bytes)
{
    char *copy = malloc(bytes.len + 1);
    if (!copy)
        abort();
    memcpy(copy, bytes.data, bytes.len);
    seeds[seed_count++] = (struct slice){copy, bytes.len};
}

static void read_cases(void)
{
    glob_t files;
    if (glob("tests/data/*.cases", 0, NULL, &files) != 0)
        return;
    for (size_t i = 0; i < files.gl_pathc; i++) {
        FILE *table = unit_table(files.gl_pathv[i]);
        struct unit_case c;
        while (unit_next_case(table, &c)) {
            if (c.input.len < LONG && seed_count < SEEDS - USUAL)
                seed_add(c.input);
            unit_case_free(&c);
        }
        fclose(table);
    }
    globfree(&files);
}

/* All usual messages are accepted in each time zone, and each byte at each position, and each
 * length of them, returns what the reference does. */
static void vary_usual_messages(void)
{
    struct text t;
    for (size_t i = 0; i < USUAL; i++) {
        struct slice message = {usual[i], strlen(usual[i])};
        text_set(&t, message);
        unsigned long before = rfc3164_fast_accepted;
        for (t.choice = 0; t.choice < CHOICES; t.choice++)
            text_check(&t);
        t.choice = 0;
        unsigned long accepted = rfc3164_fast_accepted - before;
        unit(accepted == (has_accelerator ? CHOICES : 0), "%s: accepted %lu times", usual[i],
             accepted);
        for (size_t pos = 0; pos < message.len; pos++) {
            for (int byte = 0; byte < 256; byte++) {
                t.bytes[pos] = (char)byte;
                text_check(&t);
            }
            t.bytes[pos] = message.data[pos];
            text_check(&t);
        }
        for (t.len = 0; t.len < message.len; t.len++)
            text_check(&t);
    }
}

/* Each second of the minutes in which the year or the offset changes, and after each other one. */
static void check_seconds(void)
{
    static const char *const minutes[] = {"Nov 22 17:00",    "Oct 25 02:30", "May 24 05:00",
                                          "Oct 25 02:59",    "Mar 29 02:00", "Nov 22 2026 17:00",
                                          "2026-10-25T02:30"};
    struct text t;
    unsigned long before = rfc3164_fast_accepted;
    for (size_t i = 0; i < sizeof minutes / sizeof *minutes; i++) {
        for (int second = 0; second < 3600; second++) {
            int n = snprintf(t.bytes, sizeof t.bytes, "<13>%s:%02d web1 app[1]: a text", minutes[i],
                             second % 60);
            t.len = (size_t)n;
            t.choice = (char)(second / 60 % CHOICES);
            text_check(&t);
        }
    }
    unsigned long accepted = rfc3164_fast_accepted - before;
    unit(!has_accelerator || accepted > 20000, "only %lu times are accepted", accepted);
}

static void mutate_messages(unsigned long iterations)
{
    struct text t;
    unsigned long before = rfc3164_fast_accepted;
    for (unsigned long i = 0; i < iterations; i++) {
        if (random_below(2))
            generate(&t);
        else
            text_set(&t, seeds[random_below(2) ? seed_count - 1 - random_below(USUAL)
                                               : random_below(seed_count)]);
        for (size_t n = random_below(4); n; n--)
            mutate(&t);
        text_check(&t);
    }
    unsigned long accepted = rfc3164_fast_accepted - before;
    unit(!has_accelerator || accepted > iterations / 10, "only %lu of %lu are accepted", accepted,
         iterations);
}

int main(int argc, char **argv)
{
    if (argc > 2)
        state ^= strtoul(argv[2], NULL, 10) << 17;
    read_cases();
    unit(seed_count > 400, "only %zu messages in tests/data", seed_count);
    for (size_t i = 0; i < USUAL; i++)
        seed_add((struct slice){usual[i], strlen(usual[i])});
    vary_usual_messages();
    check_seconds();
    mutate_messages(argc > 1 ? strtoul(argv[1], NULL, 10) : ITERATIONS);
    printf("rfc3164_fast: the accelerator accepted %lu messages\n", rfc3164_fast_accepted);
    while (seed_count)
        free((void *)(uintptr_t)seeds[--seed_count].data);
    return unit_end("rfc3164_fast");
}
