#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/descriptors.h"
#include "base/exit-status.h"
#include "base/log.h"
#include "base/options.h"
#include "publish/publish.h"
#include "publish/subject.h"

static const char help[] =
    "usage: shnek-pub [options] [SUBJECT]   publishes each JSON line of stdin on NATS\n"
    "  -s, --server=URL[,URL]...  nats:// or tls://                  [localhost:4222]\n"
    "      --user=USER, --password=PASSWORD, --token=TOKEN           who we are\n"
    "      --creds=FILE, --nkey=FILE                                 the same\n"
    "      --tlscert=FILE, --tlskey=FILE, --tlsca=FILE               TLS\n"
    "      --connection-name=NAME for the server's lists             [shnek-pub]\n"
    "      --timeout=DURATION     for one attempt to connect         [5s]\n"
    "      --connect-timeout=DURATION     for the first connection   [for ever]\n"
    "      --max-reconnect-time=DURATION  for each later one         [for ever]\n"
    "      --ping-interval=DURATION  two of silence: server is dead  [20s]\n"
    "      --window=SIZE          what may be unconfirmed            [16M]\n"
    "      --spool=FILE, --spool-sync=DURATION  the window in a file, on disk\n"
    "      --spill=FILE           where to write what stays unconfirmed [stdout]\n"
    "      --at-most-once         send nothing twice; some may be lost\n"
    "  -J, --jetstream, --stream=NAME   wait for a stream's acknowledgements;\n"
    "      --msg-id=TEMPLATE|auto, --create-stream[=SUBJECTS], --replicas=N,\n"
    "      --storage=file|memory, --max-age=DURATION, --max-bytes=SIZE\n"
    "      --no-check, -n, --dry-run  trust the input; print SUBJECT<TAB>PAYLOAD only\n"
    "      --rejects=FILE         append what is rejected, as JSON lines\n"
    "      --stats[=DURATION]     print counters at that interval    [1s]\n"
    "  -q, --quiet                do not print what is rejected\n"
    "  -h, --help; -V, --version  print this; print the version\n"
    "SUBJECT is $SHNEK_SUBJECT, else foo. $NATS_URL and others: see shnek-pub(1).\n"
    "Status: 0 the server has it all, 1 something was rejected, 2 failed.\n";

enum {
    OPTION_USER = 256,
    OPTION_PASSWORD,
    OPTION_TOKEN,
    OPTION_CREDS,
    OPTION_NKEY,
    OPTION_TLSCERT,
    OPTION_TLSKEY,
    OPTION_TLSCA,
    OPTION_CONNECTION_NAME,
    OPTION_TIMEOUT,
    OPTION_CONNECT_TIMEOUT,
    OPTION_MAX_RECONNECT_TIME,
    OPTION_PING_INTERVAL,
    OPTION_WINDOW,
    OPTION_SPOOL,
    OPTION_SPOOL_SYNC,
    OPTION_SPILL,
    OPTION_AT_MOST_ONCE,
    OPTION_STREAM,
    OPTION_CREATE_STREAM,
    OPTION_REPLICAS,
    OPTION_STORAGE,
    OPTION_MAX_AGE,
    OPTION_MAX_BYTES,
    OPTION_MSG_ID,
    OPTION_NO_CHECK,
    OPTION_REJECTS,
    OPTION_STATS
};

static const struct option options[] = {
    {"server", required_argument, NULL, 's'},
    {"user", required_argument, NULL, OPTION_USER},
    {"password", required_argument, NULL, OPTION_PASSWORD},
    {"token", required_argument, NULL, OPTION_TOKEN},
    {"creds", required_argument, NULL, OPTION_CREDS},
    {"nkey", required_argument, NULL, OPTION_NKEY},
    {"tlscert", required_argument, NULL, OPTION_TLSCERT},
    {"tlskey", required_argument, NULL, OPTION_TLSKEY},
    {"tlsca", required_argument, NULL, OPTION_TLSCA},
    {"connection-name", required_argument, NULL, OPTION_CONNECTION_NAME},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"connect-timeout", required_argument, NULL, OPTION_CONNECT_TIMEOUT},
    {"max-reconnect-time", required_argument, NULL, OPTION_MAX_RECONNECT_TIME},
    {"ping-interval", required_argument, NULL, OPTION_PING_INTERVAL},
    {"window", required_argument, NULL, OPTION_WINDOW},
    {"spool", required_argument, NULL, OPTION_SPOOL},
    {"spool-sync", required_argument, NULL, OPTION_SPOOL_SYNC},
    {"spill", required_argument, NULL, OPTION_SPILL},
    {"at-most-once", no_argument, NULL, OPTION_AT_MOST_ONCE},
    {"jetstream", no_argument, NULL, 'J'},
    {"stream", required_argument, NULL, OPTION_STREAM},
    {"create-stream", optional_argument, NULL, OPTION_CREATE_STREAM},
    {"replicas", required_argument, NULL, OPTION_REPLICAS},
    {"storage", required_argument, NULL, OPTION_STORAGE},
    {"max-age", required_argument, NULL, OPTION_MAX_AGE},
    {"max-bytes", required_argument, NULL, OPTION_MAX_BYTES},
    {"msg-id", required_argument, NULL, OPTION_MSG_ID},
    {"no-check", no_argument, NULL, OPTION_NO_CHECK},
    {"dry-run", no_argument, NULL, 'n'},
    {"rejects", required_argument, NULL, OPTION_REJECTS},
    {"stats", optional_argument, NULL, OPTION_STATS},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {0}};

/* A variable that is set to nothing counts as not set. */
static const char *pub_getenv(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static bool pub_set_timeout(const char *flag, const char *text, uint64_t *value)
{
    return option_duration(flag, text, NS_PER_S / 1000, 24 * 3600 * NS_PER_S, value);
}

static void pub_read_environment(struct publish_config *c)
{
    struct nats_conn_config *n = &c->session.nats;
    c->subject = pub_getenv("SHNEK_SUBJECT");
    n->user = pub_getenv("NATS_USER");
    n->password = pub_getenv("NATS_PASSWORD");
    n->token = pub_getenv("NATS_TOKEN");
    n->creds = pub_getenv("NATS_CREDS");
    n->nkey = pub_getenv("NATS_NKEY");
    n->tlscert = pub_getenv("NATS_CERT");
    n->tlskey = pub_getenv("NATS_KEY");
    n->tlsca = pub_getenv("NATS_CA");
    n->name = pub_getenv("NATS_CONNECTION_NAME");
}

/* As NATS has it: no white space, dots or wildcards. */
static bool pub_set_stream(struct jetstream_config *s, const char *text)
{
    s->stream = text;
    if (!subject_defect(text) && !strchr(text, '.') && strlen(text) < 256)
        return true;
    log_printf("--stream: '%s' is not the name of a stream", text);
    return false;
}

static bool pub_set_storage(struct jetstream_config *s, const char *text)
{
    static const char *const words[] = {"file", "memory", NULL};
    int choice;
    if (!option_choice("--storage", text, words, &choice))
        return false;
    s->memory = choice == 1;
    return true;
}

static bool pub_set_msg_id(struct jetstream_config *s, const char *text)
{
    s->msg_id = text;
    for (const char *p = text; *p; p++) {
        if ((unsigned char)*p < ' ' || *p == 127 || (*p == '{' && !strchr(p, '}'))) {
            log_printf("--msg-id: '%s' is not a template such as {hostname}-{msgid}, or auto",
                       text);
            return false;
        }
    }
    return true;
}

static bool pub_set_option(struct publish_config *c, int option, const char *text)
{
    struct nats_conn_config *n = &c->session.nats;
    switch (option) {
    case 'J':
        return c->jetstream = true;
    case OPTION_STREAM:
        return pub_set_stream(&c->stream, text);
    case OPTION_CREATE_STREAM:
        c->stream.create_subjects = text;
        return c->stream.create = true;
    case OPTION_REPLICAS:
        return option_count("--replicas", text, 1, 5, &c->stream.replicas);
    case OPTION_STORAGE:
        return pub_set_storage(&c->stream, text);
    case OPTION_MAX_AGE:
        return option_duration("--max-age", text, 0, INT64_MAX, &c->stream.max_age_ns);
    case OPTION_MAX_BYTES:
        return option_size("--max-bytes", text, 1, INT64_MAX, &c->stream.max_bytes);
    case OPTION_MSG_ID:
        return pub_set_msg_id(&c->stream, text);
    case 's':
        return nats_conn_add_servers(n, "--server", text);
    case OPTION_USER:
        n->user = text;
        return true;
    case OPTION_PASSWORD:
        n->password = text;
        return true;
    case OPTION_TOKEN:
        n->token = text;
        return true;
    case OPTION_CREDS:
        n->creds = text;
        return true;
    case OPTION_NKEY:
        n->nkey = text;
        return true;
    case OPTION_TLSCERT:
        n->tlscert = text;
        return true;
    case OPTION_TLSKEY:
        n->tlskey = text;
        return true;
    case OPTION_TLSCA:
        n->tlsca = text;
        return true;
    case OPTION_CONNECTION_NAME:
        n->name = text;
        return true;
    case OPTION_TIMEOUT:
        return pub_set_timeout("--timeout", text, &n->timeout_ns);
    case OPTION_CONNECT_TIMEOUT:
        return pub_set_timeout("--connect-timeout", text, &c->session.connect_timeout_ns);
    case OPTION_MAX_RECONNECT_TIME:
        return pub_set_timeout("--max-reconnect-time", text, &c->session.max_reconnect_time_ns);
    case OPTION_PING_INTERVAL:
        return pub_set_timeout("--ping-interval", text, &n->ping_interval_ns);
    case OPTION_WINDOW:
        return option_size("--window", text, 1 << 20, RING_MAX, &c->window_size);
    case OPTION_SPOOL:
        c->spool = text;
        return true;
    case OPTION_SPOOL_SYNC:
        return pub_set_timeout("--spool-sync", text, &c->spool_sync_ns);
    case OPTION_SPILL:
        c->spill = text;
        return true;
    case OPTION_AT_MOST_ONCE:
        return c->at_most_once = true;
    case OPTION_NO_CHECK:
        return c->no_check = true;
    case 'n':
        return c->dry_run = true;
    case OPTION_REJECTS:
        c->rejects = text;
        return true;
    case OPTION_STATS:
        return option_stats(text, &c->stats_interval_ns);
    case 'q':
        return c->quiet = true;
    default:
        return false;
    }
}

/* What no single option can tell, and what stands where none was given. */
static bool pub_check_options(struct publish_config *c, int argc, char **argv)
{
    struct nats_conn_config *n = &c->session.nats;
    if (argc - optind > 1) {
        log_printf("'%s': only one SUBJECT is taken", argv[optind + 1]);
        return false;
    }
    const char *timeout = pub_getenv("NATS_TIMEOUT");
    if (timeout && !n->timeout_ns && !pub_set_timeout("NATS_TIMEOUT", timeout, &n->timeout_ns))
        return false;
    if (!n->timeout_ns)
        n->timeout_ns = 5 * NS_PER_S;
    c->stream.timeout_ns = n->timeout_ns;
    if (optind < argc)
        c->subject = argv[optind];
    if (!c->subject)
        c->subject = "foo";
    const char *defect = subject_defect(c->subject);
    if (defect) {
        log_printf("SUBJECT '%s': %s", c->subject, defect);
        return false;
    }
    if (c->rejects && strcmp(c->rejects, "-") == 0) {
        log_printf("--rejects: name a file, '-' is not taken");
        return false;
    }
    if (!n->tlscert != !n->tlskey) {
        log_printf("--tlscert and --tlskey: one wants the other beside it");
        return false;
    }
    const struct jetstream_config *s = &c->stream;
    if (!c->jetstream && (s->stream || s->msg_id || s->create)) {
        log_printf("--stream, --create-stream and --msg-id want --jetstream");
        return false;
    }
    if (s->create && !s->stream) {
        log_printf("--create-stream wants --stream=NAME");
        return false;
    }
    if (c->jetstream && c->at_most_once) {
        log_printf(
            "--at-most-once is for core NATS; with --jetstream, --msg-id=auto avoids repeats");
        return false;
    }
    if (n->password && !n->user) {
        log_printf("--password: wants --user beside it");
        return false;
    }
    if (strcmp(c->subject, "-") == 0) {
        log_printf("SUBJECT '-': stdin is what is read anyway; name a subject");
        return false;
    }
    if (!n->name)
        n->name = "shnek-pub";
    const char *url = pub_getenv("NATS_URL");
    return n->server_count ||
           nats_conn_add_servers(n, "NATS_URL", url ? url : "nats://localhost:4222");
}

static bool pub_check_file(const char *flag, const char *path)
{
    if (!path || access(path, R_OK) == 0)
        return true;
    log_printf("%s: %s: %m", flag, path);
    return false;
}

/* The files that nats.c opens by itself, and says less about. */
static bool pub_check_files(const struct nats_conn_config *n)
{
    return pub_check_file("--creds", n->creds) && pub_check_file("--tlscert", n->tlscert) &&
           pub_check_file("--tlskey", n->tlskey) && pub_check_file("--tlsca", n->tlsca);
}

static bool pub_read_options(int argc, char **argv, struct publish_config *c, int *status)
{
    int option;
    bool good = true;
    pub_read_environment(c);
    argv[0] = program_invocation_short_name;
    while (good && (option = getopt_long(argc, argv, "s:JnqhV", options, NULL)) != -1) {
        if (option == 'h' || option == 'V') {
            *status = option == 'h' ? print_help(help) : print_version();
            return false;
        }
        good = pub_set_option(c, option, optarg);
    }
    good = good && pub_check_options(c, argc, argv);
    if (!good)
        *status = print_usage_hint();
    return good;
}

int main(int argc, char **argv)
{
    struct publish_config config = {.stream = {.replicas = 1},
                                    .session = {.nats = {.ping_interval_ns = 20 * NS_PER_S}}};
    int status;
    descriptors_reserve_standard();
    if (pub_read_options(argc, argv, &config, &status))
        status = !pub_check_files(&config.session.nats) ? STATUS_FAILED : publish_run(&config);
    for (size_t i = 0; i < config.session.nats.server_count; i++)
        free(config.session.nats.servers[i]);
    free(config.session.nats.servers);
    return status;
}
