// A TCP proxy to a nats-server that parses the protocol, breaks connections and counts messages.
//
// A message counts as confirmed when the server has sent the PONG for a PING that followed it on
// the same connection: a server handles a connection in order, so it has received the message by
// then. Core NATS has no record of received messages, so this is the best evidence there is.
// Duplicates are messages that were sent completely to the server more than once, confirmed or not.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024, LINE = 4096, CONNECTIONS = 64, LONGEST_STALL_MS = 300 };

static const uint64_t number_limit = UINT64_C(1) << 28;
static const uint64_t payload_limit = UINT64_C(1) << 27;

struct config {
    uint16_t target;
    uint16_t port;
    uint64_t cuts;
    uint64_t bytes;
    uint64_t count;
    uint64_t seed;
};

struct tally {
    uint32_t *hashes; // of the payload of each msgid; 0: not seen
    uint8_t *confirmed_map;
    size_t numbers;
    uint64_t sent;
    uint64_t sent_unique;
    uint64_t confirmed;
    uint64_t unique;
    uint64_t unique_below_count;
    uint64_t damaged;
    uint64_t out_of_order;
    uint64_t end; // the highest msgid so far, plus one
    uint64_t cuts;
    uint64_t connections;
};

// The state of the parser for one direction.
struct parser {
    char line[LINE]; // the beginning if it is longer
    size_t line_len;
    char *payload; // with headers and trailing CR LF
    size_t capacity;
    size_t payload_len;
    size_t payload_size; // 0: in a line
    size_t headers_len;
    bool is_message; // rather than a request to the server's API
};

struct queue {
    uint64_t *items;
    size_t first;
    size_t end;
    size_t capacity;
};

struct flow {
    int from;
    int to;
    char bytes[CHUNK];
    size_t begin;
    size_t end;
    bool ended;
    int64_t resume_at_ms; // it neither reads nor writes before
    struct parser parser;
};

struct connection {
    bool used;
    struct flow up;   // from the client to the server
    struct flow down; // the other way
    struct queue unconfirmed;
    struct queue pings; // the value of `sent` at each PING
    uint64_t sent;      // messages
    uint64_t confirmed; // of these
};

static struct config config = {.bytes = 200000, .seed = 1};
static struct tally tally;
static struct connection connections[CONNECTIONS];
static uint64_t until_cut;
static volatile sig_atomic_t stop;

static void on_signal(int signal_number)
{
    (void)signal_number;
    stop = 1;
}

static _Noreturn void fail(const char *object, const char *error_text)
{
    fprintf(stderr, "proxy: %s: %s\n", object, error_text);
    exit(2);
}

static void *grow_memory(void *memory, size_t size)
{
    void *bigger = realloc(memory, size);
    if (bigger == NULL)
        fail("memory", strerror(errno));
    return bigger;
}

static int64_t now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

// xorshift64*: reproducible with the same seed on every machine.
static uint64_t random_below(uint64_t below)
{
    config.seed ^= config.seed >> 12;
    config.seed ^= config.seed << 25;
    config.seed ^= config.seed >> 27;
    return (config.seed * UINT64_C(0x2545f4914f6cdd1d) >> 16) % below;
}

static void queue_push(struct queue *q, uint64_t item)
{
    if (q->end == q->capacity && q->first > q->end / 2) {
        memmove(q->items, q->items + q->first, (q->end - q->first) * sizeof *q->items);
        q->end -= q->first;
        q->first = 0;
    }
    if (q->end == q->capacity) {
        q->capacity = q->capacity > 0 ? q->capacity * 2 : 1024;
        q->items = grow_memory(q->items, q->capacity * sizeof *q->items);
    }
    q->items[q->end++] = item;
}

static uint32_t hash_payload(const char *data, size_t size)
{
    uint32_t hash = UINT32_C(2166136261);
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)data[i]) * UINT32_C(16777619);
    return hash > 0 ? hash : 1;
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

static void tally_reserve(uint64_t number)
{
    size_t numbers = tally.numbers > 0 ? tally.numbers : 64 * 1024;
    while (numbers <= number)
        numbers *= 2;
    if (numbers == tally.numbers)
        return;
    tally.hashes = grow_memory(tally.hashes, numbers * sizeof *tally.hashes);
    tally.confirmed_map = grow_memory(tally.confirmed_map, numbers / 8);
    memset(tally.hashes + tally.numbers, 0, (numbers - tally.numbers) * sizeof *tally.hashes);
    memset(tally.confirmed_map + tally.numbers / 8, 0, (numbers - tally.numbers) / 8);
    tally.numbers = numbers;
}

static void count_sent(struct connection *c, const char *data, size_t size)
{
    uint64_t number;
    if (size < 2 || data[0] != '{' || data[size - 1] != '}' || !find_number(data, size, &number)) {
        tally.damaged++;
        return;
    }
    tally_reserve(number);
    uint32_t hash = hash_payload(data, size);
    tally.sent++;
    if (tally.hashes[number] == 0) {
        tally.hashes[number] = hash;
        tally.sent_unique++;
        if (number >= tally.end)
            tally.end = number + 1;
        else
            tally.out_of_order++;
    } else if (tally.hashes[number] != hash) {
        tally.damaged++;
    }
    queue_push(&c->unconfirmed, number);
    c->sent++;
}

// A batch is several records, separated by LF.
static void count_records(struct connection *c, const char *data, size_t size)
{
    const char *end = data + size;
    for (const char *lf; data; data = lf ? lf + 1 : NULL) {
        lf = memchr(data, '\n', (size_t)(end - data));
        count_sent(c, data, (size_t)((lf ? lf : end) - data));
    }
}

static void count_confirmed(uint64_t number)
{
    uint8_t bit = (uint8_t)(1U << number % 8);
    tally.confirmed++;
    if (tally.confirmed_map[number / 8] & bit)
        return;
    tally.confirmed_map[number / 8] |= bit;
    tally.unique++;
    if (number < config.count)
        tally.unique_below_count++;
}

static void handle_pong(struct connection *c)
{
    if (c->pings.first == c->pings.end)
        return;
    uint64_t before = c->pings.items[c->pings.first++];
    for (; c->confirmed < before; c->confirmed++)
        count_confirmed(c->unconfirmed.items[c->unconfirmed.first++]);
}

static bool has_prefix(const char *line, const char *verb)
{
    return strncasecmp(line, verb, strlen(verb)) == 0;
}

// Returns the number in the word of the line that `from_end` words follow.
static size_t parse_size_field(const char *line, int from_end)
{
    const char *p = line + strlen(line);
    for (;;) {
        while (p > line && p[-1] == ' ')
            p--;
        while (p > line && p[-1] != ' ')
            p--;
        if (from_end-- == 0)
            break;
    }
    unsigned long long value = strtoull(p, NULL, 10);
    if (value > payload_limit)
        fail("payload", "too long");
    return (size_t)value;
}

static void handle_line(struct connection *c, bool up)
{
    struct parser *p = up ? &c->up.parser : &c->down.parser;
    const char *line = p->line;
    bool headers = has_prefix(line, up ? "HPUB " : "HMSG ");
    if (headers || has_prefix(line, up ? "PUB " : "MSG ")) {
        p->is_message = up && strchr(line, ' ')[1] != '$';
        p->headers_len = headers ? parse_size_field(line, 1) : 0;
        p->payload_size = parse_size_field(line, 0) + 2;
        p->payload_len = 0;
        if (p->capacity < p->payload_size) {
            p->capacity = p->payload_size * 2;
            p->payload = grow_memory(p->payload, p->capacity);
        }
    } else if (up && has_prefix(line, "PING")) {
        queue_push(&c->pings, c->sent);
    } else if (!up && has_prefix(line, "PONG")) {
        handle_pong(c);
    } else if (up && !has_prefix(line, "CONNECT ") && !has_prefix(line, "PONG") &&
               !has_prefix(line, "SUB ") && !has_prefix(line, "UNSUB ")) {
        tally.damaged++;
    }
}

static void handle_payload(struct connection *c, bool up)
{
    struct parser *p = up ? &c->up.parser : &c->down.parser;
    size_t size = p->payload_size - 2;
    if (!p->is_message)
        return;
    if (memcmp(p->payload + size, "\r\n", 2) != 0 || p->headers_len > size)
        tally.damaged++;
    else
        count_records(c, p->payload + p->headers_len, size - p->headers_len);
}

static void parse_bytes(struct connection *c, bool up, const char *data, size_t size)
{
    struct parser *p = up ? &c->up.parser : &c->down.parser;
    while (size > 0) {
        size_t n;
        if (p->payload_size > 0) {
            n = p->payload_size - p->payload_len < size ? p->payload_size - p->payload_len : size;
            memcpy(p->payload + p->payload_len, data, n);
            p->payload_len += n;
            if (p->payload_len == p->payload_size) {
                handle_payload(c, up);
                p->payload_size = 0;
            }
        } else {
            const char *lf = memchr(data, '\n', size);
            n = lf != NULL ? (size_t)(lf + 1 - data) : size;
            size_t space = LINE - 1 - p->line_len;
            size_t kept = n < space ? n : space;
            memcpy(p->line + p->line_len, data, kept);
            p->line_len += kept;
            if (lf != NULL) {
                while (p->line_len > 0 && strchr("\r\n", p->line[p->line_len - 1]) != NULL)
                    p->line_len--;
                p->line[p->line_len] = '\0';
                p->line_len = 0;
                handle_line(c, up);
            }
        }
        data += n;
        size -= n;
    }
}

static void close_socket(int fd, bool reset)
{
    if (reset)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1},
                   sizeof(struct linger));
    close(fd);
}

static void connection_close(struct connection *c, bool reset)
{
    close_socket(c->up.from, reset);
    close_socket(c->up.to, reset);
    free(c->up.parser.payload);
    free(c->down.parser.payload);
    free(c->unconfirmed.items);
    free(c->pings.items);
    c->used = false;
}

static void schedule_cut(void)
{
    until_cut = random_below(2 * config.bytes) + 1;
}

// Stalls a flow for a few milliseconds, or longer, at random times.
static void schedule_stall(struct flow *f)
{
    if (config.cuts == 0)
        return;
    uint64_t dice = random_below(400);
    if (dice == 0)
        f->resume_at_ms = now_ms() + (int64_t)random_below(LONGEST_STALL_MS);
    else if (dice < 8)
        f->resume_at_ms = now_ms() + 1 + (int64_t)random_below(5);
}

// Returns false if the connection has ended.
static bool flow_read(struct connection *c, struct flow *f)
{
    ssize_t n = read(f->from, f->bytes, CHUNK);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    if (n == 0) {
        f->ended = true;
        // The server may still answer what the client sent before.
        return f == &c->up && shutdown(f->to, SHUT_WR) == 0;
    }
    f->begin = 0;
    f->end = (size_t)n;
    schedule_stall(f);
    return true;
}

static bool flow_write(struct connection *c, struct flow *f)
{
    size_t size = f->end - f->begin;
    bool up = f == &c->up;
    bool cuts = up && tally.cuts < config.cuts;
    if (cuts && size > until_cut)
        size = (size_t)until_cut;
    ssize_t n = send(f->to, f->bytes + f->begin, size, MSG_NOSIGNAL);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    parse_bytes(c, up, f->bytes + f->begin, (size_t)n);
    f->begin += (size_t)n;
    if (!cuts)
        return true;
    until_cut -= (uint64_t)n;
    if (until_cut > 0)
        return true;
    tally.cuts++;
    schedule_cut();
    connection_close(c, random_below(3) == 0);
    return true;
}

static void socket_options(int fd)
{
    fcntl(fd, F_SETFL, O_NONBLOCK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

static int connect_to_target(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(config.target),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void accept_client(int listener)
{
    int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0)
        return;
    struct connection *c = connections;
    while (c < connections + CONNECTIONS && c->used)
        c++;
    int server = c < connections + CONNECTIONS ? connect_to_target() : -1;
    if (server < 0) {
        close(client);
        return;
    }
    socket_options(client);
    socket_options(server);
    *c = (struct connection){
        .used = true, .up = {.from = client, .to = server}, .down = {.from = server, .to = client}};
    tally.connections++;
}

static int listen_on(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) != 0 ||
        bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 128) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        fail("listen", strerror(errno));
    fprintf(stderr, "proxy: listening on tcp://127.0.0.1:%u\n", (unsigned)ntohs(address.sin_port));
    return fd;
}

// Adds the events that a flow waits for to the two entries of its connection.
static void flow_add_events(const struct flow *f, int64_t now, int64_t *timeout,
                            struct pollfd *from, struct pollfd *to)
{
    if (f->resume_at_ms > now) {
        int64_t left = f->resume_at_ms - now;
        if (*timeout < 0 || left < *timeout)
            *timeout = left;
    } else if (f->begin < f->end) {
        to->events |= POLLOUT;
    } else if (!f->ended) {
        from->events |= POLLIN;
    }
}

static bool flow_handle_events(struct connection *c, struct flow *f, const struct pollfd *from,
                               const struct pollfd *to)
{
    if ((to->events & POLLOUT) && (to->revents & (POLLOUT | POLLERR | POLLHUP)) &&
        f->begin < f->end)
        return flow_write(c, f);
    if ((from->events & POLLIN) && (from->revents & (POLLIN | POLLERR | POLLHUP)) &&
        f->begin == f->end)
        return flow_read(c, f);
    return true;
}

static void serve(int listener)
{
    struct pollfd fds[1 + 2 * CONNECTIONS];
    while (!stop) {
        int64_t now = now_ms();
        int64_t timeout = -1;
        fds[0] = (struct pollfd){.fd = listener, .events = POLLIN};
        for (size_t i = 0; i < CONNECTIONS; i++) {
            const struct connection *c = &connections[i];
            struct pollfd *client = &fds[1 + 2 * i];
            struct pollfd *server = &fds[2 + 2 * i];
            *client = *server = (struct pollfd){.fd = -1};
            if (!c->used)
                continue;
            client->fd = c->up.from;
            server->fd = c->up.to;
            flow_add_events(&c->up, now, &timeout, client, server);
            flow_add_events(&c->down, now, &timeout, server, client);
            // poll(2) would report a hang-up all the time while both flows stall.
            if (client->events == 0)
                client->fd = -1;
            if (server->events == 0)
                server->fd = -1;
        }
        // The signal may arrive before the call.
        if (timeout < 0 || timeout > 50)
            timeout = 50;
        if (poll(fds, sizeof fds / sizeof *fds, (int)timeout) < 0)
            continue;
        for (size_t i = 0; i < CONNECTIONS; i++) {
            struct connection *c = &connections[i];
            const struct pollfd *client = &fds[1 + 2 * i];
            const struct pollfd *server = &fds[2 + 2 * i];
            if (c->used && !flow_handle_events(c, &c->down, server, client))
                connection_close(c, false);
            if (c->used && !flow_handle_events(c, &c->up, client, server))
                connection_close(c, false);
        }
        if (fds[0].revents != 0)
            accept_client(listener);
    }
}

static void print_tally(void)
{
    uint64_t missing =
        config.count > 0 ? config.count - tally.unique_below_count : tally.end - tally.unique;
    printf("confirmed: %" PRIu64 " unique: %" PRIu64 " duplicates: %" PRIu64 " missing: %" PRIu64
           " cuts: %" PRIu64 " connections: %" PRIu64 " damaged: %" PRIu64 " out-of-order: %" PRIu64
           "\n",
           tally.confirmed, tally.unique, tally.sent - tally.sent_unique, missing, tally.cuts,
           tally.connections, tally.damaged, tally.out_of_order);
    if (fflush(stdout) != 0)
        fail("stdout", strerror(errno));
}

static _Noreturn void usage(void)
{
    fputs("usage: proxy -t TARGET_PORT [-l PORT] [-c CUTS] [-b BYTES] [-n COUNT] [-s SEED]\n",
          stderr);
    exit(2);
}

static uint64_t parse_number(const char *text, uint64_t limit)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || *text == '-' || value > limit)
        usage();
    return value;
}

static void parse_options(int argc, char **argv)
{
    int option;
    while ((option = getopt(argc, argv, "t:l:c:b:n:s:")) != -1) {
        switch (option) {
        case 't':
            config.target = (uint16_t)parse_number(optarg, UINT16_MAX);
            break;
        case 'l':
            config.port = (uint16_t)parse_number(optarg, UINT16_MAX);
            break;
        case 'c':
            config.cuts = parse_number(optarg, UINT32_MAX);
            break;
        case 'b':
            config.bytes = parse_number(optarg, UINT32_MAX);
            break;
        case 'n':
            config.count = parse_number(optarg, number_limit);
            break;
        case 's':
            config.seed = parse_number(optarg, UINT64_MAX);
            break;
        default:
            usage();
        }
    }
    if (optind != argc || config.target == 0 || config.bytes == 0)
        usage();
    // Similar seeds would start with similar numbers otherwise.
    config.seed = (config.seed + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = on_signal};
    parse_options(argc, argv);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    schedule_cut();
    int listener = listen_on(config.port);
    serve(listener);
    print_tally();
    for (size_t i = 0; i < CONNECTIONS; i++)
        if (connections[i].used)
            connection_close(&connections[i], false);
    close(listener);
    free(tally.hashes);
    free(tally.confirmed_map);
    return 0;
}
