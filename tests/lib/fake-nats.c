/*
 * fake-nats [-i MEMBERS] [-A API=JSON]... [-d MS] [-m SIZE] [ACTION]...
 *
 * A NATS server that does what a real one cannot be made to do. It listens on 127.0.0.1, logs
 * "fake-nats: listening on URL", serves one connection at a time, and prints "CONNECT" for each
 * connection and "PUB SUBJECT PAYLOAD" for each message. It answers PING, and performs an ACTION
 * for each message that is not a request to $JS.API; the last ACTION repeats:
 *
 *   ack             acknowledge it as stream logs would (the default)
 *   duplicate       acknowledge it as a duplicate
 *   none            do nothing
 *   stray           acknowledge it to another inbox, and to a message that was never sent
 *   text:TEXT       reply TEXT; an empty one, too
 *   status:CODE     reply a header with this status
 *   late            acknowledge it before the next acknowledged message
 *   error:TEXT      send -ERR 'TEXT'
 *   info:MEMBERS    send another INFO
 *   cut             close the connection
 *   last            acknowledge it, and close the connection
 *
 *   -i  adds MEMBERS to INFO, as '"max_payload":100'
 *   -A  replies JSON to requests whose subject starts with $JS.API.API; others have no responders
 *   -d  waits so many milliseconds between acknowledgements
 *   -m  sends -ERR 'Maximum Payload Violation' and closes the connection after a longer message,
 *       which includes its headers; INFO does not mention this limit
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"

enum { SUBJECT_MAX = 1024, APIS_MAX = 16, INBOX_SID_MAX = 32 };

struct request {
    char subject[SUBJECT_MAX];
    char reply[SUBJECT_MAX];
};

struct fake {
    const char *info; /* further members of INFO */
    const char *apis[APIS_MAX];
    unsigned api_count;
    unsigned delay_ms;
    size_t max_size; /* 0: none */
    char **actions;
    int action_count;
    int messages; /* so far */
    int fd;
    bool cut;                                 /* close the connection */
    char inboxes[INBOX_SID_MAX][SUBJECT_MAX]; /* the subject of each sid */
    struct buffer in;
    struct buffer delayed; /* replies, each after its length */
    uint64_t next_ack_ns;
    char late[SUBJECT_MAX];
    unsigned seq;
};

static void fail(const char *what)
{
    fprintf(stderr, "fake-nats: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void fake_send(struct fake *f, const char *data, size_t len)
{
    while (len) {
        ssize_t n = send(f->fd, data, len, MSG_NOSIGNAL);
        if (n <= 0) {
            f->cut = true;
            return;
        }
        data += n;
        len -= (size_t)n;
    }
}

static void fake_send_info(struct fake *f, const char *members)
{
    struct buffer b = {0};
    buffer_printf(&b,
                  "INFO {\"server_id\":\"fake\",\"version\":\"2.9.10\",\"proto\":1,\"headers\":true"
                  "%s%s}\r\n",
                  *members ? "," : "", members);
    fake_send(f, b.data, b.len);
    buffer_free(&b);
}

/* Returns the sid that is subscribed to `subject`, 0 for none. */
static int fake_find_sid(const struct fake *f, const char *subject)
{
    for (int i = 0; i < INBOX_SID_MAX; i++) {
        const char *inbox = f->inboxes[i];
        size_t len = strlen(inbox);
        if (len && strncmp(inbox, subject, inbox[len - 1] == '*' ? len - 1 : len + 1) == 0)
            return i;
    }
    return 0;
}

/* `status` is NULL for a message without headers. */
static void fake_reply(struct fake *f, const char *subject, const char *status, const char *text)
{
    struct buffer b = {0};
    int sid = fake_find_sid(f, subject);
    if (sid && status)
        buffer_printf(&b, "HMSG %s %d %zu %zu\r\nNATS/1.0 %s\r\n\r\n%s\r\n", subject, sid,
                      strlen(status) + 13, strlen(status) + strlen(text) + 13, status, text);
    else if (sid)
        buffer_printf(&b, "MSG %s %d %zu\r\n%s\r\n", subject, sid, strlen(text), text);
    if (f->delay_ms && !status) {
        buffer_append(&f->delayed, (struct slice){(const char *)&b.len, sizeof b.len});
        buffer_append(&f->delayed, (struct slice){b.data, b.len});
    } else {
        fake_send(f, b.data, b.len);
    }
    buffer_free(&b);
}

static void fake_acknowledge(struct fake *f, const char *inbox, const char *more)
{
    char ack[128];
    snprintf(ack, sizeof ack, "{\"stream\":\"logs\", \"seq\":%u%s}", ++f->seq, more);
    fake_reply(f, inbox, NULL, ack);
}

/* Sends the next delayed reply if it is time. */
static void fake_send_delayed(struct fake *f)
{
    uint64_t now_ns = clock_monotonic();
    size_t len;
    if (!f->delayed.len || now_ns < f->next_ack_ns)
        return;
    memcpy(&len, f->delayed.data, sizeof len);
    fake_send(f, f->delayed.data + sizeof len, len);
    f->delayed.len -= sizeof len + len;
    memmove(f->delayed.data, f->delayed.data + sizeof len + len, f->delayed.len);
    f->next_ack_ns = now_ns + f->delay_ms * UINT64_C(1000000);
}

static void fake_on_api(struct fake *f, const struct request *r)
{
    const char *api = r->subject + strlen("$JS.API.");
    for (unsigned i = 0; i < f->api_count; i++) {
        const char *sign = strchr(f->apis[i], '=');
        if (strncmp(api, f->apis[i], (size_t)(sign - f->apis[i])) == 0) {
            fake_reply(f, r->reply, NULL, sign + 1);
            return;
        }
    }
    fake_reply(f, r->reply, "503", "");
}

static void fake_acknowledge_strangers(struct fake *f, const struct request *r)
{
    char inbox[SUBJECT_MAX];
    size_t len = (size_t)(strrchr(r->reply, '.') + 1 - r->reply);
    snprintf(inbox, sizeof inbox, "%.*s%d", (int)len, r->reply, 1000000);
    fake_acknowledge(f, inbox, "");
    snprintf(inbox, sizeof inbox, "%.*sx", (int)len, r->reply);
    fake_acknowledge(f, inbox, "");
}

static void fake_act(struct fake *f, const struct request *r, const char *action)
{
    const char *argument = strchr(action, ':');
    argument = argument ? argument + 1 : "";
    if (strcmp(action, "cut") == 0) {
        f->cut = true;
    } else if (strncmp(action, "error:", 6) == 0) {
        char line[SUBJECT_MAX];
        int n = snprintf(line, sizeof line, "-ERR '%s'\r\n", argument);
        fake_send(f, line, (size_t)n);
    } else if (strncmp(action, "info:", 5) == 0) {
        fake_send_info(f, argument);
    } else if (!*r->reply || strcmp(action, "none") == 0) {
        return;
    } else if (strncmp(action, "text:", 5) == 0) {
        fake_reply(f, r->reply, NULL, argument);
    } else if (strncmp(action, "status:", 7) == 0) {
        fake_reply(f, r->reply, argument, "");
    } else if (strcmp(action, "stray") == 0) {
        fake_acknowledge_strangers(f, r);
    } else if (strcmp(action, "late") == 0) {
        snprintf(f->late, sizeof f->late, "%s", r->reply);
    } else {
        if (*f->late)
            fake_acknowledge(f, f->late, "");
        *f->late = '\0';
        f->cut = strcmp(action, "last") == 0;
        fake_acknowledge(f, r->reply,
                         strcmp(action, "duplicate") == 0 ? ", \"duplicate\": true" : "");
    }
}

static void fake_on_message(struct fake *f, const struct request *r, struct slice payload)
{
    printf("PUB %s %.*s\n", r->subject, (int)payload.len, payload.data);
    if (strncmp(r->subject, "$JS.API.", 8) == 0) {
        fake_on_api(f, r);
        return;
    }
    int i = f->messages++ < f->action_count ? f->messages - 1 : f->action_count - 1;
    fake_act(f, r, i < 0 ? "ack" : f->actions[i]);
}

/* Splits a line in place; returns the number of words. */
static int split_line(char *line, char *words[8])
{
    int count = 0;
    char *rest = line;
    char *word;
    while (count < 8 && (word = strtok_r(rest, " ", &rest)))
        words[count++] = word;
    return count;
}

/* PUB and HPUB: SUBJECT [REPLY] [HEADER-SIZE] SIZE. Returns the bytes used, 0 for more input. */
static size_t fake_on_publish(struct fake *f, char *words[8], int count, size_t used)
{
    struct request r = {.reply = ""};
    bool headers = strcmp(words[0], "HPUB") == 0;
    if (count < 3 + headers)
        fail("incomplete PUB");
    size_t size = strtoul(words[count - 1], NULL, 10);
    size_t header_size = headers ? strtoul(words[count - 2], NULL, 10) : 0;
    if (f->in.len < used + size + 2)
        return 0;
    if (f->max_size && size > f->max_size) {
        static const char error[] = "-ERR 'Maximum Payload Violation'\r\n";
        fake_send(f, error, sizeof error - 1);
        f->cut = true;
        return used + size + 2;
    }
    snprintf(r.subject, sizeof r.subject, "%s", words[1]);
    if (count == 4 + headers)
        snprintf(r.reply, sizeof r.reply, "%s", words[2]);
    fake_on_message(f, &r, (struct slice){f->in.data + used + header_size, size - header_size});
    return used + size + 2;
}

static void fake_on_subscribe(struct fake *f, const char *subject, unsigned long sid)
{
    if (sid < INBOX_SID_MAX)
        snprintf(f->inboxes[sid], SUBJECT_MAX, "%s", subject);
}

/* Processes one command. Returns the bytes used, 0 if it is incomplete. */
static size_t fake_on_command(struct fake *f)
{
    char line[4096];
    char *words[8] = {""};
    const char *lf = memchr(f->in.data, '\n', f->in.len);
    size_t used = lf ? (size_t)(lf + 1 - f->in.data) : 0;
    if (!lf || used >= sizeof line)
        return 0;
    snprintf(line, sizeof line, "%.*s", (int)used, f->in.data);
    line[strcspn(line, "\r\n")] = '\0';
    int count = split_line(line, words);
    if (strcmp(words[0], "PING") == 0)
        fake_send(f, "PONG\r\n", 6);
    else if (strcmp(words[0], "SUB") == 0 && count > 2)
        fake_on_subscribe(f, words[1], strtoul(words[count - 1], NULL, 10));
    else if (strcmp(words[0], "PUB") == 0 || strcmp(words[0], "HPUB") == 0)
        return fake_on_publish(f, words, count, used);
    return used;
}

static void fake_read(struct fake *f)
{
    ssize_t n = read(f->fd, buffer_reserve(&f->in, 65536), 65536);
    f->cut = n <= 0;
    if (n <= 0)
        return;
    buffer_commit(&f->in, f->in.data + f->in.len + n);
    while (!f->cut && (n = (ssize_t)fake_on_command(f)) != 0) {
        f->in.len -= (size_t)n;
        memmove(f->in.data, f->in.data + n, f->in.len);
    }
    fflush(stdout);
}

static void fake_serve(struct fake *f)
{
    f->cut = false;
    f->in.len = f->delayed.len = 0;
    *f->late = '\0';
    memset(f->inboxes, 0, sizeof f->inboxes);
    printf("CONNECT\n");
    fflush(stdout);
    fake_send_info(f, f->info);
    while (!f->cut) {
        if (poll(&(struct pollfd){.fd = f->fd, .events = POLLIN}, 1, f->delayed.len ? 1 : -1) > 0)
            fake_read(f);
        fake_send_delayed(f);
    }
    /* If unread data was left, close() would discard what the client has not read yet. */
    shutdown(f->fd, SHUT_WR);
    while (read(f->fd, buffer_reserve(&f->in, 65536), 65536) > 0)
        ;
    close(f->fd);
}

static int listen_on_loopback(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 64) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        fail("listen");
    fprintf(stderr, "fake-nats: listening on nats://127.0.0.1:%d\n", ntohs(address.sin_port));
    return fd;
}

int main(int argc, char **argv)
{
    static struct fake f = {.info = "\"max_payload\":1048576"};
    int option;
    while ((option = getopt(argc, argv, "i:A:d:m:")) != -1) {
        if (option == 'i')
            f.info = optarg;
        else if (option == 'A' && f.api_count < APIS_MAX && strchr(optarg, '='))
            f.apis[f.api_count++] = optarg;
        else if (option == 'd')
            f.delay_ms = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'm')
            f.max_size = strtoul(optarg, NULL, 10);
        else
            return 2;
    }
    f.actions = argv + optind;
    f.action_count = argc - optind;
    int listener = listen_on_loopback();
    while ((f.fd = accept(listener, NULL, NULL)) >= 0)
        fake_serve(&f);
    fail("accept");
}
