#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/byte-scan.h"
#include "base/clock.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "base/options.h"
#include "load/profile.h"
#include "syslog/pri.h"
#include "verify/options.h"

static const char help[] =
    "usage: spamlog [options] [DESTINATION]              writes syslog messages\n"
    "       spamlog --verify [options] [FILE...]         reads them back, and reports\n"
    "DESTINATION is tcp://HOST:PORT, or tls://, udp://, unix:PATH, unixgram:PATH, -.\n"
    "  -r, --rate=RATE            max, N[/DURATION] or A..B/DURATION           [1/s]\n"
    "      --burst=N/DURATION, --arrivals=even|poisson      at once; by chance [even]\n"
    "  -n, --count=COUNT, -d, --duration=DURATION  stop after that many, or that time\n"
    "  -c, --connections=COUNT, --idle-connections=COUNT    that send [1]; silent [0]\n"
    "      --reconnect-every=COUNT, --slow=SIZE/s     messages, bytes of a connection\n"
    "  -f, --format=rfc5424|rfc3164, -F, --framing=newline|octet  [rfc5424, newline]\n"
    "  -m, --message=TEXT         MSG                                 [hello from C!]\n"
    "      --size=SIZE, --sizes=A..B, --seed=N   of a message; by chance; the same\n"
    "  -p, --priority=PRI         a number or FACILITY.SEVERITY           [auth.crit]\n"
    "      --bad=RATIO[:KIND,...]    how many are bad, and in which ways    [0, all]\n"
    "      --profile=plain|mixed|FILE, --fresh=time,host,counter  lines with new ones\n"
    "      --hostname=NAME, --appname=NAME, --procid=ID     [this host, spamlog, pid]\n"
    "      --msgid=ID, --sd=SD, --timestamp=TIME   [counts from 0, -, when it is due]\n"
    "      --checksum, --run=ID   add a checksum, and the run's name         [random]\n"
    "      --tls-cert=, --tls-key=, --tls-ca=FILE, --tls-peer=NAME|sha256:FINGERPRINT\n"
    "      --verify, --expect=COUNT, --idle=DURATION    of so many; end at a silence\n"
    "      --find-max, --latency=DURATION  the highest rate; p99's limit there [10ms]\n"
    "      --csv=FILE, --plot=FILE, --json[=FILE], --hgrm=FILE  rows, drawn; reports\n"
    "      --stats[=DURATION], -q, --quiet  print counters [1s]; no report at the end\n"
    "  -h, --help, -V, --version   SIZE takes k, M, G; COUNT k, M; DURATION us to h\n"
    "Status: 0 all was sent, or came whole and once; 1 it did not; 2 failed.\n";

enum {
    OPTION_SIZE = 256,
    OPTION_HOSTNAME,
    OPTION_APPNAME,
    OPTION_PROCID,
    OPTION_MSGID,
    OPTION_SD,
    OPTION_TIMESTAMP,
    OPTION_TLS_CERT,
    OPTION_TLS_KEY,
    OPTION_TLS_CA,
    OPTION_TLS_PEER,
    OPTION_STATS,
    OPTION_BURST,
    OPTION_ARRIVALS,
    OPTION_SIZES,
    OPTION_SEED,
    OPTION_RECONNECT_EVERY,
    OPTION_IDLE_CONNECTIONS,
    OPTION_SLOW,
    OPTION_BAD,
    OPTION_PROFILE,
    OPTION_FRESH,
    OPTION_CHECKSUM,
    OPTION_RUN,
    OPTION_VERIFY,
    OPTION_EXPECT,
    OPTION_IDLE,
    OPTION_FIND_MAX,
    OPTION_LATENCY,
    OPTION_CSV,
    OPTION_JSON,
    OPTION_PLOT,
    OPTION_HGRM
};

static const struct option options[] = {
    {"rate", required_argument, NULL, 'r'},
    {"count", required_argument, NULL, 'n'},
    {"duration", required_argument, NULL, 'd'},
    {"connections", required_argument, NULL, 'c'},
    {"format", required_argument, NULL, 'f'},
    {"framing", required_argument, NULL, 'F'},
    {"message", required_argument, NULL, 'm'},
    {"size", required_argument, NULL, OPTION_SIZE},
    {"priority", required_argument, NULL, 'p'},
    {"hostname", required_argument, NULL, OPTION_HOSTNAME},
    {"appname", required_argument, NULL, OPTION_APPNAME},
    {"procid", required_argument, NULL, OPTION_PROCID},
    {"msgid", required_argument, NULL, OPTION_MSGID},
    {"sd", required_argument, NULL, OPTION_SD},
    {"timestamp", required_argument, NULL, OPTION_TIMESTAMP},
    {"tls-cert", required_argument, NULL, OPTION_TLS_CERT},
    {"tls-key", required_argument, NULL, OPTION_TLS_KEY},
    {"tls-ca", required_argument, NULL, OPTION_TLS_CA},
    {"tls-peer", required_argument, NULL, OPTION_TLS_PEER},
    {"burst", required_argument, NULL, OPTION_BURST},
    {"arrivals", required_argument, NULL, OPTION_ARRIVALS},
    {"sizes", required_argument, NULL, OPTION_SIZES},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"reconnect-every", required_argument, NULL, OPTION_RECONNECT_EVERY},
    {"idle-connections", required_argument, NULL, OPTION_IDLE_CONNECTIONS},
    {"slow", required_argument, NULL, OPTION_SLOW},
    {"bad", required_argument, NULL, OPTION_BAD},
    {"profile", required_argument, NULL, OPTION_PROFILE},
    {"fresh", required_argument, NULL, OPTION_FRESH},
    {"stats", optional_argument, NULL, OPTION_STATS},
    {"checksum", no_argument, NULL, OPTION_CHECKSUM},
    {"run", required_argument, NULL, OPTION_RUN},
    {"verify", no_argument, NULL, OPTION_VERIFY},
    {"expect", required_argument, NULL, OPTION_EXPECT},
    {"idle", required_argument, NULL, OPTION_IDLE},
    {"find-max", no_argument, NULL, OPTION_FIND_MAX},
    {"latency", required_argument, NULL, OPTION_LATENCY},
    {"csv", required_argument, NULL, OPTION_CSV},
    {"json", optional_argument, NULL, OPTION_JSON},
    {"plot", required_argument, NULL, OPTION_PLOT},
    {"hgrm", required_argument, NULL, OPTION_HGRM},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {0}};

static const char *const framings[] = {"newline", "octet", NULL};
static const char *const formats[] = {"rfc5424", "rfc3164", NULL};

static bool set_priority(struct load_config *c, const char *text)
{
    if (pri_from_name(text, &c->message.pri))
        return true;
    log_printf("--priority: '%s' is not a number up to 191, or FACILITY.SEVERITY", text);
    return false;
}

static bool set_sizes(struct message_config *c, const char *text)
{
    char low[32];
    const char *dots = strstr(text, "..");
    if (!dots || dots - text >= (int)sizeof low) {
        log_printf("--sizes: '%s' is not two sizes, as in 100..4k", text);
        return false;
    }
    snprintf(low, sizeof low, "%.*s", (int)(dots - text), text);
    return option_size("--sizes", low, 1, 1 << 30, &c->size) &&
           option_size("--sizes", dots + 2, c->size, 1 << 30, &c->size_max);
}

static bool set_format(struct load_config *c, const char *text)
{
    int choice;
    if (!option_choice("--format", text, formats, &choice))
        return false;
    c->message.format = choice == 1 ? MESSAGE_RFC3164 : MESSAGE_RFC5424;
    return true;
}

/* It stands within quotes, and where the report tells several runs apart. */
static bool set_run(struct load_config *c, const char *text)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t length = strlen(text);
    if (length == 0 || length > 32 || strspn(text, allowed) != length) {
        log_printf("--run: '%s' is not 1 to 32 letters, digits, dots, '_' and '-'", text);
        return false;
    }
    c->message.run = text;
    return c->message.checksum = true;
}

/* An option whose value is looked at later. NULL: it is none of those. */
static const char **plain_option(struct task *t, int option)
{
    struct message_config *m = &t->load.message;
    struct tls_config *tls = &t->load.destination.tls;
    switch (option) {
    case 'r':
        return &t->rate;
    case 'm':
        return &m->text;
    case OPTION_HOSTNAME:
        return &m->hostname;
    case OPTION_APPNAME:
        return &m->appname;
    case OPTION_PROCID:
        return &m->procid;
    case OPTION_MSGID:
        return &m->msgid;
    case OPTION_SD:
        return &t->sd;
    case OPTION_TIMESTAMP:
        return &m->timestamp;
    case OPTION_CSV:
        return &t->series.csv_path;
    case OPTION_PLOT:
        return &t->series.plot_path;
    case OPTION_HGRM:
        return &t->verify.hgrm;
    case OPTION_TLS_CERT:
        return &tls->cert;
    case OPTION_TLS_KEY:
        return &tls->key;
    case OPTION_TLS_CA:
        return &tls->ca;
    default:
        return NULL;
    }
}

/* Of the shape of the load. */
static bool set_shape_option(struct task *t, int option, const char *text)
{
    struct load_config *c = &t->load;
    switch (option) {
    case OPTION_BURST:
        t->burst_given = true;
        return arrivals_parse_burst(&c->arrivals, text);
    case OPTION_ARRIVALS:
        return arrivals_parse_process(&c->arrivals, text);
    case OPTION_RECONNECT_EVERY:
        return option_count("--reconnect-every", text, 1, UINT64_MAX, &c->senders.reconnect_after);
    case OPTION_IDLE_CONNECTIONS:
        return option_count("--idle-connections", text, 0, 100000, &c->senders.idle);
    case OPTION_SLOW:
        return throttle_parse(&c->senders.bytes_per_s, text);
    case OPTION_PROFILE:
        c->message.profile = strcmp(text, "plain") == 0 ? NULL : text;
        return true;
    case OPTION_FRESH:
        return profile_parse_fresh(&c->message, text);
    case OPTION_BAD:
        return malformed_parse(&c->malformed, text);
    case OPTION_SIZES:
        t->sizes_given = true;
        return set_sizes(&c->message, text);
    case OPTION_SEED:
        return option_count("--seed", text, 0, UINT64_MAX, &c->message.seed);
    default:
        return false;
    }
}

static bool set_option(struct task *t, int option, const char *text)
{
    static const uint64_t week = 7 * 24 * 3600 * NS_PER_S;
    struct load_config *c = &t->load;
    const char **plain = plain_option(t, option);
    if (plain) {
        *plain = text;
        return true;
    }
    switch (option) {
    case 'n':
        return option_count("--count", text, 1, UINT64_MAX, &c->count);
    case 'd':
        return option_duration("--duration", text, 1, 52 * week, &c->duration_ns);
    case 'c':
        return option_count("--connections", text, 1, 100000, &c->senders.count);
    case 'f':
        return set_format(c, text);
    case 'F':
        return option_choice("--framing", text, framings, &t->framing);
    case OPTION_SIZE:
        t->size_given = true;
        return option_size("--size", text, 1, 1 << 30, &c->message.size);
    case 'p':
        return set_priority(c, text);
    case OPTION_TLS_PEER:
        return tls_config_peer(&c->destination.tls, "--tls-peer", text);
    case OPTION_STATS:
        return option_stats(text, &c->stats_interval_ns);
    case OPTION_CHECKSUM:
        return c->message.checksum = true;
    case OPTION_RUN:
        return set_run(c, text);
    case OPTION_VERIFY:
        return t->verifying = true;
    case OPTION_EXPECT:
        return option_count("--expect", text, 1, UINT64_C(1000000000000000), &t->verify.expect);
    case OPTION_IDLE:
        return option_duration("--idle", text, 1, week, &t->verify.idle);
    case OPTION_JSON:
        t->json = text ? text : "";
        return true;
    case OPTION_FIND_MAX:
        return t->finding_max = true;
    case OPTION_LATENCY:
        return option_duration("--latency", text, 1000, week, &t->find_max.latency);
    case 'q':
        return c->quiet = true;
    default:
        return set_shape_option(t, option, text);
    }
}

/* The bit of enum message_field. */
static unsigned field_of(int option)
{
    switch (option) {
    case 'p':
        return MESSAGE_FIELD_PRI;
    case 'm':
        return MESSAGE_FIELD_TEXT;
    case OPTION_TIMESTAMP:
        return MESSAGE_FIELD_TIMESTAMP;
    case OPTION_HOSTNAME:
        return MESSAGE_FIELD_HOSTNAME;
    case OPTION_APPNAME:
        return MESSAGE_FIELD_APPNAME;
    case OPTION_PROCID:
        return MESSAGE_FIELD_PROCID;
    case OPTION_MSGID:
        return MESSAGE_FIELD_MSGID;
    case OPTION_SD:
        return MESSAGE_FIELD_SD;
    default:
        return 0;
    }
}

static bool set(struct task *t, int option, const char *text)
{
    t->load.message.given_fields |= field_of(option);
    switch (option) {
    case 'c':
    case 'q':
    case OPTION_STATS:
    case OPTION_CHECKSUM:
    case OPTION_IDLE:
    case OPTION_CSV:
    case OPTION_JSON:
    case OPTION_PLOT:
        break;
    case OPTION_VERIFY:
    case OPTION_EXPECT:
    case OPTION_HGRM:
        t->for_verify = true;
        break;
    default:
        t->for_load = true;
    }
    return set_option(t, option, text);
}

static bool read_options(int argc, char **argv, struct task *t, int *status)
{
    int option;
    bool good = true;
    argv[0] = program_invocation_short_name;
    while (good && (option = getopt_long(argc, argv, "r:n:d:c:f:F:m:p:qhV", options, NULL)) != -1) {
        if (option == 'h' || option == 'V') {
            *status = option == 'h' ? print_help(help) : print_version();
            return false;
        }
        good = set(t, option, optarg);
    }
    good = good && task_complete(t, argv + optind, argc - optind);
    if (!good)
        *status = print_usage_hint();
    return good;
}

/* A host without a name that RFC 5424 can carry has NILVALUE. */
static const char *own_hostname(char *name, size_t size)
{
    if (gethostname(name, size) != 0)
        return "-";
    name[size - 1] = '\0';
    const char *end = name + strlen(name);
    return end > name && scan_print(name, end) == end ? name : "-";
}

/* Nobody else's, most likely. */
static uint32_t own_seed(void)
{
    uint32_t seed;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
        seed = (uint32_t)clock_real();
    return seed;
}

static const char *own_run(char *name, size_t size)
{
    snprintf(name, size, "%08x", own_seed());
    return name;
}

int main(int argc, char **argv)
{
    char hostname[256];
    char procid[16];
    char run[16];
    snprintf(procid, sizeof procid, "%ld", (long)getpid());
    struct task task = {.load = {.message = {.pri = 34,
                                             .hostname = own_hostname(hostname, sizeof hostname),
                                             .appname = "spamlog",
                                             .procid = procid,
                                             .text = "hello from C!",
                                             .run = own_run(run, sizeof run),
                                             .seed = own_seed()},
                                 .arrivals = {.rate = {1, NS_PER_S}, .burst = 1},
                                 .senders = {.count = 1}},
                        .framing = FRAMING_BY_DESTINATION};
    int status;
    descriptors_reserve_standard();
    if (read_options(argc, argv, &task, &status))
        status = task.verifying     ? verify_run(&task.verify)
                 : task.finding_max ? find_max_run(&task.find_max)
                                    : load_run(&task.load);
    tls_config_free(&task.load.destination.tls);
    return status;
}
