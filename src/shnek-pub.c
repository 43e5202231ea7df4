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
#include "publish/settings.h"
#include "publish/spool-list.h"
#include "publish/subject.h"

enum { BATCH_SIZE_MAX = 64 * 1024 * 1024 }; /* bytes; the limit of max_payload of nats-server */

static const char help[] =
    "usage: shnek-pub [options] [SUBJECT]\n"
    "\n"
    "Publishes each line of stdin, a JSON object, as one message to SUBJECT on NATS.\n"
    "SUBJECT defaults to $SHNEK_SUBJECT, else foo. It may contain fields of the line,\n"
    "as in 'logs.{facility}.{hostname}', and partitions, as in 'logs.{#16:hostname}'.\n"
    "\n"
    "Server:\n"
    "  -s, --server=URL[,URL]...   Connect to one of these [nats://localhost:4222]\n"
    "      --context=NAME          Use this context of the nats CLI, or the file NAME\n"
    "                              if that ends in .json [the selected context]\n"
    "      --no-context            Use no context\n"
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
    "      --user=USER             Log in as USER, or with USER as a token if\n"
    "                              there is no password\n"
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
    "      --shutdown-timeout=DURATION\n"
    "                              Stop draining after this time [20s]\n"
    "\n"
    "JetStream:\n"
    "  -J, --jetstream             Wait for the stream to acknowledge each message\n"
    "      --js-domain=DOMAIN      Use JetStream in this domain\n"
    "      --js-api-prefix=PREFIX  Use the JetStream API with PREFIX [$JS.API]\n"
    "      --inbox-prefix=PREFIX   Receive replies with PREFIX [_INBOX]\n"
    "      --stream=NAME           Require that this stream stores the messages\n"
    "      --msg-id=TEMPLATE       Deduplicate by this ID: fields of the line, as in\n"
    "                              SUBJECT, auto, or hash [none]\n"
    "      --create-stream[=SUBJECTS]\n"
    "                              Create the stream if it does not exist [SUBJECT]\n"
    "      --subjects=SUBJECTS     Create it for these subjects [SUBJECT]\n"
    "      --replicas=COUNT        Create it with 1 to 5 replicas [1]\n"
    "      --storage=STORAGE       Create it in file or memory storage [file]\n"
    "      --retention=POLICY      Create it with limits, interest or workqueue\n"
    "                              retention [limits]\n"
    "      --discard=POLICY        Create it to discard old or new messages [old]\n"
    "      --max-age=DURATION      Create it with this age limit [none]\n"
    "      --max-bytes=SIZE        Create it with this size limit [none]\n"
    "      --max-msgs=COUNT        Create it with this limit of messages [none]\n"
    "      --max-msg-size=SIZE     Create it with this limit of a message [none]\n"
    "      --dupe-window=DURATION  Create it with this duplicate window [2m]\n"
    "      --stream-config=FILE    Create the stream with the JSON of\n"
    "                              'nats stream info --json'\n"
    "\n"
    "Input and output:\n"
    "      --no-check              Publish lines that are not JSON, too\n"
    "  -n, --dry-run               Print SUBJECT<TAB>PAYLOAD; connect to no server\n"
    "      --rejects=FILE          Append rejected lines to FILE as JSON lines\n"
    "      --metrics=HOST:PORT|FILE.prom\n"
    "                              Serve metrics for Prometheus by HTTP, or write\n"
    "                              them to a file every 15 s\n"
    "      --stats[=DURATION]      Print counters at this interval, and totals [1s]\n"
    "  -q, --quiet                 Do not log rejected lines\n"
    "\n"
    "General:\n"
    "  -h, --help                  Print this help\n"
    "  -V, --version               Print the version\n"
    "\n"
    "Exit status: 0 everything was confirmed, 1 lines were rejected, 2 failure.\n"
    "$NATS_URL and other environment variables are described in shnek-pub(1).\n";

/* Options of the connection have the values of settings.h. */
enum {
    PUB_OPTION_SETTINGS = 256,
    PUB_OPTION_USER = PUB_OPTION_SETTINGS + SETTINGS_USER,
    PUB_OPTION_PASSWORD = PUB_OPTION_SETTINGS + SETTINGS_PASSWORD,
    PUB_OPTION_TOKEN = PUB_OPTION_SETTINGS + SETTINGS_TOKEN,
    PUB_OPTION_CREDS = PUB_OPTION_SETTINGS + SETTINGS_CREDS,
    PUB_OPTION_NKEY = PUB_OPTION_SETTINGS + SETTINGS_NKEY,
    PUB_OPTION_TLSCERT = PUB_OPTION_SETTINGS + SETTINGS_CERT,
    PUB_OPTION_TLSKEY = PUB_OPTION_SETTINGS + SETTINGS_KEY,
    PUB_OPTION_TLSCA = PUB_OPTION_SETTINGS + SETTINGS_CA,
    PUB_OPTION_CONNECTION_NAME = PUB_OPTION_SETTINGS + SETTINGS_NAME,
    PUB_OPTION_INBOX_PREFIX = PUB_OPTION_SETTINGS + SETTINGS_INBOX_PREFIX,
    PUB_OPTION_JS_DOMAIN = PUB_OPTION_SETTINGS + SETTINGS_JS_DOMAIN,
    PUB_OPTION_JS_API_PREFIX = PUB_OPTION_SETTINGS + SETTINGS_JS_API_PREFIX,
    PUB_OPTION_CONTEXT = PUB_OPTION_SETTINGS + SETTINGS_KEYS,
    PUB_OPTION_NO_CONTEXT,
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
    PUB_OPTION_SHUTDOWN_TIMEOUT,
    PUB_OPTION_STREAM,
    PUB_OPTION_CREATE_STREAM,
    PUB_OPTION_REPLICAS,
    PUB_OPTION_STORAGE,
    PUB_OPTION_SUBJECTS,
    PUB_OPTION_RETENTION,
    PUB_OPTION_DISCARD,
    PUB_OPTION_MAX_AGE,
    PUB_OPTION_MAX_BYTES,
    PUB_OPTION_MAX_MSGS,
    PUB_OPTION_MAX_MSG_SIZE,
    PUB_OPTION_DUPE_WINDOW,
    PUB_OPTION_STREAM_CONFIG,
    PUB_OPTION_MSG_ID,
    PUB_OPTION_BATCH,
    PUB_OPTION_BATCH_WAIT,
    PUB_OPTION_NO_CHECK,
    PUB_OPTION_REJECTS,
    PUB_OPTION_STATS,
    PUB_OPTION_METRICS
};

static const struct option options[] = {
    {"server", required_argument, NULL, 's'},
    {"context", required_argument, NULL, PUB_OPTION_CONTEXT},
    {"no-context", no_argument, NULL, PUB_OPTION_NO_CONTEXT},
    {"user", required_argument, NULL, PUB_OPTION_USER},
    {"password", required_argument, NULL, PUB_OPTION_PASSWORD},
    {"token", required_argument, NULL, PUB_OPTION_TOKEN},
    {"creds", required_argument, NULL, PUB_OPTION_CREDS},
    {"nkey", required_argument, NULL, PUB_OPTION_NKEY},
    {"tlscert", required_argument, NULL, PUB_OPTION_TLSCERT},
    {"tlskey", required_argument, NULL, PUB_OPTION_TLSKEY},
    {"tlsca", required_argument, NULL, PUB_OPTION_TLSCA},
    {"tls-cert", required_argument, NULL, PUB_OPTION_TLSCERT},
    {"tls-key", required_argument, NULL, PUB_OPTION_TLSKEY},
    {"tls-ca", required_argument, NULL, PUB_OPTION_TLSCA},
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
    {"shutdown-timeout", required_argument, NULL, PUB_OPTION_SHUTDOWN_TIMEOUT},
    {"jetstream", no_argument, NULL, 'J'},
    {"js-domain", required_argument, NULL, PUB_OPTION_JS_DOMAIN},
    {"js-api-prefix", required_argument, NULL, PUB_OPTION_JS_API_PREFIX},
    {"inbox-prefix", required_argument, NULL, PUB_OPTION_INBOX_PREFIX},
    {"stream", required_argument, NULL, PUB_OPTION_STREAM},
    {"create-stream", optional_argument, NULL, PUB_OPTION_CREATE_STREAM},
    {"subjects", required_argument, NULL, PUB_OPTION_SUBJECTS},
    {"replicas", required_argument, NULL, PUB_OPTION_REPLICAS},
    {"storage", required_argument, NULL, PUB_OPTION_STORAGE},
    {"retention", required_argument, NULL, PUB_OPTION_RETENTION},
    {"discard", required_argument, NULL, PUB_OPTION_DISCARD},
    {"max-age", required_argument, NULL, PUB_OPTION_MAX_AGE},
    {"max-bytes", required_argument, NULL, PUB_OPTION_MAX_BYTES},
    {"max-msgs", required_argument, NULL, PUB_OPTION_MAX_MSGS},
    {"max-msg-size", required_argument, NULL, PUB_OPTION_MAX_MSG_SIZE},
    {"dupe-window", required_argument, NULL, PUB_OPTION_DUPE_WINDOW},
    {"stream-config", required_argument, NULL, PUB_OPTION_STREAM_CONFIG},
    {"msg-id", required_argument, NULL, PUB_OPTION_MSG_ID},
    {"batch", required_argument, NULL, PUB_OPTION_BATCH},
    {"batch-wait", required_argument, NULL, PUB_OPTION_BATCH_WAIT},
    {"no-check", no_argument, NULL, PUB_OPTION_NO_CHECK},
    {"dry-run", no_argument, NULL, 'n'},
    {"rejects", required_argument, NULL, PUB_OPTION_REJECTS},
    {"stats", optional_argument, NULL, PUB_OPTION_STATS},
    {"metrics", required_argument, NULL, PUB_OPTION_METRICS},
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

/* Options that set a setting of the stream. */
static const struct {
    const char *flag;
    int option;
    enum stream_setting setting;
} pub_stream_options[] = {
    {"--replicas", PUB_OPTION_REPLICAS, STREAM_REPLICAS},
    {"--storage", PUB_OPTION_STORAGE, STREAM_STORAGE},
    {"--retention", PUB_OPTION_RETENTION, STREAM_RETENTION},
    {"--discard", PUB_OPTION_DISCARD, STREAM_DISCARD},
    {"--max-age", PUB_OPTION_MAX_AGE, STREAM_MAX_AGE},
    {"--max-bytes", PUB_OPTION_MAX_BYTES, STREAM_MAX_BYTES},
    {"--max-msgs", PUB_OPTION_MAX_MSGS, STREAM_MAX_MSGS},
    {"--max-msg-size", PUB_OPTION_MAX_MSG_SIZE, STREAM_MAX_MSG_SIZE},
    {"--dupe-window", PUB_OPTION_DUPE_WINDOW, STREAM_DUPE_WINDOW},
};

static bool pub_set_stream_option(struct stream_config *s, int option, const char *text)
{
    for (size_t i = 0; i < sizeof pub_stream_options / sizeof *pub_stream_options; i++)
        if (pub_stream_options[i].option == option)
            return stream_config_set(s, pub_stream_options[i].setting, pub_stream_options[i].flag,
                                     text);
    return false;
}

/* --create-stream[=SUBJECTS] and --subjects=SUBJECTS */
static bool pub_set_subjects(struct stream_config *s, const char *flag, const char *text)
{
    if (text && s->subjects.count) {
        log_printf("%s: the subjects are given twice, by --create-stream and --subjects", flag);
        return false;
    }
    return !text || stream_config_set_subjects(s, flag, text);
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
    if (option >= PUB_OPTION_SETTINGS && option < PUB_OPTION_SETTINGS + SETTINGS_KEYS)
        return settings_set(&c->settings, n, (enum settings_key)(option - PUB_OPTION_SETTINGS),
                            text);
    switch (option) {
    case 'J':
        return c->use_jetstream = true;
    case PUB_OPTION_STREAM:
        return stream_config_set_name(stream, text);
    case PUB_OPTION_CREATE_STREAM:
        stream->create = true;
        return pub_set_subjects(stream, "--create-stream", text);
    case PUB_OPTION_SUBJECTS:
        return pub_set_subjects(stream, "--subjects", text);
    case PUB_OPTION_STREAM_CONFIG:
        stream->file = text;
        return true;
    case PUB_OPTION_MSG_ID:
        return pub_set_msg_id(&c->jetstream, text);
    case PUB_OPTION_BATCH:
        return option_size("--batch", text, 1, BATCH_SIZE_MAX, &c->batch.size);
    case PUB_OPTION_BATCH_WAIT:
        return option_duration("--batch-wait", text, 0, 3600 * NS_PER_S, &c->batch.wait_ns);
    case 'H':
        return envelope_add_header(&c->envelope, text);
    case 's':
        return settings_set(&c->settings, n, SETTINGS_URL, text);
    case PUB_OPTION_CONTEXT:
        c->settings.context_option = text;
        return true;
    case PUB_OPTION_NO_CONTEXT:
        return c->settings.no_context = true;
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
    case PUB_OPTION_SHUTDOWN_TIMEOUT:
        return option_duration("--shutdown-timeout", text, 0, 24 * 3600 * NS_PER_S,
                               &c->shutdown_timeout_ns);
    case PUB_OPTION_NO_CHECK:
        return c->no_check = true;
    case 'n':
        return c->dry_run = true;
    case PUB_OPTION_REJECTS:
        c->rejects = text;
        return true;
    case PUB_OPTION_STATS:
        return option_stats(text, &c->stats_interval_ns);
    case PUB_OPTION_METRICS:
        return metrics_target_parse(&c->metrics, text);
    case 'q':
        return c->quiet = true;
    default:
        return pub_set_stream_option(stream, option, text);
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

static const struct option_requirement requirements[] = {
    {PUB_OPTION_STREAM, 'J'},
    {PUB_OPTION_MSG_ID, 'J'},
    {PUB_OPTION_CREATE_STREAM, PUB_OPTION_STREAM},
    {PUB_OPTION_REPLICAS, PUB_OPTION_CREATE_STREAM},
    {PUB_OPTION_STORAGE, PUB_OPTION_CREATE_STREAM},
    {PUB_OPTION_MAX_AGE, PUB_OPTION_CREATE_STREAM},
    {PUB_OPTION_MAX_BYTES, PUB_OPTION_CREATE_STREAM},
    {PUB_OPTION_MAX_MSGS, PUB_OPTION_CREATE_STREAM},
    {PUB_OPTION_MAX_MSG_SIZE, PUB_OPTION_CREATE_STREAM},
    {PUB_OPTION_SUBJECTS, PUB_OPTION_CREATE_STREAM},
    {PUB_OPTION_RETENTION, PUB_OPTION_CREATE_STREAM},
    {PUB_OPTION_DISCARD, PUB_OPTION_CREATE_STREAM},
    {PUB_OPTION_DUPE_WINDOW, PUB_OPTION_CREATE_STREAM},
    {PUB_OPTION_STREAM_CONFIG, 'J'},
    {PUB_OPTION_JS_DOMAIN, 'J'},
    {PUB_OPTION_JS_API_PREFIX, 'J'},
    {PUB_OPTION_INBOX_PREFIX, 'J'},
    {PUB_OPTION_SPOOL_SYNC, PUB_OPTION_SPOOL},
    {PUB_OPTION_SPOOL_LIST, PUB_OPTION_SPOOL},
    {0}};

/* Returns what is wrong with the combination of options, or NULL. */
static const char *pub_find_conflict(const struct publish_config *c)
{
    const struct stream_config *stream = &c->jetstream.stream;
    if (c->rejects && strcmp(c->rejects, "-") == 0)
        return "--rejects: '-' is not accepted; name a file";
    if (stream->file && (stream->create || stream->subjects.count || stream->first_option))
        return "--stream-config excludes --create-stream, --subjects and settings of the stream";
    if (c->use_jetstream && c->at_most_once)
        return "--at-most-once excludes --jetstream; --msg-id=auto avoids duplicates there";
    if (c->batch.size && envelope_has_header(&c->envelope, "Content-Type"))
        return "--header: --batch sets Content-Type";
    if (c->batch.size && c->jetstream.msg_id && !msg_id_is_for_batches(c->jetstream.msg_id))
        return "--msg-id: a template identifies one record; with --batch, use auto or hash";
    return NULL;
}

/* Without the identifiers of the messages that are resent, the stream stores them again. */
static void pub_warn_dupe_window(const struct publish_config *c)
{
    static const uint64_t short_ns = 3600 * NS_PER_S;
    const struct stream_config *stream = &c->jetstream.stream;
    uint64_t window_ns = (uint64_t)stream->values[STREAM_DUPE_WINDOW];
    if (!(stream->given >> STREAM_DUPE_WINDOW & 1) || window_ns == 0)
        return;
    if (window_ns < c->session.max_reconnect_time_ns)
        log_warning("--dupe-window is shorter than --max-reconnect-time; messages that are resent "
                    "after a longer outage may be stored twice");
    if (c->spool && window_ns < short_ns)
        log_warning("--dupe-window is short for --spool; messages that a later run resends may be "
                    "stored twice");
}

static bool pub_check_stream(struct publish_config *c, bool *is_usage)
{
    struct stream_config *stream = &c->jetstream.stream;
    char filter[LINE_TEMPLATE_CAPACITY];
    if (stream->file && !stream_config_read(stream, stream->file)) {
        *is_usage = false;
        return false;
    }
    if (stream->create) {
        line_template_filter(&c->envelope.subject_template, filter);
        stream_config_set_default_subjects(stream, (const char *[]){filter}, 1);
    }
    pub_warn_dupe_window(c);
    return true;
}

/* Sets *is_usage if the options are wrong, and not a file. */
static bool pub_check_options(struct publish_config *c, int argc, char **argv, bool *is_usage)
{
    if (argc - optind > 1) {
        log_printf("'%s': only one SUBJECT is accepted", argv[optind + 1]);
        return false;
    }
    if (!pub_set_subject(c, optind < argc ? argv[optind] : NULL))
        return false;
    c->envelope.checks_lines = c->no_check;
    const char *conflict = pub_find_conflict(c);
    if (conflict) {
        log_printf("%s", conflict);
        return false;
    }
    return c->spool_list || (settings_resolve(&c->settings, &c->session.nats, is_usage) &&
                             pub_set_defaults(c) && pub_check_stream(c, is_usage));
}

static bool pub_read_options(int argc, char **argv, struct publish_config *c, int *status)
{
    int option;
    bool valid = true;
    struct option_set given = {0};
    bool is_usage = true;
    argv[0] = program_invocation_short_name;
    while (valid && (option = getopt_long(argc, argv, "s:H:JnqhV", options, NULL)) != -1) {
        if (option == '?' && optopt == 0)
            option_suggest(argv[optind - 1], options);
        if (option == 'h' || option == 'V') {
            *status = option == 'h' ? print_help(help) : print_version();
            return false;
        }
        valid = pub_set_option(c, option, optarg);
        given.has[option] = true;
    }
    valid = valid && option_check_requirements(&given, options, requirements) &&
            pub_check_options(c, argc, argv, &is_usage);
    if (!valid)
        *status = is_usage ? print_usage_hint() : STATUS_FAILED;
    return valid;
}

static int pub_run(struct publish_config *c)
{
    if (c->spool_list)
        return spool_list(c->spool);
    return settings_check_files(&c->settings) ? publish_run(c) : STATUS_FAILED;
}

int main(int argc, char **argv)
{
    struct publish_config config = {.shutdown_timeout_ns = 20 * NS_PER_S,
                                    .batch = {.wait_ns = NS_PER_S / 100},
                                    .session = {.nats = {.ping_interval_ns = 20 * NS_PER_S}}};
    int status;
    descriptors_reserve_standard();
    if (pub_read_options(argc, argv, &config, &status))
        status = pub_run(&config);
    for (size_t i = 0; i < config.session.nats.server_count; i++)
        free(config.session.nats.servers[i]);
    free(config.session.nats.servers);
    settings_free(&config.settings);
    stream_config_free(&config.jetstream.stream);
    envelope_free(&config.envelope);
    return status;
}
