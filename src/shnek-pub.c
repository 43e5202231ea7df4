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
#include "publish/msg-id.h"
#include "publish/publish.h"
#include "publish/spool-list.h"
#include "publish/subject.h"

enum {
    STREAM_NAME_MAX = 255,            /* bytes; the limit of nats-server */
    BATCH_SIZE_MAX = 64 * 1024 * 1024 /* bytes; its limit of max_payload */
};

static const char help[] =
    "usage: shnek-pub [options] [SUBJECT]\n"
    "\n"
    "Publishes each line of stdin, a JSON object, as one message to SUBJECT on NATS.\n"
    "SUBJECT defaults to $SHNEK_SUBJECT, else foo. It may contain fields of the line,\n"
    "as in 'logs.{facility}.{hostname}', and partitions, as in 'logs.{#16:hostname}'.\n"
    "\n"
    "Server:\n"
    "  -s, --server=URL[,URL]...   Connect to one of these [nats://localhost:4222]\n"
    "      --connection-name=NAME  Show this name in the server's lists [shnek-pub]\n"
    "      --timeout=DURATION      Limit one attempt to connect, and the wait for an\n"
    "                              acknowledgement of a stream [5s]\n"
    "      --connect-timeout=DURATION\n"
    "                              Limit the wait for the first connection [none]\n"
    "      --max-reconnect-time=DURATION\n"
    "                              Limit the wait for a later connection [none]\n"
    "      --ping-interval=DURATION\n"
    "                              Send a PING this often; two that are not answered\n"
    "                              end the connection [20s]\n"
    "\n"
    "Authentication and TLS:\n"
    "      --user=USER             Log in as USER\n"
    "      --password=PASSWORD     Log in with PASSWORD; requires --user\n"
    "      --token=TOKEN           Log in with TOKEN\n"
    "      --creds=FILE            Log in with a credentials file (JWT and seed)\n"
    "      --nkey=FILE             Log in with the nkey whose seed is in FILE\n"
    "      --tlscert=FILE          Present this client certificate (PEM)\n"
    "      --tlskey=FILE           Use this key of the certificate (PEM)\n"
    "      --tlsca=FILE            Trust these authorities, too (PEM)\n"
    "\n"
    "Message:\n"
    "  -H, --header='NAME: VALUE'  Add this header; fields as in SUBJECT\n"
    "\n"
    "Delivery:\n"
    "      --batch=SIZE            Publish consecutive lines together, as messages of\n"
    "                              NDJSON of up to SIZE [each line is a message]\n"
    "      --batch-wait=DURATION   Limit how long a batch waits for more lines [10ms]\n"
    "      --window=SIZE           Keep up to SIZE of unconfirmed lines [16M]\n"
    "      --spool=FILE            Keep the unconfirmed lines in FILE, which a later\n"
    "                              run continues with\n"
    "      --spool-sync=DURATION   Force the spool to disk this often [never]\n"
    "      --spool-list            Print the unconfirmed lines of the spool, and exit\n"
    "      --spill=FILE            Append lines left unconfirmed to FILE [stdout]\n"
    "      --at-most-once          Resend nothing; messages may be lost\n"
    "\n"
    "JetStream:\n"
    "  -J, --jetstream             Wait for the stream to acknowledge each message\n"
    "      --stream=NAME           Require that this stream stores the messages\n"
    "      --msg-id=TEMPLATE       Deduplicate by this ID: fields of the line, as in\n"
    "                              SUBJECT, auto, or hash [none]\n"
    "      --create-stream[=SUBJECTS]\n"
    "                              Create the stream if it does not exist [SUBJECT]\n"
    "      --replicas=COUNT        Create it with 1 to 5 replicas [1]\n"
    "      --storage=STORAGE       Create it in file or memory storage [file]\n"
    "      --max-age=DURATION      Create it with this age limit [none]\n"
    "      --max-bytes=SIZE        Create it with this size limit [none]\n"
    "\n"
    "Input and output:\n"
    "      --no-check              Publish lines that are not JSON, too\n"
    "  -n, --dry-run               Print SUBJECT<TAB>PAYLOAD; connect to no server\n"
    "      --rejects=FILE          Append rejected lines to FILE as JSON lines\n"
    "      --stats[=DURATION]      Print counters at this interval, and totals [1s]\n"
    "  -q, --quiet                 Do not log rejected lines\n"
    "\n"
    "General:\n"
    "  -h, --help                  Print this help\n"
    "  -V, --version               Print the version\n"
    "\n"
    "Exit status: 0 everything was confirmed, 1 lines were rejected, 2 failure.\n"
    "$NATS_URL and other environment variables are described in shnek-pub(1).\n";

enum {
    PUB_OPTION_USER = 256,
    PUB_OPTION_PASSWORD,
    PUB_OPTION_TOKEN,
    PUB_OPTION_CREDS,
    PUB_OPTION_NKEY,
    PUB_OPTION_TLSCERT,
    PUB_OPTION_TLSKEY,
    PUB_OPTION_TLSCA,
    PUB_OPTION_CONNECTION_NAME,
    PUB_OPTION_TIMEOUT,
    PUB_OPTION_CONNECT_TIMEOUT,
    PUB_OPTION_MAX_RECONNECT_TIME,
    PUB_OPTION_PING_INTERVAL,
    PUB_OPTION_WINDOW,
    PUB_OPTION_SPOOL,
    PUB_OPTION_SPOOL_SYNC,
    PUB_OPTION_SPOOL_LIST,
    PUB_OPTION_SPILL,
    PUB_OPTION_AT_MOST_ONCE,
    PUB_OPTION_STREAM,
    PUB_OPTION_CREATE_STREAM,
    PUB_OPTION_REPLICAS,
    PUB_OPTION_STORAGE,
    PUB_OPTION_MAX_AGE,
    PUB_OPTION_MAX_BYTES,
    PUB_OPTION_MSG_ID,
    PUB_OPTION_BATCH,
    PUB_OPTION_BATCH_WAIT,
    PUB_OPTION_NO_CHECK,
    PUB_OPTION_REJECTS,
    PUB_OPTION_STATS
};

static const struct option options[] = {
    {"server", required_argument, NULL, 's'},
    {"user", required_argument, NULL, PUB_OPTION_USER},
    {"password", required_argument, NULL, PUB_OPTION_PASSWORD},
    {"token", required_argument, NULL, PUB_OPTION_TOKEN},
    {"creds", required_argument, NULL, PUB_OPTION_CREDS},
    {"nkey", required_argument, NULL, PUB_OPTION_NKEY},
    {"tlscert", required_argument, NULL, PUB_OPTION_TLSCERT},
    {"tlskey", required_argument, NULL, PUB_OPTION_TLSKEY},
    {"tlsca", required_argument, NULL, PUB_OPTION_TLSCA},
    {"connection-name", required_argument, NULL, PUB_OPTION_CONNECTION_NAME},
    {"timeout", required_argument, NULL, PUB_OPTION_TIMEOUT},
    {"connect-timeout", required_argument, NULL, PUB_OPTION_CONNECT_TIMEOUT},
    {"max-reconnect-time", required_argument, NULL, PUB_OPTION_MAX_RECONNECT_TIME},
    {"ping-interval", required_argument, NULL, PUB_OPTION_PING_INTERVAL},
    {"header", required_argument, NULL, 'H'},
    {"window", required_argument, NULL, PUB_OPTION_WINDOW},
    {"spool", required_argument, NULL, PUB_OPTION_SPOOL},
    {"spool-sync", required_argument, NULL, PUB_OPTION_SPOOL_SYNC},
    {"spool-list", no_argument, NULL, PUB_OPTION_SPOOL_LIST},
    {"spill", required_argument, NULL, PUB_OPTION_SPILL},
    {"at-most-once", no_argument, NULL, PUB_OPTION_AT_MOST_ONCE},
    {"jetstream", no_argument, NULL, 'J'},
    {"stream", required_argument, NULL, PUB_OPTION_STREAM},
    {"create-stream", optional_argument, NULL, PUB_OPTION_CREATE_STREAM},
    {"replicas", required_argument, NULL, PUB_OPTION_REPLICAS},
    {"storage", required_argument, NULL, PUB_OPTION_STORAGE},
    {"max-age", required_argument, NULL, PUB_OPTION_MAX_AGE},
    {"max-bytes", required_argument, NULL, PUB_OPTION_MAX_BYTES},
    {"msg-id", required_argument, NULL, PUB_OPTION_MSG_ID},
    {"batch", required_argument, NULL, PUB_OPTION_BATCH},
    {"batch-wait", required_argument, NULL, PUB_OPTION_BATCH_WAIT},
    {"no-check", no_argument, NULL, PUB_OPTION_NO_CHECK},
    {"dry-run", no_argument, NULL, 'n'},
    {"rejects", required_argument, NULL, PUB_OPTION_REJECTS},
    {"stats", optional_argument, NULL, PUB_OPTION_STATS},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {0}};

/* Returns NULL also if the variable is empty. */
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

static bool pub_set_stream(struct stream_config *s, const char *text)
{
    s->name = text;
    if (!subject_defect(text) && !strchr(text, '.') && strlen(text) <= STREAM_NAME_MAX)
        return true;
    log_printf("--stream: '%s' is not a stream name: 1 to %d bytes without white space, '.', '*' "
               "and '>'",
               text, STREAM_NAME_MAX);
    return false;
}

static bool pub_set_storage(struct stream_config *s, const char *text)
{
    static const char *const choices[] = {"file", "memory", NULL};
    int choice;
    if (!option_choice("--storage", text, choices, &choice))
        return false;
    s->memory = choice == 1;
    return true;
}

static bool pub_set_msg_id(struct jetstream_config *j, const char *text)
{
    char error_text[LINE_TEMPLATE_TEXT_MAX];
    struct msg_id m;
    bool is_valid = msg_id_init(&m, text, error_text);
    msg_id_free(&m);
    j->msg_id = text;
    if (!is_valid)
        log_printf("--msg-id: '%s': %s", text, error_text);
    return is_valid;
}

static bool pub_set_option(struct publish_config *c, int option, const char *text)
{
    struct nats_conn_config *n = &c->session.nats;
    struct stream_config *stream = &c->jetstream.stream;
    switch (option) {
    case 'J':
        return c->use_jetstream = true;
    case PUB_OPTION_STREAM:
        return pub_set_stream(stream, text);
    case PUB_OPTION_CREATE_STREAM:
        stream->create_subjects = text;
        return stream->create = true;
    case PUB_OPTION_REPLICAS:
        return option_count("--replicas", text, 1, 5, &stream->replicas);
    case PUB_OPTION_STORAGE:
        return pub_set_storage(stream, text);
    case PUB_OPTION_MAX_AGE:
        return option_duration("--max-age", text, 0, INT64_MAX, &stream->max_age_ns);
    case PUB_OPTION_MAX_BYTES:
        return option_size("--max-bytes", text, 1, INT64_MAX, &stream->max_bytes);
    case PUB_OPTION_MSG_ID:
        return pub_set_msg_id(&c->jetstream, text);
    case PUB_OPTION_BATCH:
        return option_size("--batch", text, 1, BATCH_SIZE_MAX, &c->batch.size);
    case PUB_OPTION_BATCH_WAIT:
        return option_duration("--batch-wait", text, 0, 3600 * NS_PER_S, &c->batch.wait_ns);
    case 'H':
        return envelope_add_header(&c->envelope, text);
    case 's':
        return nats_conn_add_servers(n, "--server", text);
    case PUB_OPTION_USER:
        n->user = text;
        return true;
    case PUB_OPTION_PASSWORD:
        n->password = text;
        return true;
    case PUB_OPTION_TOKEN:
        n->token = text;
        return true;
    case PUB_OPTION_CREDS:
        n->creds = text;
        return true;
    case PUB_OPTION_NKEY:
        n->nkey = text;
        return true;
    case PUB_OPTION_TLSCERT:
        n->tlscert = text;
        return true;
    case PUB_OPTION_TLSKEY:
        n->tlskey = text;
        return true;
    case PUB_OPTION_TLSCA:
        n->tlsca = text;
        return true;
    case PUB_OPTION_CONNECTION_NAME:
        n->name = text;
        return true;
    case PUB_OPTION_TIMEOUT:
        return pub_set_timeout("--timeout", text, &n->timeout_ns);
    case PUB_OPTION_CONNECT_TIMEOUT:
        return pub_set_timeout("--connect-timeout", text, &c->session.connect_timeout_ns);
    case PUB_OPTION_MAX_RECONNECT_TIME:
        return pub_set_timeout("--max-reconnect-time", text, &c->session.max_reconnect_time_ns);
    case PUB_OPTION_PING_INTERVAL:
        return pub_set_timeout("--ping-interval", text, &n->ping_interval_ns);
    case PUB_OPTION_WINDOW:
        return option_size("--window", text, 1 << 20, RING_MAX, &c->window_size);
    case PUB_OPTION_SPOOL:
        c->spool = text;
        return true;
    case PUB_OPTION_SPOOL_SYNC:
        return pub_set_timeout("--spool-sync", text, &c->spool_sync_ns);
    case PUB_OPTION_SPOOL_LIST:
        return c->spool_list = true;
    case PUB_OPTION_SPILL:
        c->spill = text;
        return true;
    case PUB_OPTION_AT_MOST_ONCE:
        return c->at_most_once = true;
    case PUB_OPTION_NO_CHECK:
        return c->no_check = true;
    case 'n':
        return c->dry_run = true;
    case PUB_OPTION_REJECTS:
        c->rejects = text;
        return true;
    case PUB_OPTION_STATS:
        return option_stats(text, &c->stats_interval_ns);
    case 'q':
        return c->quiet = true;
    default:
        return false;
    }
}

static bool pub_set_defaults(struct publish_config *c)
{
    struct nats_conn_config *n = &c->session.nats;
    const char *timeout = pub_getenv("NATS_TIMEOUT");
    if (timeout && !n->timeout_ns && !pub_set_timeout("NATS_TIMEOUT", timeout, &n->timeout_ns))
        return false;
    if (!n->timeout_ns)
        n->timeout_ns = 5 * NS_PER_S;
    c->jetstream.ack_timeout_ns = n->timeout_ns;
    c->jetstream.stream.timeout_ns = n->timeout_ns;
    if (!n->name)
        n->name = "shnek-pub";
    return true;
}

static bool pub_set_subject(struct publish_config *c, const char *subject)
{
    if (!subject)
        subject = pub_getenv("SHNEK_SUBJECT");
    if (!subject)
        subject = "foo";
    if (strcmp(subject, "-") == 0) {
        log_printf("SUBJECT '-': stdin is always read; name a subject");
        return false;
    }
    return envelope_set_subject(&c->envelope, subject);
}

/* Returns what is wrong with the combination of options, or NULL. */
static const char *pub_find_conflict(const struct publish_config *c)
{
    const struct nats_conn_config *n = &c->session.nats;
    const struct stream_config *stream = &c->jetstream.stream;
    if (c->rejects && strcmp(c->rejects, "-") == 0)
        return "--rejects: '-' is not accepted; name a file";
    if (c->spool_list && !c->spool)
        return "--spool-list requires --spool=FILE";
    if (n->tlscert && !n->tlskey)
        return "--tlscert and --tlskey must be given together; --tlskey is missing";
    if (n->tlskey && !n->tlscert)
        return "--tlscert and --tlskey must be given together; --tlscert is missing";
    if (!c->use_jetstream && stream->name)
        return "--stream requires --jetstream";
    if (!c->use_jetstream && stream->create)
        return "--create-stream requires --jetstream";
    if (!c->use_jetstream && c->jetstream.msg_id)
        return "--msg-id requires --jetstream";
    if (stream->create && !stream->name)
        return "--create-stream requires --stream=NAME";
    if (c->use_jetstream && c->at_most_once)
        return "--at-most-once excludes --jetstream; --msg-id=auto avoids duplicates there";
    if (c->batch.size && envelope_has_header(&c->envelope, "Content-Type"))
        return "--header: --batch sets Content-Type";
    if (c->batch.size && c->jetstream.msg_id && !msg_id_is_for_batches(c->jetstream.msg_id))
        return "--msg-id: a template identifies one record; with --batch, use auto or hash";
    if (n->password && !n->user)
        return "--password requires --user";
    return NULL;
}

static bool pub_check_options(struct publish_config *c, int argc, char **argv)
{
    struct nats_conn_config *n = &c->session.nats;
    if (argc - optind > 1) {
        log_printf("'%s': only one SUBJECT is accepted", argv[optind + 1]);
        return false;
    }
    if (!pub_set_defaults(c) || !pub_set_subject(c, optind < argc ? argv[optind] : NULL))
        return false;
    c->envelope.checks_lines = c->no_check;
    const char *conflict = pub_find_conflict(c);
    if (conflict) {
        log_printf("%s", conflict);
        return false;
    }
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

/* nats.c opens these files, but its errors do not always name them. */
static bool pub_check_files(const struct nats_conn_config *n)
{
    return pub_check_file("--creds", n->creds) && pub_check_file("--tlscert", n->tlscert) &&
           pub_check_file("--tlskey", n->tlskey) && pub_check_file("--tlsca", n->tlsca);
}

static bool pub_read_options(int argc, char **argv, struct publish_config *c, int *status)
{
    int option;
    bool valid = true;
    pub_read_environment(c);
    argv[0] = program_invocation_short_name;
    while (valid && (option = getopt_long(argc, argv, "s:H:JnqhV", options, NULL)) != -1) {
        if (option == '?' && optopt == 0)
            option_suggest(argv[optind - 1], options);
        if (option == 'h' || option == 'V') {
            *status = option == 'h' ? print_help(help) : print_version();
            return false;
        }
        valid = pub_set_option(c, option, optarg);
    }
    valid = valid && pub_check_options(c, argc, argv);
    if (!valid)
        *status = print_usage_hint();
    return valid;
}

static int pub_run(struct publish_config *c)
{
    if (c->spool_list)
        return spool_list(c->spool);
    return pub_check_files(&c->session.nats) ? publish_run(c) : STATUS_FAILED;
}

int main(int argc, char **argv)
{
    struct publish_config config = {.batch = {.wait_ns = NS_PER_S / 100},
                                    .jetstream = {.stream = {.replicas = 1}},
                                    .session = {.nats = {.ping_interval_ns = 20 * NS_PER_S}}};
    int status;
    descriptors_reserve_standard();
    if (pub_read_options(argc, argv, &config, &status))
        status = pub_run(&config);
    for (size_t i = 0; i < config.session.nats.server_count; i++)
        free(config.session.nats.servers[i]);
    free(config.session.nats.servers);
    envelope_free(&config.envelope);
    return status;
}
