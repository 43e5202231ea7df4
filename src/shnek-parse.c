#include <errno.h>
#include <getopt.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/descriptors.h"
#include "base/options.h"
#include "relay/relay.h"

static const char help[] =
    "usage: shnek-parse [options] [FILE...]\n"
    "       shnek-parse [options] -l ADDRESS [-l ADDRESS]...\n"
    "\n"
    "Turns RFC 5424 syslog from files, stdin or TCP into JSON lines on stdout.\n"
    "\n"
    "  -l, --listen=ADDRESS       tcp://HOST:PORT (no HOST: 127.0.0.1); may repeat\n"
    "  -F, --framing=FRAMING      auto, newline or octet (RFC 6587)        [auto]\n"
    "      --max-size=SIZE        longest message, in bytes                [64k]\n"
    "      --oversize=ACTION      reject or truncate what is longer        [reject]\n"
    "      --max-connections=N    accept no more than that at a time       [10000]\n"
    "      --meta                 add \"peer\" and \"received\"\n"
    "      --raw                  add \"raw\", the message as it came\n"
    "      --rejects=FILE         append what is rejected, as JSON lines\n"
    "      --stats[=DURATION]     print counters at that interval          [1s]\n"
    "  -q, --quiet                do not print what is rejected\n"
    "  -h, --help                 print this\n"
    "  -V, --version              print the version\n"
    "\n"
    "SIZE takes k, M, G; DURATION us, ms, s, m, h. FILE '-' is stdin, the default.\n"
    "Status: 0 all went through, 1 something was rejected, 2 failed.\n";

enum {
    OPTION_MAX_SIZE = 256,
    OPTION_OVERSIZE,
    OPTION_MAX_CONNECTIONS,
    OPTION_META,
    OPTION_RAW,
    OPTION_REJECTS,
    OPTION_STATS
};

static const struct option options[] = {
    {"listen", required_argument, NULL, 'l'},
    {"framing", required_argument, NULL, 'F'},
    {"max-size", required_argument, NULL, OPTION_MAX_SIZE},
    {"oversize", required_argument, NULL, OPTION_OVERSIZE},
    {"max-connections", required_argument, NULL, OPTION_MAX_CONNECTIONS},
    {"meta", no_argument, NULL, OPTION_META},
    {"raw", no_argument, NULL, OPTION_RAW},
    {"rejects", required_argument, NULL, OPTION_REJECTS},
    {"stats", optional_argument, NULL, OPTION_STATS},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {0}};

static bool listen_on(struct relay_config *c, size_t *capacity, const char *text)
{
    c->listen = array_grow(c->listen, capacity, c->listen_count, sizeof *c->listen);
    return address_parse("--listen", text, &c->listen[c->listen_count++]);
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

/* False where the command line is wrong, which was reported, or asks for help. */
static bool read_options(int argc, char **argv, struct relay_config *c, int *status)
{
    size_t capacity = 0;
    int option;
    bool good = true;
    argv[0] = program_invocation_short_name;
    while (good && (option = getopt_long(argc, argv, "l:F:qhV", options, NULL)) != -1) {
        switch (option) {
        case 'l':
            good = listen_on(c, &capacity, optarg);
            break;
        case 'F':
            good = set_framing(c, optarg);
            break;
        case OPTION_MAX_SIZE:
            good = option_size("--max-size", optarg, 64, 1 << 30, &c->max_size);
            break;
        case OPTION_OVERSIZE:
            good = set_oversize(c, optarg);
            break;
        case OPTION_MAX_CONNECTIONS:
            good = option_count("--max-connections", optarg, 1, 1000000, &c->max_connections);
            break;
        case OPTION_META:
            c->meta = true;
            break;
        case OPTION_RAW:
            c->raw = true;
            break;
        case OPTION_REJECTS:
            c->rejects = optarg;
            break;
        case OPTION_STATS:
            good = option_stats(optarg, &c->stats_interval);
            break;
        case 'q':
            c->quiet = true;
            break;
        case 'h':
            *status = print_help(help);
            return false;
        case 'V':
            *status = print_version();
            return false;
        default:
            good = false;
        }
    }
    c->files = argv + optind;
    c->file_count = argc - optind;
    if (good && c->listen_count && c->file_count) {
        report("--listen and %s: it listens, or it reads files; not both", c->files[0]);
        good = false;
    }
    if (good && c->rejects && strcmp(c->rejects, "-") == 0) {
        report("--rejects: '-' would mix them with the records on stdout; name a file");
        good = false;
    }
    if (!good)
        *status = usage_error();
    return good;
}

int main(int argc, char **argv)
{
    struct relay_config config = {.max_size = 64 * 1024, .max_connections = 10000};
    int status;
    descriptors_reserve_standard();
    if (read_options(argc, argv, &config, &status))
        status = relay_run(&config);
    free(config.listen);
    return status;
}
