#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "base/options.h"
#include "relay/run.h"
#include "relay/workers.h"

static const char help[] =
    "usage: shnek-parse [options] [FILE...]\n"
    "       shnek-parse [options] -l ADDRESS [-l ADDRESS]...\n"
    "Turns syslog from files, stdin or the network into JSON lines on stdout.\n"
    "  -l, --listen=ADDRESS       tcp://HOST:PORT, udp://, tls://; unix:PATH,\n"
    "                             unixgram:PATH; systemd (its sockets); may repeat\n"
    "  -f, --format=FORMAT        rfc5424, auto (and all else), rfc3164 [rfc5424]\n"
    "      --tz=ZONE, --multiline zone of times without one; join lines without PRI\n"
    "  -F, --framing=FRAMING      auto, newline or octet (RFC 6587)        [auto]\n"
    "      --max-size=SIZE        longest message, in bytes                [64k]\n"
    "      --oversize=ACTION      reject or truncate what is longer        [reject]\n"
    "      --rcvbuf=SIZE, --reuseport, --socket-mode=MODE  of the sockets\n"
    "      --tls-cert=FILE, --tls-key=FILE, --tls-ca=FILE  ours; who signed theirs\n"
    "      --tls-peer=NAME|sha256:FINGERPRINT  only these; may repeat\n"
    "      --allow=NETWORK, --allow-uid=USER   only these; may repeat\n"
    "      --proxy-protocol       who is allowed is a proxy and sends its header\n"
    "      --max-connections=N, --max-connections-per-peer=N      [10000, no limit]\n"
    "      --idle-timeout=DURATION, --handshake-timeout=DURATION  [none, 10s]\n"
    "      --meta, --raw          add \"peer\", \"transport\", \"received\"; add \"raw\"\n"
    "      --rejects=FILE         append what is rejected, as JSON lines\n"
    "      --jobs=COUNT, --stats[=DURATION]   threads for files; counters   [1, 1s]\n"
    "  -q, --quiet                do not print what is rejected or refused\n"
    "  -h, --help; -V, --version  print this; print the version\n"
    "SIZE takes k, M, G; DURATION us, ms, s, m, h. FILE '-' is stdin, the default.\n"
    "Status: 0 all went through, 1 something was rejected, 2 failed.\n";

enum {
    OPTION_TZ = 256,
    OPTION_MULTILINE,
    OPTION_MAX_SIZE,
    OPTION_OVERSIZE,
    OPTION_RCVBUF,
    OPTION_REUSEPORT,
    OPTION_SOCKET_MODE,
    OPTION_TLS_CERT,
    OPTION_TLS_KEY,
    OPTION_TLS_CA,
    OPTION_TLS_PEER,
    OPTION_ALLOW,
    OPTION_ALLOW_UID,
    OPTION_PROXY_PROTOCOL,
    OPTION_MAX_CONNECTIONS,
    OPTION_MAX_CONNECTIONS_PER_PEER,
    OPTION_IDLE_TIMEOUT,
    OPTION_HANDSHAKE_TIMEOUT,
    OPTION_META,
    OPTION_RAW,
    OPTION_REJECTS,
    OPTION_JOBS,
    OPTION_STATS
};

static const struct option options[] = {
    {"listen", required_argument, NULL, 'l'},
    {"format", required_argument, NULL, 'f'},
    {"tz", required_argument, NULL, OPTION_TZ},
    {"multiline", no_argument, NULL, OPTION_MULTILINE},
    {"framing", required_argument, NULL, 'F'},
    {"max-size", required_argument, NULL, OPTION_MAX_SIZE},
    {"oversize", required_argument, NULL, OPTION_OVERSIZE},
    {"rcvbuf", required_argument, NULL, OPTION_RCVBUF},
    {"reuseport", no_argument, NULL, OPTION_REUSEPORT},
    {"socket-mode", required_argument, NULL, OPTION_SOCKET_MODE},
    {"tls-cert", required_argument, NULL, OPTION_TLS_CERT},
    {"tls-key", required_argument, NULL, OPTION_TLS_KEY},
    {"tls-ca", required_argument, NULL, OPTION_TLS_CA},
    {"tls-peer", required_argument, NULL, OPTION_TLS_PEER},
    {"allow", required_argument, NULL, OPTION_ALLOW},
    {"allow-uid", required_argument, NULL, OPTION_ALLOW_UID},
    {"proxy-protocol", no_argument, NULL, OPTION_PROXY_PROTOCOL},
    {"max-connections", required_argument, NULL, OPTION_MAX_CONNECTIONS},
    {"max-connections-per-peer", required_argument, NULL, OPTION_MAX_CONNECTIONS_PER_PEER},
    {"idle-timeout", required_argument, NULL, OPTION_IDLE_TIMEOUT},
    {"handshake-timeout", required_argument, NULL, OPTION_HANDSHAKE_TIMEOUT},
    {"meta", no_argument, NULL, OPTION_META},
    {"raw", no_argument, NULL, OPTION_RAW},
    {"rejects", required_argument, NULL, OPTION_REJECTS},
    {"jobs", required_argument, NULL, OPTION_JOBS},
    {"stats", optional_argument, NULL, OPTION_STATS},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {0}};

static bool listen_on(struct relay_config *c, const char *text)
{
    if (strcmp(text, "systemd") == 0) {
        c->listen_systemd = true;
        return true;
    }
    size_t capacity = c->listen_count;
    c->listen = array_grow(c->listen, &capacity, c->listen_count, sizeof *c->listen);
    return address_parse("--listen", text, &c->listen[c->listen_count++]);
}

static bool set_format(struct relay_config *c, const char *text)
{
    static const char *const words[] = {"rfc5424", "auto", "rfc3164", NULL};
    int choice;
    if (!option_choice("--format", text, words, &choice))
        return false;
    c->format = (enum syslog_format)choice;
    return true;
}

/* A name of the zone database becomes the process's own zone. */
static bool set_zone(struct relay_config *c, const char *text)
{
    char path[PATH_MAX];
    struct stat found;
    if (tz_parse(text, &c->tz))
        return true;
    const char *folder = getenv("TZDIR");
    snprintf(path, sizeof path, "%s/%s", folder ? folder : "/usr/share/zoneinfo", text);
    if (*text == '\0' || *text == '.' || strstr(text, "..") || stat(path, &found) != 0 ||
        !S_ISREG(found.st_mode)) {
        log_printf("--tz: '%s' is not local, utc, an offset such as +09:00, or a zone such as "
                   "Europe/Berlin",
                   text);
        return false;
    }
    c->tz = (struct tz){0};
    return setenv("TZ", text, 1) == 0;
}

static bool set_framing(struct relay_config *c, const char *text)
{
    static const char *const words[] = {"auto", "newline", "octet", NULL};
    int choice;
    if (!option_choice("--framing", text, words, &choice))
        return false;
    c->framing = (enum framing)choice;
    return true;
}

static bool set_oversize(struct relay_config *c, const char *text)
{
    static const char *const words[] = {"reject", "truncate", NULL};
    int choice;
    if (!option_choice("--oversize", text, words, &choice))
        return false;
    c->truncate = choice == 1;
    return true;
}

static bool set_socket_mode(struct relay_config *c, const char *text)
{
    char *end;
    unsigned long mode = strtoul(text, &end, 8);
    if (*text < '0' || *text > '7' || *end || mode > 0777) {
        log_printf("--socket-mode: '%s' is not a mode in octal, up to 777", text);
        return false;
    }
    c->socket_mode = (int)mode;
    return true;
}

/* Options of messages: what is taken, and what is made of it. */
static bool set_message_option(struct relay_config *c, int option, const char *text)
{
    switch (option) {
    case 'f':
        return set_format(c, text);
    case OPTION_TZ:
        return set_zone(c, text);
    case OPTION_MULTILINE:
        return c->multiline = true;
    case 'F':
        return set_framing(c, text);
    case OPTION_MAX_SIZE:
        return option_size("--max-size", text, 64, 1 << 30, &c->max_size);
    case OPTION_OVERSIZE:
        return set_oversize(c, text);
    case OPTION_META:
        return c->meta = true;
    case OPTION_RAW:
        return c->raw = true;
    case OPTION_REJECTS:
        c->rejects = text;
        return true;
    case OPTION_JOBS:
        return option_count("--jobs", text, 1, WORKERS_MAX, &c->jobs);
    case OPTION_STATS:
        return option_stats(text, &c->stats_interval_ns);
    case 'q':
        return c->quiet = true;
    default:
        return false;
    }
}

static const uint64_t day = 24 * 3600 * NS_PER_S;

/* Options of sockets and of who may speak on them. */
static bool set_option(struct relay_config *c, int option, const char *text)
{
    switch (option) {
    case 'l':
        return listen_on(c, text);
    case OPTION_RCVBUF:
        return option_size("--rcvbuf", text, 1, 1 << 30, &c->rcvbuf);
    case OPTION_REUSEPORT:
        return c->reuseport = true;
    case OPTION_SOCKET_MODE:
        return set_socket_mode(c, text);
    case OPTION_TLS_CERT:
        c->tls.cert = text;
        return true;
    case OPTION_TLS_KEY:
        c->tls.key = text;
        return true;
    case OPTION_TLS_CA:
        c->tls.ca = text;
        return true;
    case OPTION_TLS_PEER:
        return tls_config_peer(&c->tls, "--tls-peer", text);
    case OPTION_ALLOW:
        return access_config_network(&c->access, "--allow", text);
    case OPTION_ALLOW_UID:
        return access_config_uid(&c->access, "--allow-uid", text);
    case OPTION_PROXY_PROTOCOL:
        return c->proxy_protocol = true;
    case OPTION_MAX_CONNECTIONS:
        return option_count("--max-connections", text, 1, 1000000, &c->max_connections);
    case OPTION_MAX_CONNECTIONS_PER_PEER:
        return option_count("--max-connections-per-peer", text, 1, 1000000,
                            &c->access.max_per_peer);
    case OPTION_IDLE_TIMEOUT:
        return option_duration("--idle-timeout", text, 1, 365 * day, &c->idle_timeout_ns);
    case OPTION_HANDSHAKE_TIMEOUT:
        return option_duration("--handshake-timeout", text, 1, day, &c->handshake_timeout_ns);
    default:
        return set_message_option(c, option, text);
    }
}

static bool wrong(const char *what)
{
    log_printf("%s", what);
    return false;
}

static bool listens_on(const struct relay_config *c, enum transport transport)
{
    for (size_t i = 0; i < c->listen_count; i++)
        if (c->listen[i].transport == transport)
            return true;
    return c->listen_systemd;
}

static bool tls_fits(const struct relay_config *c)
{
    const struct tls_config *tls = &c->tls;
    bool named = false;
    for (size_t i = 0; i < tls->peer_count; i++)
        named = named || tls->peers[i].name;
    if (!c->listen_systemd && listens_on(c, TRANSPORT_TLS) && !tls->cert)
        return wrong("--listen: tls:// needs --tls-cert, the server's certificate");
    if (!tls->cert && (tls->key || tls->ca || tls->peer_count))
        return wrong("--tls-key, --tls-ca, --tls-peer: they need --tls-cert");
    if (tls->cert && !listens_on(c, TRANSPORT_TLS))
        return wrong("--tls-cert: it needs --listen with tls:// or systemd");
    if (named && !tls->ca)
        return wrong("--tls-peer: a name proves nothing without --tls-ca");
    return true;
}

/* Whether the options go together. */
static bool fits(const struct relay_config *c)
{
    bool listens = c->listen_count || c->listen_systemd;
    if (listens && c->file_count) {
        log_printf("--listen and %s: it listens, or it reads files; not both", c->files[0]);
        return false;
    }
    if (listens && c->jobs > 1)
        return wrong("--jobs: only what is read from files or stdin is parsed by several threads");
    if (c->rejects && strcmp(c->rejects, "-") == 0)
        return wrong("--rejects: '-' would mix them with the records on stdout; name a file");
    if (c->proxy_protocol && !c->access.network_count)
        return wrong("--proxy-protocol: name the proxies with --allow; anybody else could lie");
    return tls_fits(c);
}

/* False where the command line is wrong, which was reported, or asks for help. */
static bool read_options(int argc, char **argv, struct relay_config *c, int *status)
{
    int option;
    bool good = true;
    argv[0] = program_invocation_short_name;
    while (good && (option = getopt_long(argc, argv, "l:f:F:qhV", options, NULL)) != -1) {
        if (option == 'h' || option == 'V') {
            *status = option == 'h' ? print_help(help) : print_version();
            return false;
        }
        good = set_option(c, option, optarg);
    }
    c->files = argv + optind;
    c->file_count = argc - optind;
    good = good && fits(c);
    if (!good)
        *status = print_usage_hint();
    return good;
}

int main(int argc, char **argv)
{
    struct relay_config config = {.max_size = 64 * 1024,
                                  .max_connections = 10000,
                                  .jobs = 1,
                                  .socket_mode = -1,
                                  .handshake_timeout_ns = 10 * NS_PER_S};
    int status;
    descriptors_reserve_standard();
    bool good = read_options(argc, argv, &config, &status);
    tzset();
    if (good)
        status = relay_run(&config);
    free(config.listen);
    access_config_free(&config.access);
    tls_config_free(&config.tls);
    return status;
}
