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
    "usage: spamlog [options] [DESTINATION]\n"
    "\n"
    "Writes RFC 5424 syslog messages to stdout, or to tcp://HOST:PORT.\n"
    "\n"
    "  -r, --rate=RATE            messages a second, N/DURATION, or max           [1]\n"
    "  -n, --count=COUNT          stop after that many\n"
    "  -d, --duration=DURATION    stop after that time\n"
    "  -c, --connections=COUNT    share the messages among that many              [1]\n"
    "  -F, --framing=FRAMING      newline or octet (RFC 6587)               [newline]\n"
    "  -m, --message=TEXT         MSG                                 [hello from C!]\n"
    "      --size=SIZE            pad or cut MSG to messages of that many bytes\n"
    "  -p, --priority=PRI         a number or FACILITY.SEVERITY           [auth.crit]\n"
    "      --hostname=NAME        HOSTNAME                              [this host's]\n"
    "      --appname=NAME         APP-NAME                                  [spamlog]\n"
    "      --procid=ID            PROCID                           [the process's id]\n"
    "      --msgid=ID             MSGID                               [counts from 0]\n"
    "      --sd=SD                STRUCTURED-DATA                                 [-]\n"
    "      --timestamp=TIME       TIMESTAMP                          [when it is due]\n"
    "      --stats[=DURATION]     print counters at that interval                [1s]\n"
    "  -q, --quiet                no report at the end\n"
    "  -h, --help; -V, --version  print this; print the version\n"
    "\n"
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
    OPTION_STATS
};

static const struct option options[] = {{"rate", required_argument, NULL, 'r'},
                                        {"count", required_argument, NULL, 'n'},
                                        {"duration", required_argument, NULL, 'd'},
                                        {"connections", required_argument, NULL, 'c'},
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
                                        {"stats", optional_argument, NULL, OPTION_STATS},
                                        {"quiet", no_argument, NULL, 'q'},
                                        {"help", no_argument, NULL, 'h'},
                                        {"version", no_argument, NULL, 'V'},
                                        {0}};

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

static bool set_framing(struct load_config *c, const char *text)
{
    static const char *const words[] = {"newline", "octet", NULL};
    int choice;
    if (!option_choice("--framing", text, words, &choice))
        return false;
    c->message.octet_counting = choice == 1;
    return true;
}

static bool set_option(struct load_config *c, int option, const char *text)
{
    static const uint64_t week = 7 * 24 * 3600 * NS_PER_S;
    switch (option) {
    case 'r':
        return set_rate(c, text);
    case 'n':
        return option_count("--count", text, 1, UINT64_MAX, &c->count);
    case 'd':
        return option_duration("--duration", text, 1, 52 * week, &c->duration);
    case 'c':
        return option_count("--connections", text, 1, 100000, &c->connections);
    case 'F':
        return set_framing(c, text);
    case 'm':
        c->message.text = text;
        return true;
    case OPTION_SIZE:
        return option_size("--size", text, 1, 1 << 30, &c->message.size);
    case 'p':
        return set_priority(c, text);
    case OPTION_HOSTNAME:
        c->message.hostname = text;
        return true;
    case OPTION_APPNAME:
        c->message.appname = text;
        return true;
    case OPTION_PROCID:
        c->message.procid = text;
        return true;
    case OPTION_MSGID:
        c->message.msgid = text;
        return true;
    case OPTION_SD:
        c->message.sd = text;
        return true;
    case OPTION_TIMESTAMP:
        c->message.timestamp = text;
        return true;
    case OPTION_STATS:
        return option_stats(text, &c->stats_interval);
    case 'q':
        return c->quiet = true;
    default:
        return false;
    }
}

static bool complete(struct load_config *c, int argc, char **argv)
{
    struct address address;
    if (argc - optind > 1) {
        report("'%s': only one DESTINATION is taken", argv[optind + 1]);
        return false;
    }
    if (optind < argc && strcmp(argv[optind], "-") != 0)
        c->destination = argv[optind];
    if (!c->destination && c->connections > 1) {
        report("--connections: stdout is only one");
        return false;
    }
    return !c->destination || address_parse("DESTINATION", c->destination, &address);
}

static bool read_options(int argc, char **argv, struct load_config *c, int *status)
{
    int option;
    bool good = true;
    argv[0] = program_invocation_short_name;
    while (good && (option = getopt_long(argc, argv, "r:n:d:c:F:m:p:qhV", options, NULL)) != -1) {
        if (option == 'h' || option == 'V') {
            *status = option == 'h' ? print_help(help) : print_version();
            return false;
        }
        good = set_option(c, option, optarg);
    }
    good = good && complete(c, argc, argv);
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
    struct load_config config = {.message = {.pri = 34,
                                             .hostname = own_hostname(hostname, sizeof hostname),
                                             .appname = "spamlog",
                                             .procid = procid,
                                             .sd = "-",
                                             .text = "hello from C!"},
                                 .rate = {1, NS_PER_S},
                                 .connections = 1};
    int status;
    descriptors_reserve_standard();
    if (!read_options(argc, argv, &config, &status))
        return status;
    return load_run(&config);
}
