// Subscribes to a NATS subject; prints the records of the messages, one a line, or counts lost and
// duplicate msgids. -H also prints the headers of each message before its records. -n ends it after
// COUNT records. With -u, it logs the number of messages.
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <nats/nats.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const uint64_t number_limit = UINT64_C(1) << 32;
static const int64_t idle_poll_ms = 20;
static const int64_t drain_ms = 10000;

struct config {
    const char *url;
    const char *subject;
    uint64_t count;
    double idle_seconds;
    bool unique;
    bool headers;
};

struct seen {
    uint64_t *bitmap;
    size_t words;
    uint64_t messages;
    uint64_t received;
    uint64_t unique;
    uint64_t unique_below_count;
    uint64_t duplicates;
    uint64_t out_of_order;
    uint64_t unnumbered;
    uint64_t end; // the highest msgid so far, plus one
};

static volatile sig_atomic_t stop;

static void on_signal(int signal_number)
{
    (void)signal_number;
    stop = 1;
}

static _Noreturn void fail(const char *object, const char *error_text)
{
    fprintf(stderr, "subscriber: %s: %s\n", object, error_text);
    exit(2);
}

static void check_status(const char *object, natsStatus status)
{
    if (status != NATS_OK)
        fail(object, natsStatus_GetText(status));
}

static double now_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

// Finds N in `"msgid":"N"`.
static bool find_number(const char *data, size_t size, uint64_t *number)
{
    static const char key[] = "\"msgid\":\"";
    const size_t key_size = sizeof key - 1;
    const char *end = data + size;
    const char *found = memmem(data, size, key, key_size);
    if (found == NULL)
        return false;

    const char *digits = found + key_size;
    const char *p = digits;
    uint64_t value = 0;
    while (p < end && *p >= '0' && *p <= '9') {
        value = value * 10 + (uint64_t)(*p++ - '0');
        if (value >= number_limit)
            return false;
    }
    *number = value;
    return p > digits && p < end && *p == '"';
}

static void seen_grow(struct seen *seen, size_t word)
{
    size_t words = seen->words > 0 ? seen->words : 1024;
    while (words <= word)
        words *= 2;
    seen->bitmap = realloc(seen->bitmap, words * sizeof *seen->bitmap);
    if (seen->bitmap == NULL)
        fail("bitmap", strerror(errno));
    memset(seen->bitmap + seen->words, 0, (words - seen->words) * sizeof *seen->bitmap);
    seen->words = words;
}

static void count_message(struct seen *seen, uint64_t count, const char *data, size_t size)
{
    uint64_t number;
    if (!find_number(data, size, &number)) {
        seen->unnumbered++;
        return;
    }

    size_t word = (size_t)(number / 64);
    uint64_t bit = UINT64_C(1) << number % 64;
    if (word >= seen->words)
        seen_grow(seen, word);
    if (seen->bitmap[word] & bit) {
        seen->duplicates++;
        return;
    }
    seen->bitmap[word] |= bit;
    seen->unique++;
    if (number < count)
        seen->unique_below_count++;
    if (number >= seen->end)
        seen->end = number + 1;
    else
        seen->out_of_order++;
}

static void print_line(const char *data, size_t size)
{
    if (fwrite_unlocked(data, 1, size, stdout) != size || putc_unlocked('\n', stdout) == EOF)
        fail("stdout", strerror(errno));
}

static void flush_output(void)
{
    if (fflush(stdout) != 0)
        fail("stdout", strerror(errno));
}

static void print_headers(natsMsg *message)
{
    const char **names;
    int count;
    if (natsMsgHeader_Keys(message, &names, &count) != NATS_OK)
        return;
    for (int i = 0; i < count; i++) {
        const char *value = "";
        natsMsgHeader_Get(message, names[i], &value);
        if (printf("%s: %s\n", names[i], value) < 0)
            fail("stdout", strerror(errno));
    }
    free((void *)names);
}

// A batch is several records, separated by LF.
static void handle_message(const struct config *config, struct seen *seen, natsMsg *message)
{
    const char *data = natsMsg_GetData(message);
    const char *end = data + natsMsg_GetDataLength(message);
    seen->messages++;
    if (config->headers)
        print_headers(message);
    for (const char *lf; data; data = lf ? lf + 1 : NULL) {
        lf = memchr(data, '\n', (size_t)(end - data));
        size_t size = (size_t)((lf ? lf : end) - data);
        seen->received++;
        if (config->unique)
            count_message(seen, config->count, data, size);
        else
            print_line(data, size);
    }
    natsMsg_Destroy(message);
}

static bool is_complete(const struct config *config, const struct seen *seen)
{
    return config->count > 0 && (config->unique ? seen->unique : seen->received) >= config->count;
}

static void receive(const struct config *config, struct seen *seen, natsSubscription *subscription)
{
    double last = now_seconds();
    int64_t timeout = 0;
    bool waited = false;
    while (!stop && !is_complete(config, seen)) {
        natsMsg *message;
        natsStatus status = natsSubscription_NextMsg(&message, subscription, timeout);
        if (status == NATS_OK) {
            handle_message(config, seen, message);
            timeout = 0;
            waited = false;
        } else if (status != NATS_TIMEOUT) {
            check_status("subscription", status);
        } else if (!waited) {
            // A wake-up costs more than a message, so let some accumulate.
            poll(NULL, 0, 1);
            waited = true;
        } else if (timeout == 0) {
            flush_output();
            last = now_seconds();
            timeout = idle_poll_ms;
        } else if (config->idle_seconds > 0 && now_seconds() - last >= config->idle_seconds) {
            return;
        }
    }
}

// Receives what the server sent before the signal, while the publisher may continue.
static void drain(const struct config *config, struct seen *seen, natsConnection *connection,
                  natsSubscription *subscription)
{
    int pending = 0;
    natsMsg *message;
    natsConnection_FlushTimeout(connection, drain_ms);
    natsSubscription_GetPending(subscription, &pending, NULL);
    while (pending-- > 0 && !is_complete(config, seen) &&
           natsSubscription_NextMsg(&message, subscription, 0) == NATS_OK)
        handle_message(config, seen, message);
}

static void print_summary(const struct config *config, const struct seen *seen)
{
    uint64_t missing =
        config->count > 0 ? config->count - seen->unique_below_count : seen->end - seen->unique;
    printf("received: %" PRIu64 " unique: %" PRIu64 " duplicates: %" PRIu64 " missing: %" PRIu64
           " out-of-order: %" PRIu64 "\n",
           seen->received, seen->unique, seen->duplicates, missing, seen->out_of_order);
    fprintf(stderr, "messages: %" PRIu64 "\n", seen->messages);
    if (seen->unnumbered > 0)
        fprintf(stderr, "subscriber: %" PRIu64 " messages without a number in msgid\n",
                seen->unnumbered);
}

static natsConnection *connect_to(const char *url)
{
    natsOptions *options;
    natsConnection *connection;
    check_status("options", natsOptions_Create(&options));
    check_status(url, natsOptions_SetURL(options, url));
    check_status("options", natsOptions_SetMaxReconnect(options, -1));
    check_status("options", natsOptions_SetReconnectWait(options, 50));
    check_status("options", natsOptions_SetReconnectJitter(options, 10, 10));
    check_status(url, natsConnection_Connect(&connection, options));
    natsOptions_Destroy(options);
    return connection;
}

static _Noreturn void usage(void)
{
    fputs("usage: subscriber [-s URL] [-n COUNT] [-i SECONDS] [-u] [-H] SUBJECT\n", stderr);
    exit(2);
}

static uint64_t parse_count(const char *text)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || *text == '-' || value == 0 ||
        value > number_limit)
        usage();
    return value;
}

static double parse_seconds(const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value > 0))
        usage();
    return value;
}

static struct config parse_options(int argc, char **argv)
{
    struct config config = {.url = getenv("NATS_URL")};
    int option;
    while ((option = getopt(argc, argv, "s:n:i:uH")) != -1) {
        switch (option) {
        case 's':
            config.url = optarg;
            break;
        case 'n':
            config.count = parse_count(optarg);
            break;
        case 'i':
            config.idle_seconds = parse_seconds(optarg);
            break;
        case 'u':
            config.unique = true;
            break;
        case 'H':
            config.headers = true;
            break;
        default:
            usage();
        }
    }
    if (optind + 1 != argc)
        usage();
    config.subject = argv[optind];
    if (config.url == NULL)
        config.url = NATS_DEFAULT_URL;
    return config;
}

int main(int argc, char **argv)
{
    struct config config = parse_options(argc, argv);
    struct seen seen = {0};
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    setvbuf(stdout, NULL, _IOFBF, 1 << 20);

    natsConnection *connection = connect_to(config.url);
    natsSubscription *subscription;
    check_status(config.subject,
                 natsConnection_SubscribeSync(&subscription, connection, config.subject));
    check_status("pending limits", natsSubscription_SetPendingLimits(subscription, -1, -1));
    check_status("flush", natsConnection_FlushTimeout(connection, drain_ms));
    fputs("ready\n", stderr);

    receive(&config, &seen, subscription);
    if (stop)
        drain(&config, &seen, connection, subscription);
    if (config.unique)
        print_summary(&config, &seen);
    flush_output();

    bool received_all = config.count == 0 || is_complete(&config, &seen);
    // Messages may still arrive, and nats.c may crash if it is shut down meanwhile.
    _exit(received_all && seen.unnumbered == 0 ? 0 : 1);
}
