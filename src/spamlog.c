#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/descriptors.h"
#include "base/options.h"
#include "base/report.h"
#include "base/scan.h"
#include "load/load.h"
#include "syslog/pri.h"

static const char help[] =
    "usage: spamlog [options] [DESTINATION]              writes syslog messages\n"
    "DESTINATION is tcp://HOST:PORT, tls://HOST[:PORT], udp://HOST[:PORT], unix:PATH,\n"
    "unixgram:PATH, or -, which is stdout and the default.\n"
    "  -r, --rate=RATE            messages a second, N/DURATION, or max           [1]\n"
    "  -n, --count=COUNT          stop after that many\n"
    "  -d, --duration=DURATION    stop after that time\n"
    "  -c, --connections=COUNT    share the messages among that many              [1]\n"
    "  -f, --format=FORMAT        rfc5424 or rfc3164                        [rfc5424]\n"
    "  -F, --framing=FRAMING      newline or octet (RFC 6587)   [newline; tls: octet]\n"
    "  -m, --message=TEXT         MSG                                 [hello from C!]\n"
    "      --size=SIZE            pad or cut MSG to messages of that many bytes\n"
    "  -p, --priority=PRI         a number or FACILITY.SEVERITY           [auth.crit]\n"
    "      --hostname=NAME, --appname=NAME, --procid=ID     [this host, spamlog, pid]\n"
    "      --msgid=ID, --sd=SD    MSGID, STRUCTURED-DATA           [counts from 0, -]\n"
    "      --timestamp=TIME       TIMESTAMP                          [when it is due]\n"
    "      --tls-cert=FILE, --tls-key=FILE    our certificate           [none; in it]\n"
    "      --tls-ca=FILE          who signed the receiver's            [the system's]\n"
    "      --tls-peer=NAME|sha256:FINGERPRINT   who it must be, or one of them [HOST]\n"
    "      --stats[=DURATION]     print counters at that interval                [1s]\n"
    "  -q, --quiet                no report at the end\n"
    "  -h, --help; -V, --version  print this; print the version\n"
    "SIZE takes k, M, G; COUNT k, M; DURATION us, ms, s, m, h.\n"
    "Status: 0 all was sent, 2 failed.\n";

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
    OPTION_STATS
};

static const struct option options[] = {{"rate", required_argument, NULL, 'r'},
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
                                        {"stats", optional_argument, NULL, OPTION_STATS},
                                        {"quiet", no_argument, NULL, 'q'},
                                        {"help", no_argument, NULL, 'h'},
                                        {"version", no_argument, NULL, 'V'},
                                        {0}};

/* What the command line says, and what it leaves open until all of it is read. */
struct command_line {
    struct load_config load;
    int framing; /* of `framings` below */
    const char *sd;
};

enum { BY_DESTINATION = -1 };

static const char *const framings[] = {"newline", "octet", NULL};
static const char *const formats[] = {"rfc5424", "rfc3164", NULL};

static bool set_priority(struct load_config *c, const char *text)
{
    if (pri_from_name(text, &c->message.pri))
        return true;
    report("--priority: '%s' is not a number up to 191, or FACILITY.SEVERITY", text);
    return false;
}

static bool set_rate(struct load_config *c, const char *text)
{
    if (strcmp(text, "max") != 0)
        return option_rate("--rate", text, &c->rate.messages, &c->rate.ns);
    c->rate = (struct rate){0};
    return true;
}

static bool set_format(struct load_config *c, const char *text)
{
    int choice;
    if (!option_choice("--format", text, formats, &choice))
        return false;
    c->message.format = choice == 1 ? FORMAT_RFC3164 : FORMAT_RFC5424;
    return true;
}

/* An option whose value is looked at later. NULL: it is none of those. */
static const char **plain_option(struct command_line *l, int option)
{
    struct message_config *m = &l->load.message;
    struct tls_config *tls = &l->load.destination.tls;
    switch (option) {
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
        return &l->sd;
    case OPTION_TIMESTAMP:
        return &m->timestamp;
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

static bool set_option(struct command_line *l, int option, const char *text)
{
    static const uint64_t week = 7 * 24 * 3600 * NS_PER_S;
    struct load_config *c = &l->load;
    const char **plain = plain_option(l, option);
    if (plain) {
        *plain = text;
        return true;
    }
    switch (option) {
    case 'r':
        return set_rate(c, text);
    case 'n':
        return option_count("--count", text, 1, UINT64_MAX, &c->count);
    case 'd':
        return option_duration("--duration", text, 1, 52 * week, &c->duration);
    case 'c':
        return option_count("--connections", text, 1, 100000, &c->connections);
    case 'f':
        return set_format(c, text);
    case 'F':
        return option_choice("--framing", text, framings, &l->framing);
    case OPTION_SIZE:
        return option_size("--size", text, 1, 1 << 30, &c->message.size);
    case 'p':
        return set_priority(c, text);
    case OPTION_TLS_PEER:
        return tls_config_peer(&c->destination.tls, "--tls-peer", text);
    case OPTION_STATS:
        return option_stats(text, &c->stats_interval);
    case 'q':
        return c->quiet = true;
    default:
        return false;
    }
}

static bool misuse(const char *text)
{
    report("%s", text);
    return false;
}

static bool complete_message(struct command_line *l)
{
    struct message_config *m = &l->load.message;
    const struct destination *to = &l->load.destination;
    bool bare = to->text && transport_is_datagram(to->address.transport);
    bool tls = to->text && to->address.transport == TRANSPORT_TLS;
    if (bare && l->framing != BY_DESTINATION)
        return misuse("--framing: a datagram has none");
    if (m->format == FORMAT_RFC3164 && (m->msgid || l->sd))
        return misuse(m->msgid ? "--msgid: RFC 3164 has no MSGID"
                               : "--sd: RFC 3164 has no STRUCTURED-DATA");
    m->sd = l->sd ? l->sd : "-";
    if (l->framing == BY_DESTINATION)
        l->framing = tls;
    m->frame = bare ? MESSAGE_BARE : l->framing == 1 ? MESSAGE_COUNTED : MESSAGE_LINE;
    return true;
}

static bool complete_tls(const struct destination *to)
{
    const struct tls_config *tls = &to->tls;
    const char *flag = tls->cert         ? "--tls-cert"
                       : tls->key        ? "--tls-key"
                       : tls->ca         ? "--tls-ca"
                       : tls->peer_count ? "--tls-peer"
                                         : NULL;
    if (flag && (!to->text || to->address.transport != TRANSPORT_TLS)) {
        report("%s: it is for tls://HOST[:PORT]", flag);
        return false;
    }
    return !tls->key || tls->cert || misuse("--tls-key: it wants --tls-cert");
}

static bool complete(struct command_line *l, int argc, char **argv)
{
    struct destination *to = &l->load.destination;
    if (argc - optind > 1) {
        report("'%s': only one DESTINATION is taken", argv[optind + 1]);
        return false;
    }
    if (optind < argc && strcmp(argv[optind], "-") != 0)
        to->text = argv[optind];
    if (!to->text && l->load.connections > 1)
        return misuse("--connections: stdout is only one");
    return (!to->text || address_parse("DESTINATION", to->text, &to->address)) &&
           complete_tls(to) && complete_message(l);
}

static bool read_options(int argc, char **argv, struct command_line *l, int *status)
{
    int option;
    bool good = true;
    argv[0] = program_invocation_short_name;
    while (good && (option = getopt_long(argc, argv, "r:n:d:c:f:F:m:p:qhV", options, NULL)) != -1) {
        if (option == 'h' || option == 'V') {
            *status = option == 'h' ? print_help(help) : print_version();
            return false;
        }
        good = set_option(l, option, optarg);
    }
    good = good && complete(l, argc, argv);
    if (!good)
        *status = usage_error();
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

int main(int argc, char **argv)
{
    char hostname[256];
    char procid[16];
    snprintf(procid, sizeof procid, "%ld", (long)getpid());
    struct command_line line = {
        .load = {.message = {.pri = 34,
                             .hostname = own_hostname(hostname, sizeof hostname),
                             .appname = "spamlog",
                             .procid = procid,
                             .text = "hello from C!"},
                 .rate = {1, NS_PER_S},
                 .connections = 1},
        .framing = BY_DESTINATION};
    int status;
    descriptors_reserve_standard();
    if (read_options(argc, argv, &line, &status))
        status = load_run(&line.load);
    tls_config_free(&line.load.destination.tls);
    return status;
}
