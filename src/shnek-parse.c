#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/charset.h"
#include "base/clock.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "base/options.h"
#include "relay/run.h"
#include "relay/workers.h"

static const char help[] =
    "usage: shnek-parse [options] [FILE...]\n"
    "       shnek-parse [options] -l ADDRESS [-l ADDRESS]...\n"
    "\n"
    "Reads syslog messages from files, stdin or the network and writes each as a line\n"
    "of JSON to stdout. FILE '-' is stdin, the default.\n"
    "\n"
    "Input:\n"
    "  -F, --framing=FRAMING     Split streams into messages: auto, newline, octet\n"
    "                            (RFC 6587) or nul [auto]\n"
    "      --multiline           Join lines without a PRI to the preceding message\n"
    "      --max-size=SIZE       Set the maximum message length [64k]\n"
    "      --oversize=ACTION     Reject or truncate longer messages [reject]\n"
    "      --jobs=COUNT          Parse files with COUNT threads [1]\n"
    "\n"
    "Format:\n"
    "  -f, --format=FORMAT       Accept rfc5424 only, auto (also rfc3164 and common\n"
    "                            defects) or rfc3164 only [rfc5424]\n"
    "      --tz=ZONE             Set the time zone of timestamps without one: local,\n"
    "                            utc, +HH:MM or a name as Europe/Berlin [local]\n"
    "      --charset=NAME        Convert messages that are not UTF-8 from a character\n"
    "                            set such as windows-1252\n"
    "      --host=MODE           Read the word after an RFC 3164 time as host name by\n"
    "                            rule, always or never [rule]\n"
    "\n"
    "Selection:\n"
    "      --select=SELECTOR     Write only these facilities and severities, as in\n"
    "                            syslog.conf(5): auth,authpriv.*, *.err, *.=debug,\n"
    "                            *.info;mail.none; may be repeated\n"
    "      --select-app=PATTERN  Write only these APP-NAMEs; may be repeated\n"
    "      --select-host=PATTERN Write only these HOSTNAMEs; may be repeated\n"
    "\n"
    "Listeners:\n"
    "  -l, --listen=ADDRESS      Listen on tcp://HOST:PORT, tls://HOST[:PORT],\n"
    "                            udp://HOST[:PORT], unix:PATH, unixgram:PATH or\n"
    "                            systemd (its sockets); may be repeated\n"
    "      --rcvbuf=SIZE         Set the receive buffer size of UDP sockets [8M]\n"
    "      --reuseport           Allow several processes to listen on one address\n"
    "      --socket-mode=MODE    Set the permissions of Unix sockets [by the umask]\n"
    "\n"
    "TLS:\n"
    "      --tls-cert=FILE       Read the server certificate and its chain (PEM)\n"
    "      --tls-key=FILE        Read the key of the certificate [--tls-cert]\n"
    "      --tls-ca=FILE         Require client certificates signed by these CAs\n"
    "      --tls-peer=NAME|sha256:FINGERPRINT\n"
    "                            Require one of these client certificates; may be\n"
    "                            repeated\n"
    "\n"
    "Access:\n"
    "      --allow=NETWORK       Accept only these IP senders; may be repeated\n"
    "      --allow-uid=USER      Accept only these users on Unix sockets; may be\n"
    "                            repeated\n"
    "      --proxy-protocol      Require a PROXY protocol header; requires --allow\n"
    "      --max-connections=COUNT\n"
    "                            Limit the number of open connections [10000]\n"
    "      --max-connections-per-peer=COUNT\n"
    "                            Limit those of one address or user [no limit]\n"
    "      --max-memory=SIZE     Limit the memory for unfinished messages [256M]\n"
    "      --idle-timeout=DURATION\n"
    "                            Close idle connections [never]\n"
    "      --first-message-timeout=DURATION\n"
    "                            Close those that never completed a message [10m]\n"
    "      --handshake-timeout=DURATION\n"
    "                            Limit the PROXY header and TLS handshake [10s]\n"
    "\n"
    "Output:\n"
    "      --schema=SCHEMA       Name members as in shnek, ecs (Elastic Common\n"
    "                            Schema) or otlp (OpenTelemetry) [shnek]\n"
    "      --fields=LIST         Write only these members of the schema\n"
    "      --severity-number     Add the severity as a number\n"
    "      --host-from-peer      Set an absent hostname to the sender's address\n"
    "      --meta                Add the sender, transport and time of arrival\n"
    "      --raw                 Add the original message as \"raw\" or \"raw_base64\"\n"
    "      --rejects=FILE        Append rejected messages to FILE as JSON lines\n"
    "      --exec=COMMAND        Run a shell command that reads the records from its\n"
    "                            stdin, and wait until it ends\n"
    "      --stats[=DURATION]    Print counters at this interval and at the end [1s]\n"
    "      --metrics=HOST:PORT|FILE.prom\n"
    "                            Serve metrics for Prometheus by HTTP, or write them\n"
    "                            to a file every 15 s\n"
    "      --shutdown-timeout=DURATION\n"
    "                            Stop draining after this time [20s]\n"
    "  -q, --quiet               Do not log rejected messages and refused peers\n"
    "\n"
    "General:\n"
    "  -h, --help                Print this help\n"
    "  -V, --version             Print the version\n"
    "\n"
    "SIZE accepts k, M and G; COUNT k and M; DURATION us, ms, s, m and h.\n"
    "Exit status: 0 all messages were written, 1 some were rejected, 2 failure.\n";

enum {
    OPTION_MULTILINE = 256,
    OPTION_MAX_SIZE,
    OPTION_OVERSIZE,
    OPTION_JOBS,
    OPTION_TZ,
    OPTION_CHARSET,
    OPTION_HOST,
    OPTION_SELECT,
    OPTION_SELECT_APP,
    OPTION_SELECT_HOST,
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
    OPTION_MAX_MEMORY,
    OPTION_IDLE_TIMEOUT,
    OPTION_FIRST_MESSAGE_TIMEOUT,
    OPTION_HANDSHAKE_TIMEOUT,
    OPTION_SCHEMA,
    OPTION_FIELDS,
    OPTION_SEVERITY_NUMBER,
    OPTION_HOST_FROM_PEER,
    OPTION_META,
    OPTION_RAW,
    OPTION_REJECTS,
    OPTION_EXEC,
    OPTION_STATS,
    OPTION_METRICS,
    OPTION_SHUTDOWN_TIMEOUT
};

static const struct option options[] = {
    {"framing", required_argument, NULL, 'F'},
    {"multiline", no_argument, NULL, OPTION_MULTILINE},
    {"max-size", required_argument, NULL, OPTION_MAX_SIZE},
    {"oversize", required_argument, NULL, OPTION_OVERSIZE},
    {"jobs", required_argument, NULL, OPTION_JOBS},
    {"format", required_argument, NULL, 'f'},
    {"tz", required_argument, NULL, OPTION_TZ},
    {"charset", required_argument, NULL, OPTION_CHARSET},
    {"host", required_argument, NULL, OPTION_HOST},
    {"select", required_argument, NULL, OPTION_SELECT},
    {"select-app", required_argument, NULL, OPTION_SELECT_APP},
    {"select-host", required_argument, NULL, OPTION_SELECT_HOST},
    {"listen", required_argument, NULL, 'l'},
    {"rcvbuf", required_argument, NULL, OPTION_RCVBUF},
    {"reuseport", no_argument, NULL, OPTION_REUSEPORT},
    {"socket-mode", required_argument, NULL, OPTION_SOCKET_MODE},
    {"tls-cert", required_argument, NULL, OPTION_TLS_CERT},
    {"tls-key", required_argument, NULL, OPTION_TLS_KEY},
    {"tls-ca", required_argument, NULL, OPTION_TLS_CA},
    {"tlscert", required_argument, NULL, OPTION_TLS_CERT},
    {"tlskey", required_argument, NULL, OPTION_TLS_KEY},
    {"tlsca", required_argument, NULL, OPTION_TLS_CA},
    {"tls-peer", required_argument, NULL, OPTION_TLS_PEER},
    {"allow", required_argument, NULL, OPTION_ALLOW},
    {"allow-uid", required_argument, NULL, OPTION_ALLOW_UID},
    {"proxy-protocol", no_argument, NULL, OPTION_PROXY_PROTOCOL},
    {"max-connections", required_argument, NULL, OPTION_MAX_CONNECTIONS},
    {"max-connections-per-peer", required_argument, NULL, OPTION_MAX_CONNECTIONS_PER_PEER},
    {"max-memory", required_argument, NULL, OPTION_MAX_MEMORY},
    {"idle-timeout", required_argument, NULL, OPTION_IDLE_TIMEOUT},
    {"first-message-timeout", required_argument, NULL, OPTION_FIRST_MESSAGE_TIMEOUT},
    {"handshake-timeout", required_argument, NULL, OPTION_HANDSHAKE_TIMEOUT},
    {"schema", required_argument, NULL, OPTION_SCHEMA},
    {"fields", required_argument, NULL, OPTION_FIELDS},
    {"severity-number", no_argument, NULL, OPTION_SEVERITY_NUMBER},
    {"host-from-peer", no_argument, NULL, OPTION_HOST_FROM_PEER},
    {"meta", no_argument, NULL, OPTION_META},
    {"raw", no_argument, NULL, OPTION_RAW},
    {"rejects", required_argument, NULL, OPTION_REJECTS},
    {"exec", required_argument, NULL, OPTION_EXEC},
    {"stats", optional_argument, NULL, OPTION_STATS},
    {"metrics", required_argument, NULL, OPTION_METRICS},
    {"shutdown-timeout", required_argument, NULL, OPTION_SHUTDOWN_TIMEOUT},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {0}};

static bool relay_config_add_listener(struct relay_config *c, const char *text)
{
    if (strcmp(text, "systemd") == 0) {
        c->listen_systemd = true;
        return true;
    }
    size_t capacity = c->listen_count;
    c->listen = array_grow(c->listen, &capacity, c->listen_count, sizeof *c->listen);
    return address_parse("--listen", text, &c->listen[c->listen_count++]);
}

static bool relay_config_set_format(struct relay_config *c, const char *text)
{
    static const char *const words[] = {"rfc5424", "auto", "rfc3164", NULL};
    int choice;
    if (!option_choice("--format", text, words, &choice))
        return false;
    c->format = (enum syslog_format)choice;
    return true;
}

/* Whether a file is a time zone (RFC 8536) and not one of the tables beside them. */
static bool tz_file_is_zone(const char *path)
{
    char magic[4] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool good = fd >= 0 && read(fd, magic, sizeof magic) == (ssize_t)sizeof magic &&
                memcmp(magic, "TZif", sizeof magic) == 0;
    if (fd >= 0)
        close(fd);
    return good;
}

/* A name in the zone database becomes the local zone of the process. */
static bool relay_config_set_tz(struct relay_config *c, const char *text)
{
    char path[PATH_MAX];
    if (tz_parse(text, &c->tz))
        return true;
    const char *directory = getenv("TZDIR");
    snprintf(path, sizeof path, "%s/%s", directory ? directory : "/usr/share/zoneinfo", text);
    if (*text == '\0' || *text == '.' || strstr(text, "..") || !tz_file_is_zone(path)) {
        log_printf(
            "--tz: '%s' is not a time zone: expected local, utc, an offset such as +09:00, or "
            "a name such as Europe/Berlin",
            text);
        return false;
    }
    c->tz = (struct tz){0};
    return setenv("TZ", text, 1) == 0;
}

static bool relay_config_set_schema(struct relay_config *c, const char *text)
{
    static const char *const words[] = {"shnek", "ecs", "otlp", NULL};
    int choice;
    if (!option_choice("--schema", text, words, &choice))
        return false;
    c->schema.schema = (enum schema)choice;
    return true;
}

static bool relay_config_set_selector(struct relay_config *c, const char *text)
{
    struct slice bad;
    const char *error = selector_add(&c->selector, text, &bad);
    if (error)
        log_printf("--select: '%s': '%.*s': %s", text, (int)bad.len, bad.data, error);
    return !error;
}

static bool relay_config_set_pattern(bool added, const char *flag, const char *text)
{
    if (!added)
        log_printf("%s: '%s' is not a name or pattern: %s", flag, text,
                   *text ? "'[' without ']', or '\\' at the end" : "it is empty");
    return added;
}

static bool relay_config_set_charset(struct relay_config *c, const char *text)
{
    struct charset charset;
    if (charset_open(&charset, text)) {
        charset_close(&charset);
        c->charset = text;
        return true;
    }
    if (errno == EDOM)
        log_printf("--charset: '%s' does not contain US-ASCII: expected a character set such as "
                   "windows-1252",
                   text);
    else if (errno == EINVAL)
        log_printf(
            "--charset: '%s' is not a character set: expected one that 'iconv --list' shows, "
            "such as windows-1252",
            text);
    else
        log_printf("--charset: '%s': %m", text);
    return false;
}

static bool relay_config_set_host(struct relay_config *c, const char *text)
{
    static const char *const words[] = {"rule", "always", "never", NULL};
    int choice;
    if (!option_choice("--host", text, words, &choice))
        return false;
    c->host = (enum host_mode)choice;
    return true;
}

static bool relay_config_set_framing(struct relay_config *c, const char *text)
{
    static const char *const words[] = {"auto", "newline", "octet", "nul", NULL};
    int choice;
    if (!option_choice("--framing", text, words, &choice))
        return false;
    c->framing = (enum framing)choice;
    return true;
}

static bool relay_config_set_oversize(struct relay_config *c, const char *text)
{
    static const char *const words[] = {"reject", "truncate", NULL};
    int choice;
    if (!option_choice("--oversize", text, words, &choice))
        return false;
    c->truncate = choice == 1;
    return true;
}

static bool relay_config_set_socket_mode(struct relay_config *c, const char *text)
{
    char *end;
    unsigned long mode = strtoul(text, &end, 8);
    if (*text < '0' || *text > '7' || *end || mode > 0777) {
        log_printf("--socket-mode: '%s' is not a file mode: expected an octal number up to 777",
                   text);
        return false;
    }
    c->socket_mode = (int)mode;
    return true;
}

static const uint64_t default_memory = 256 * 1024 * 1024;
static const uint64_t day_ns = 24 * 3600 * NS_PER_S;

static bool relay_config_set(struct relay_config *c, int option, const char *text)
{
    switch (option) {
    case 'F':
        return relay_config_set_framing(c, text);
    case OPTION_MULTILINE:
        return c->multiline = true;
    case OPTION_MAX_SIZE:
        return option_size("--max-size", text, 64, 1 << 30, &c->max_size);
    case OPTION_OVERSIZE:
        return relay_config_set_oversize(c, text);
    case OPTION_JOBS:
        return option_count("--jobs", text, 1, WORKERS_MAX, &c->jobs);
    case 'f':
        return relay_config_set_format(c, text);
    case OPTION_TZ:
        return relay_config_set_tz(c, text);
    case OPTION_CHARSET:
        return relay_config_set_charset(c, text);
    case OPTION_HOST:
        return relay_config_set_host(c, text);
    case 'l':
        return relay_config_add_listener(c, text);
    case OPTION_RCVBUF:
        return option_size("--rcvbuf", text, 1, 1 << 30, &c->rcvbuf);
    case OPTION_REUSEPORT:
        return c->reuseport = true;
    case OPTION_SOCKET_MODE:
        return relay_config_set_socket_mode(c, text);
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
        return option_duration("--idle-timeout", text, 1, 365 * day_ns, &c->idle_timeout_ns);
    case OPTION_FIRST_MESSAGE_TIMEOUT:
        return option_duration("--first-message-timeout", text, 0, 365 * day_ns,
                               &c->first_message_timeout_ns);
    case OPTION_MAX_MEMORY:
        return option_size("--max-memory", text, 64 * 1024, (uint64_t)1 << 40, &c->max_memory);
    case OPTION_HANDSHAKE_TIMEOUT:
        return option_duration("--handshake-timeout", text, 1, day_ns, &c->handshake_timeout_ns);
    case OPTION_SELECT:
        return relay_config_set_selector(c, text);
    case OPTION_SELECT_APP:
        return relay_config_set_pattern(selector_add_app(&c->selector, text), "--select-app", text);
    case OPTION_SELECT_HOST:
        return relay_config_set_pattern(selector_add_host(&c->selector, text), "--select-host",
                                        text);
    case OPTION_META:
        return c->schema.meta = true;
    case OPTION_RAW:
        return c->schema.raw = true;
    case OPTION_SCHEMA:
        return relay_config_set_schema(c, text);
    case OPTION_FIELDS:
        c->fields = text;
        return true;
    case OPTION_SEVERITY_NUMBER:
        return c->schema.severity_number = true;
    case OPTION_HOST_FROM_PEER:
        return c->host_from_peer = true;
    case OPTION_REJECTS:
        c->rejects = text;
        return true;
    case OPTION_EXEC:
        c->exec = text;
        return true;
    case OPTION_SHUTDOWN_TIMEOUT:
        return option_duration("--shutdown-timeout", text, 0, day_ns, &c->shutdown_timeout_ns);
    case OPTION_STATS:
        return option_stats(text, &c->stats_interval_ns);
    case OPTION_METRICS:
        return metrics_target_parse(&c->metrics, text);
    case 'q':
        return c->quiet = true;
    default:
        return false;
    }
}

static bool relay_config_fail(const char *error_text)
{
    log_printf("%s", error_text);
    return false;
}

static bool relay_config_has_tls_listener(const struct relay_config *c)
{
    for (size_t i = 0; i < c->listen_count; i++)
        if (c->listen[i].transport == TRANSPORT_TLS)
            return true;
    return false;
}

static bool relay_config_check_tls(const struct relay_config *c)
{
    const struct tls_config *tls = &c->tls;
    bool has_listener = relay_config_has_tls_listener(c);
    bool has_name = false;
    for (size_t i = 0; i < tls->peer_count; i++)
        has_name = has_name || tls->peers[i].name;
    /* systemd may pass a TLS socket; that is only known once it is opened. */
    if (!c->listen_systemd && has_listener && !tls->cert)
        return relay_config_fail("--listen: tls:// requires --tls-cert");
    if (tls->cert && !has_listener && !c->listen_systemd)
        return relay_config_fail("--tls-cert: requires --listen with tls:// or systemd");
    if (has_name && !tls->ca)
        return relay_config_fail("--tls-peer: a name requires --tls-ca");
    return true;
}

/* The members depend on --schema, which may follow. */
static bool relay_config_set_fields(struct relay_config *c)
{
    struct slice unknown;
    struct buffer valid = {0};
    if (!c->fields ||
        schema_parse_members(c->schema.schema, c->fields, &c->schema.members, &unknown))
        return true;
    for (const char *const *member = schema_members(c->schema.schema); *member; member++)
        buffer_printf(&valid, "%s%s", valid.len ? ", " : "", *member);
    log_printf("--fields: '%.*s' is not a member of the schema: expected %.*s", (int)unknown.len,
               unknown.data, (int)valid.len, valid.data);
    buffer_free(&valid);
    return false;
}

/* Returns false and logs the reason if options cannot be combined. */
static bool relay_config_check(const struct relay_config *c)
{
    bool listens = c->listen_count || c->listen_systemd;
    if (listens && c->file_count) {
        log_printf("--listen: cannot be combined with a FILE ('%s')", c->files[0]);
        return false;
    }
    if (listens && c->jobs > 1)
        return relay_config_fail("--jobs: cannot be combined with --listen");
    if (c->rejects && strcmp(c->rejects, "-") == 0)
        return relay_config_fail("--rejects: cannot be '-', because stdout is for records");
    if (c->proxy_protocol && !c->access.network_count)
        return relay_config_fail("--proxy-protocol: requires --allow with the proxies' addresses");
    if (c->schema.severity_number && c->schema.schema == SCHEMA_OTLP)
        return relay_config_fail("--severity-number: has no effect with --schema=otlp, which "
                                 "always has severityNumber");
    if (c->max_memory < c->max_size)
        return relay_config_fail("--max-memory: must be at least --max-size");
    return relay_config_check_tls(c);
}

enum {
    MASK_TCP = 1 << TRANSPORT_TCP,
    MASK_TLS = 1 << TRANSPORT_TLS,
    MASK_UDP = 1 << TRANSPORT_UDP,
    MASK_UNIX = 1 << TRANSPORT_UNIX,
    MASK_UNIXGRAM = 1 << TRANSPORT_UNIXGRAM,
    MASK_IP = MASK_TCP | MASK_TLS | MASK_UDP,
    MASK_STREAM = MASK_TCP | MASK_TLS | MASK_UNIX
};

/* Options that only have an effect on listeners of these transports. */
static const struct {
    int option;
    unsigned transports;
    const char *flag;
    const char *listeners;
} listener_options[] = {
    {OPTION_RCVBUF, MASK_UDP, "--rcvbuf", "udp://"},
    {OPTION_REUSEPORT, MASK_IP, "--reuseport", "tcp://, tls:// or udp://"},
    {OPTION_SOCKET_MODE, MASK_UNIX | MASK_UNIXGRAM, "--socket-mode", "unix: or unixgram:"},
    {OPTION_ALLOW, MASK_IP, "--allow", "tcp://, tls:// or udp://"},
    {OPTION_ALLOW_UID, MASK_UNIX | MASK_UNIXGRAM, "--allow-uid", "unix: or unixgram:"},
    {OPTION_PROXY_PROTOCOL, MASK_TCP | MASK_TLS, "--proxy-protocol", "tcp:// or tls://"},
    {OPTION_HOST_FROM_PEER, MASK_IP, "--host-from-peer", "tcp://, tls:// or udp://"},
    {OPTION_MAX_CONNECTIONS, MASK_STREAM, "--max-connections", "tcp://, tls:// or unix:"},
    {OPTION_MAX_CONNECTIONS_PER_PEER, MASK_STREAM, "--max-connections-per-peer",
     "tcp://, tls:// or unix:"},
    {OPTION_MAX_MEMORY, MASK_STREAM, "--max-memory", "tcp://, tls:// or unix:"},
    {OPTION_IDLE_TIMEOUT, MASK_STREAM, "--idle-timeout", "tcp://, tls:// or unix:"},
    {OPTION_FIRST_MESSAGE_TIMEOUT, MASK_STREAM, "--first-message-timeout",
     "tcp://, tls:// or unix:"},
};

static const struct option_requirement requirements[] = {{OPTION_TLS_KEY, OPTION_TLS_CERT},
                                                         {OPTION_TLS_CA, OPTION_TLS_CERT},
                                                         {OPTION_TLS_PEER, OPTION_TLS_CERT},
                                                         {0}};

/* Datagrams have no framing, and counted messages contain line feeds. */
static bool relay_config_check_framing(const struct relay_config *c, const struct option_set *given,
                                       unsigned transports)
{
    int option = given->has['F'] ? 'F' : OPTION_MULTILINE;
    if (c->listen_count && given->has[option] && !(transports & MASK_STREAM)) {
        log_printf("%s: has no effect on datagrams", option == 'F' ? "--framing" : "--multiline");
        return false;
    }
    return !c->multiline || c->framing != FRAMING_OCTET ||
           relay_config_fail("--multiline: has no effect with --framing=octet");
}

/* Returns false and logs the reason if an option has no effect. systemd may pass any socket. */
static bool relay_config_check_effect(const struct relay_config *c, const struct option_set *given)
{
    unsigned transports = c->listen_systemd ? ~0U : 0;
    for (size_t i = 0; i < c->listen_count; i++)
        transports |= 1U << c->listen[i].transport;
    for (size_t i = 0; i < sizeof listener_options / sizeof *listener_options; i++) {
        if (!given->has[listener_options[i].option] ||
            (transports & listener_options[i].transports))
            continue;
        log_printf("%s: has no effect without --listen with %s", listener_options[i].flag,
                   listener_options[i].listeners);
        return false;
    }
    if (given->has[OPTION_HANDSHAKE_TIMEOUT] && !(transports & MASK_TLS) && !c->proxy_protocol)
        return relay_config_fail("--handshake-timeout: has no effect without --listen with tls:// "
                                 "or --proxy-protocol");
    if (given->has[OPTION_TZ] && c->format == FORMAT_RFC5424)
        return relay_config_fail("--tz: has no effect without --format=auto or rfc3164");
    if (given->has[OPTION_HOST] && c->format == FORMAT_RFC5424)
        return relay_config_fail("--host: has no effect without --format=auto or rfc3164");
    return relay_config_check_framing(c, given, transports);
}

/* Returns false and sets the exit status if the command line is invalid or asks for help. */
static bool relay_config_parse(struct relay_config *c, int argc, char **argv, int *status)
{
    int option;
    struct option_set given = {0};
    bool good = true;
    argv[0] = program_invocation_short_name;
    while (good && (option = getopt_long(argc, argv, "l:f:F:qhV", options, NULL)) != -1) {
        if (option == '?' && optopt == 0)
            option_suggest(argv[optind - 1], options);
        if (option == 'h' || option == 'V') {
            *status = option == 'h' ? print_help(help) : print_version();
            return false;
        }
        good = relay_config_set(c, option, optarg);
        given.has[option] = true;
    }
    c->files = argv + optind;
    c->file_count = argc - optind;
    if (!c->max_memory) /* a buffer doubles its capacity */
        c->max_memory = 2 * c->max_size > default_memory ? 2 * c->max_size : default_memory;
    good = good && option_check_requirements(&given, options, requirements) &&
           relay_config_set_fields(c) && relay_config_check(c) &&
           relay_config_check_effect(c, &given);
    if (!good)
        *status = print_usage_hint();
    return good;
}

int main(int argc, char **argv)
{
    struct relay_config config = {.max_size = 64 * 1024,
                                  .max_connections = 10000,
                                  .shutdown_timeout_ns = 20 * NS_PER_S,
                                  .jobs = 1,
                                  .socket_mode = -1,
                                  .first_message_timeout_ns = 600 * NS_PER_S,
                                  .handshake_timeout_ns = 10 * NS_PER_S};
    int status;
    descriptors_reserve_standard();
    bool good = relay_config_parse(&config, argc, argv, &status);
    tzset();
    if (good)
        status = relay_run(&config);
    free(config.listen);
    selector_free(&config.selector);
    access_config_free(&config.access);
    tls_config_free(&config.tls);
    return status;
}
