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
#include "load/load.h"
#include "load/profile.h"
#include "load/proxy-header.h"
#include "spamlog-config.h"
#include "syslog/pri.h"

static const char help[] =
    "usage: spamlog [options] [DESTINATION]\n"
    "       spamlog --verify [options] [FILE...]\n"
    "       spamlog --find-max [options] DESTINATION [FILE]\n"
    "\n"
    "Sends syslog messages, verifies the messages that a receiver wrote to FILE, or\n"
    "finds the highest rate that a receiver sustains.\n"
    "DESTINATION is tcp://HOST:PORT, tls://HOST[:PORT], udp://HOST[:PORT], unix:PATH,\n"
    "unixgram:PATH or - for stdout [-].\n"
    "\n"
    "Load:\n"
    "  -r, --rate=RATE               Set the rate: max, N[/DURATION] or a ramp\n"
    "                                A..B/DURATION [1/s]\n"
    "      --burst=N/DURATION        Send N messages together every DURATION\n"
    "      --arrivals=even|poisson   Space messages evenly or randomly [even]\n"
    "  -n, --count=COUNT             Stop after COUNT messages [no limit]\n"
    "  -d, --duration=DURATION       Stop after DURATION [no limit]\n"
    "      --seed=N                  Repeat the random choices of a run [random]\n"
    "\n"
    "Messages:\n"
    "  -f, --format=FORMAT           Write rfc5424 or rfc3164 [rfc5424]\n"
    "  -F, --framing=FRAMING         Frame by newline or octet [newline; tls: octet]\n"
    "  -m, --message=TEXT            Set MSG [hello from C!]\n"
    "      --size=SIZE               Pad or truncate each message to SIZE\n"
    "      --sizes=A..B              Pad or truncate to random sizes from A to B\n"
    "  -p, --priority=PRI            Set PRI, 0 to 191 or FACILITY.SEVERITY\n"
    "                                [auth.crit]\n"
    "      --hostname=NAME           Set HOSTNAME [this host]\n"
    "      --appname=NAME            Set APP-NAME, or the TAG of RFC 3164 [spamlog]\n"
    "      --procid=ID               Set PROCID [process ID]\n"
    "      --msgid=ID                Set MSGID [number of the message, from 0]\n"
    "      --sd=SD                   Set STRUCTURED-DATA [-]\n"
    "      --timestamp=TIME          Set TIMESTAMP [when the message is due]\n"
    "      --profile=PROFILE         Send plain or mixed messages, or lines of a file\n"
    "                                [plain]\n"
    "      --fresh=PART,...          Replace time, host or counter of replayed lines\n"
    "      --bad=RATIO[:KIND,...]    Make a part of the messages malformed [0]\n"
    "      --checksum                Add a sequence number and a checksum\n"
    "      --run=ID                  Name the run, and add a checksum [random]\n"
    "\n"
    "Connections:\n"
    "  -c, --connections=COUNT       Send over COUNT connections [1]\n"
    "      --idle-connections=COUNT  Open more connections that stay silent [0]\n"
    "      --reconnect-every=COUNT   Reconnect after COUNT messages [never]\n"
    "      --reconnect               Reconnect if a connection breaks; count lost\n"
    "                                messages\n"
    "      --proxy-protocol=VERSION  Begin connections with a PROXY header, v1 or\n"
    "                                v2 [none]\n"
    "      --slow=SIZE[/s]           Limit each connection to SIZE bytes per second\n"
    "                                [no limit]\n"
    "\n"
    "TLS:\n"
    "      --tls-cert=FILE           Present this certificate chain\n"
    "      --tls-key=FILE            Read its private key from FILE [--tls-cert]\n"
    "      --tls-ca=FILE             Trust the CAs in FILE [those of the system]\n"
    "      --tls-peer=PEER           Require a certificate for PEER, a name or\n"
    "                                sha256:FINGERPRINT [HOST]\n"
    "      --tls-insecure            Accept any certificate\n"
    "\n"
    "Verify:\n"
    "      --verify                  Report loss, duplicates, reordering, damage and\n"
    "                                latency of the messages in FILE [stdin]\n"
    "      --expect=COUNT            Expect COUNT messages in total\n"
    "      --idle=DURATION           Stop after DURATION without input [never;\n"
    "                                1s with --find-max]\n"
    "\n"
    "Find maximum:\n"
    "      --find-max                Find the highest rate without loss or delay\n"
    "      --latency=DURATION        Limit the 99th percentile of latency [10ms]\n"
    "\n"
    "Report:\n"
    "      --csv=FILE                Write a row of CSV for each interval or trial\n"
    "      --plot=FILE               Plot the rows as SVG, with gnuplot\n"
    "      --interval=DURATION       Set the interval of the rows [1s; 200ms if\n"
    "                                there is only a plot]\n"
    "      --json[=FILE]             Write the report as JSON [stdout]\n"
    "      --hgrm=FILE               Write the latency histogram of --verify\n"
    "      --stats[=DURATION]        Print counters every DURATION [1s]\n"
    "  -q, --quiet                   Print no status line and no report\n"
    "\n"
    "General:\n"
    "  -h, --help                    Print this help\n"
    "  -V, --version                 Print the version\n"
    "\n"
    "SIZE accepts k, M and G (binary), COUNT k and M, DURATION us, ms, s, m and h.\n"
    "Exit status: 0 all messages were sent, or arrived undamaged; 1 some did not\n"
    "arrive undamaged, or no rate was found; 2 usage error or failure.\n";

enum {
    SPAMLOG_OPTION_SIZE = 256,
    SPAMLOG_OPTION_HOSTNAME,
    SPAMLOG_OPTION_APPNAME,
    SPAMLOG_OPTION_PROCID,
    SPAMLOG_OPTION_MSGID,
    SPAMLOG_OPTION_SD,
    SPAMLOG_OPTION_TIMESTAMP,
    SPAMLOG_OPTION_TLS_CERT,
    SPAMLOG_OPTION_TLS_KEY,
    SPAMLOG_OPTION_TLS_CA,
    SPAMLOG_OPTION_TLS_PEER,
    SPAMLOG_OPTION_STATS,
    SPAMLOG_OPTION_BURST,
    SPAMLOG_OPTION_ARRIVALS,
    SPAMLOG_OPTION_SIZES,
    SPAMLOG_OPTION_SEED,
    SPAMLOG_OPTION_RECONNECT_EVERY,
    SPAMLOG_OPTION_IDLE_CONNECTIONS,
    SPAMLOG_OPTION_SLOW,
    SPAMLOG_OPTION_BAD,
    SPAMLOG_OPTION_PROFILE,
    SPAMLOG_OPTION_FRESH,
    SPAMLOG_OPTION_CHECKSUM,
    SPAMLOG_OPTION_RUN,
    SPAMLOG_OPTION_VERIFY,
    SPAMLOG_OPTION_EXPECT,
    SPAMLOG_OPTION_IDLE,
    SPAMLOG_OPTION_FIND_MAX,
    SPAMLOG_OPTION_LATENCY,
    SPAMLOG_OPTION_CSV,
    SPAMLOG_OPTION_JSON,
    SPAMLOG_OPTION_PLOT,
    SPAMLOG_OPTION_HGRM,
    SPAMLOG_OPTION_INTERVAL,
    SPAMLOG_OPTION_RECONNECT,
    SPAMLOG_OPTION_TLS_INSECURE,
    SPAMLOG_OPTION_PROXY_PROTOCOL
};

static const struct option options[] = {
    {"rate", required_argument, NULL, 'r'},
    {"count", required_argument, NULL, 'n'},
    {"duration", required_argument, NULL, 'd'},
    {"connections", required_argument, NULL, 'c'},
    {"format", required_argument, NULL, 'f'},
    {"framing", required_argument, NULL, 'F'},
    {"message", required_argument, NULL, 'm'},
    {"size", required_argument, NULL, SPAMLOG_OPTION_SIZE},
    {"priority", required_argument, NULL, 'p'},
    {"hostname", required_argument, NULL, SPAMLOG_OPTION_HOSTNAME},
    {"appname", required_argument, NULL, SPAMLOG_OPTION_APPNAME},
    {"procid", required_argument, NULL, SPAMLOG_OPTION_PROCID},
    {"msgid", required_argument, NULL, SPAMLOG_OPTION_MSGID},
    {"sd", required_argument, NULL, SPAMLOG_OPTION_SD},
    {"timestamp", required_argument, NULL, SPAMLOG_OPTION_TIMESTAMP},
    {"tls-cert", required_argument, NULL, SPAMLOG_OPTION_TLS_CERT},
    {"tls-key", required_argument, NULL, SPAMLOG_OPTION_TLS_KEY},
    {"tls-ca", required_argument, NULL, SPAMLOG_OPTION_TLS_CA},
    {"tlscert", required_argument, NULL, SPAMLOG_OPTION_TLS_CERT},
    {"tlskey", required_argument, NULL, SPAMLOG_OPTION_TLS_KEY},
    {"tlsca", required_argument, NULL, SPAMLOG_OPTION_TLS_CA},
    {"tls-peer", required_argument, NULL, SPAMLOG_OPTION_TLS_PEER},
    {"burst", required_argument, NULL, SPAMLOG_OPTION_BURST},
    {"arrivals", required_argument, NULL, SPAMLOG_OPTION_ARRIVALS},
    {"sizes", required_argument, NULL, SPAMLOG_OPTION_SIZES},
    {"seed", required_argument, NULL, SPAMLOG_OPTION_SEED},
    {"reconnect-every", required_argument, NULL, SPAMLOG_OPTION_RECONNECT_EVERY},
    {"idle-connections", required_argument, NULL, SPAMLOG_OPTION_IDLE_CONNECTIONS},
    {"slow", required_argument, NULL, SPAMLOG_OPTION_SLOW},
    {"bad", required_argument, NULL, SPAMLOG_OPTION_BAD},
    {"profile", required_argument, NULL, SPAMLOG_OPTION_PROFILE},
    {"fresh", required_argument, NULL, SPAMLOG_OPTION_FRESH},
    {"stats", optional_argument, NULL, SPAMLOG_OPTION_STATS},
    {"checksum", no_argument, NULL, SPAMLOG_OPTION_CHECKSUM},
    {"run", required_argument, NULL, SPAMLOG_OPTION_RUN},
    {"verify", no_argument, NULL, SPAMLOG_OPTION_VERIFY},
    {"expect", required_argument, NULL, SPAMLOG_OPTION_EXPECT},
    {"idle", required_argument, NULL, SPAMLOG_OPTION_IDLE},
    {"find-max", no_argument, NULL, SPAMLOG_OPTION_FIND_MAX},
    {"latency", required_argument, NULL, SPAMLOG_OPTION_LATENCY},
    {"csv", required_argument, NULL, SPAMLOG_OPTION_CSV},
    {"json", optional_argument, NULL, SPAMLOG_OPTION_JSON},
    {"plot", required_argument, NULL, SPAMLOG_OPTION_PLOT},
    {"hgrm", required_argument, NULL, SPAMLOG_OPTION_HGRM},
    {"interval", required_argument, NULL, SPAMLOG_OPTION_INTERVAL},
    {"reconnect", no_argument, NULL, SPAMLOG_OPTION_RECONNECT},
    {"tls-insecure", no_argument, NULL, SPAMLOG_OPTION_TLS_INSECURE},
    {"proxy-protocol", required_argument, NULL, SPAMLOG_OPTION_PROXY_PROTOCOL},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {0}};

static const char *const framing_names[] = {"newline", "octet", NULL};
static const char *const format_names[] = {"rfc5424", "rfc3164", NULL};

static bool spamlog_set_priority(struct message_config *message, const char *text)
{
    if (pri_from_name(text, &message->pri))
        return true;
    log_printf("--priority: '%s' is not a priority; expected 0 to 191 or FACILITY.SEVERITY", text);
    return false;
}

static bool spamlog_set_sizes(struct message_config *message, const char *text)
{
    char low[32];
    const char *separator = strstr(text, "..");
    if (!separator || separator - text >= (int)sizeof low) {
        log_printf("--sizes: '%s' is not a range; expected FROM..TO, as in 100..4k", text);
        return false;
    }
    snprintf(low, sizeof low, "%.*s", (int)(separator - text), text);
    return option_size("--sizes", low, 1, 1 << 30, &message->size) &&
           option_size("--sizes", separator + 2, message->size, 1 << 30, &message->size_max);
}

static bool spamlog_set_format(struct message_config *message, const char *text)
{
    int choice;
    if (!option_choice("--format", text, format_names, &choice))
        return false;
    message->format = choice == 1 ? MESSAGE_RFC3164 : MESSAGE_RFC5424;
    return true;
}

/* The name is a PARAM-VALUE, and part of the report. */
static bool spamlog_set_run(struct message_config *message, const char *text)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t len = strlen(text);
    if (len == 0 || len > 32 || strspn(text, allowed) != len) {
        log_printf("--run: '%s' is not a run name; expected 1 to 32 letters, digits, '.', '_', '-'",
                   text);
        return false;
    }
    message->run = text;
    return message->checksum = true;
}

/* Options whose value is a string that is checked later. NULL: it is another option. */
static const char **spamlog_string_option(struct spamlog_config *c, int option)
{
    struct message_config *message = &c->load.message;
    struct tls_config *tls = &c->load.destination.tls;
    switch (option) {
    case 'r':
        return &c->rate;
    case 'm':
        return &message->text;
    case SPAMLOG_OPTION_HOSTNAME:
        return &message->hostname;
    case SPAMLOG_OPTION_APPNAME:
        return &message->appname;
    case SPAMLOG_OPTION_PROCID:
        return &message->procid;
    case SPAMLOG_OPTION_MSGID:
        return &message->msgid;
    case SPAMLOG_OPTION_SD:
        return &c->sd;
    case SPAMLOG_OPTION_TIMESTAMP:
        return &message->timestamp;
    case SPAMLOG_OPTION_CSV:
        return &c->sampler.csv_path;
    case SPAMLOG_OPTION_PLOT:
        return &c->sampler.plot_path;
    case SPAMLOG_OPTION_HGRM:
        return &c->verify.hgrm_path;
    case SPAMLOG_OPTION_TLS_CERT:
        return &tls->cert;
    case SPAMLOG_OPTION_TLS_KEY:
        return &tls->key;
    case SPAMLOG_OPTION_TLS_CA:
        return &tls->ca;
    default:
        return NULL;
    }
}

static bool spamlog_set_option(struct spamlog_config *c, int option, const char *text)
{
    static const uint64_t week_ns = 7 * 24 * 3600 * NS_PER_S;
    struct load_config *load = &c->load;
    const char **string = spamlog_string_option(c, option);
    if (string) {
        *string = text;
        return true;
    }
    switch (option) {
    case 'n':
        return option_count("--count", text, 1, UINT64_MAX, &load->count);
    case 'd':
        return option_duration("--duration", text, 1, 52 * week_ns, &load->duration_ns);
    case 'c':
        return option_count("--connections", text, 1, 100000, &load->senders.count);
    case 'f':
        return spamlog_set_format(&load->message, text);
    case 'F':
        return option_choice("--framing", text, framing_names, &c->framing);
    case 'p':
        return spamlog_set_priority(&load->message, text);
    case 'q':
        return load->quiet = true;
    case SPAMLOG_OPTION_BURST:
        c->burst_given = true;
        return arrivals_parse_burst(&load->arrivals, text);
    case SPAMLOG_OPTION_ARRIVALS:
        return arrivals_parse_process(&load->arrivals, text);
    case SPAMLOG_OPTION_SEED:
        c->seed_given = true;
        return option_count("--seed", text, 0, UINT64_MAX, &load->message.seed);
    case SPAMLOG_OPTION_SIZE:
        c->size_given = true;
        return option_size("--size", text, 1, 1 << 30, &load->message.size);
    case SPAMLOG_OPTION_SIZES:
        c->sizes_given = true;
        return spamlog_set_sizes(&load->message, text);
    case SPAMLOG_OPTION_PROFILE:
        load->message.profile = strcmp(text, "plain") == 0 ? NULL : text;
        return true;
    case SPAMLOG_OPTION_FRESH:
        return profile_parse_fresh(&load->message, text);
    case SPAMLOG_OPTION_BAD:
        return malformed_parse(&load->malformed, text);
    case SPAMLOG_OPTION_CHECKSUM:
        return load->message.checksum = true;
    case SPAMLOG_OPTION_RUN:
        return spamlog_set_run(&load->message, text);
    case SPAMLOG_OPTION_IDLE_CONNECTIONS:
        return option_count("--idle-connections", text, 0, 100000, &load->senders.idle);
    case SPAMLOG_OPTION_RECONNECT_EVERY:
        return option_count("--reconnect-every", text, 1, UINT64_MAX,
                            &load->senders.reconnect_after);
    case SPAMLOG_OPTION_SLOW:
        return throttle_parse(&load->senders.bytes_per_s, text);
    case SPAMLOG_OPTION_TLS_PEER:
        return tls_config_peer(&load->destination.tls, "--tls-peer", text);
    case SPAMLOG_OPTION_RECONNECT:
        return load->senders.reconnects = true;
    case SPAMLOG_OPTION_TLS_INSECURE:
        return load->destination.tls.insecure = true;
    case SPAMLOG_OPTION_PROXY_PROTOCOL:
        return proxy_header_parse_version(text, &load->destination.proxy_version);
    case SPAMLOG_OPTION_INTERVAL:
        return option_duration("--interval", text, NS_PER_S / 100, week_ns / 7, &c->interval_ns);
    case SPAMLOG_OPTION_VERIFY:
        return c->verify_given = true;
    case SPAMLOG_OPTION_EXPECT:
        return option_count("--expect", text, 1, UINT64_C(1000000000000000), &c->verify.expected);
    case SPAMLOG_OPTION_IDLE:
        return option_duration("--idle", text, 1, week_ns, &c->verify.idle_timeout_ns);
    case SPAMLOG_OPTION_FIND_MAX:
        return c->find_max_given = true;
    case SPAMLOG_OPTION_LATENCY:
        return option_duration("--latency", text, 1000, week_ns, &c->find_max.max_latency_ns);
    case SPAMLOG_OPTION_JSON:
        c->json_path = text ? text : "";
        return true;
    case SPAMLOG_OPTION_STATS:
        return option_stats(text, &load->stats_interval_ns);
    default:
        return false;
    }
}

/* Returns the field of a message that an option sets, or 0. */
static unsigned spamlog_option_field(int option)
{
    switch (option) {
    case 'p':
        return MESSAGE_FIELD_PRI;
    case 'm':
        return MESSAGE_FIELD_TEXT;
    case SPAMLOG_OPTION_TIMESTAMP:
        return MESSAGE_FIELD_TIMESTAMP;
    case SPAMLOG_OPTION_HOSTNAME:
        return MESSAGE_FIELD_HOSTNAME;
    case SPAMLOG_OPTION_APPNAME:
        return MESSAGE_FIELD_APPNAME;
    case SPAMLOG_OPTION_PROCID:
        return MESSAGE_FIELD_PROCID;
    case SPAMLOG_OPTION_MSGID:
        return MESSAGE_FIELD_MSGID;
    case SPAMLOG_OPTION_SD:
        return MESSAGE_FIELD_SD;
    default:
        return 0;
    }
}

/* Records whether an option is restricted to sending or to --verify. */
static void spamlog_note_option(struct spamlog_config *c, int option)
{
    c->load.message.given_fields |= spamlog_option_field(option);
    switch (option) {
    case 'c':
    case 'q':
    case SPAMLOG_OPTION_STATS:
    case SPAMLOG_OPTION_CHECKSUM:
    case SPAMLOG_OPTION_IDLE:
    case SPAMLOG_OPTION_CSV:
    case SPAMLOG_OPTION_JSON:
    case SPAMLOG_OPTION_PLOT:
    case SPAMLOG_OPTION_INTERVAL:
        break;
    case SPAMLOG_OPTION_VERIFY:
    case SPAMLOG_OPTION_EXPECT:
    case SPAMLOG_OPTION_HGRM:
        c->verify_option_given = true;
        break;
    default:
        c->load_option_given = true;
    }
}

/* Returns false if the program is to end with *status. */
static bool spamlog_read_options(int argc, char **argv, struct spamlog_config *c, int *status)
{
    int option;
    bool good = true;
    argv[0] = program_invocation_short_name;
    while (good && (option = getopt_long(argc, argv, "r:n:d:c:f:F:m:p:qhV", options, NULL)) != -1) {
        if (option == '?' && optopt == 0)
            option_suggest(argv[optind - 1], options);
        if (option == 'h' || option == 'V') {
            *status = option == 'h' ? print_help(help) : print_version();
            return false;
        }
        spamlog_note_option(c, option);
        good = spamlog_set_option(c, option, optarg);
    }
    good = good && spamlog_config_complete(c, argv + optind, argc - optind);
    if (!good)
        *status = print_usage_hint();
    return good;
}

/* Returns the name of this host, or NILVALUE if RFC 5424 does not allow it. */
static const char *spamlog_own_hostname(char *name, size_t size)
{
    if (gethostname(name, size) != 0)
        return "-";
    name[size - 1] = '\0';
    const char *end = name + strlen(name);
    return end > name && scan_print(name, end) == end ? name : "-";
}

/* Differs between runs that start at the same time. */
static uint32_t spamlog_random_seed(void)
{
    uint32_t seed;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
        seed = (uint32_t)clock_real();
    return seed;
}

int main(int argc, char **argv)
{
    char hostname[256];
    char procid[16];
    char run[16];
    snprintf(procid, sizeof procid, "%ld", (long)getpid());
    snprintf(run, sizeof run, "%08x", spamlog_random_seed());
    struct spamlog_config config = {
        .load = {.message = {.pri = 34, /* auth.crit */
                             .hostname = spamlog_own_hostname(hostname, sizeof hostname),
                             .appname = "spamlog",
                             .procid = procid,
                             .text = "hello from C!",
                             .run = run,
                             .seed = spamlog_random_seed()},
                 .arrivals = {.rate = {1, NS_PER_S}, .burst = 1},
                 .senders = {.count = 1}},
        .framing = SPAMLOG_FRAMING_DEFAULT};
    int status;
    descriptors_reserve_standard();
    if (spamlog_read_options(argc, argv, &config, &status))
        status = config.verify_given     ? verify_run(&config.verify)
                 : config.find_max_given ? find_max_run(&config.find_max)
                                         : load_run(&config.load);
    tls_config_free(&config.load.destination.tls);
    return status;
}
