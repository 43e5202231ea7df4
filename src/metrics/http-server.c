#include "metrics/http-server.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

enum { HTTP_CONNECTIONS_MAX = 16, HTTP_TIMEOUT_S = 10, HTTP_BACKLOG = 16 };

static const char plain_text[] = "text/plain; charset=utf-8";

/* Before 0.9.71 the functions of libmicrohttpd that return MHD_YES or MHD_NO returned int. */
#if MHD_VERSION < 0x00097002
typedef int http_result;
#else
typedef enum MHD_Result http_result;
#endif

struct http_server {
    const struct metrics_provider *provider;
    struct MHD_Daemon *daemon;
    struct buffer text; /* of the last answer */
};

static http_result http_server_send(struct http_server *s, struct MHD_Connection *connection,
                                    unsigned status, const char *content_type)
{
    struct MHD_Response *r =
        MHD_create_response_from_buffer(s->text.len, s->text.data, MHD_RESPMEM_MUST_COPY);
    if (!r)
        return MHD_NO;
    MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    http_result result = MHD_queue_response(connection, status, r);
    MHD_destroy_response(r);
    return result;
}

static http_result http_server_send_text(struct http_server *s, struct MHD_Connection *connection,
                                         unsigned status, const char *text)
{
    buffer_printf(&s->text, "%s\n", text);
    return http_server_send(s, connection, status, plain_text);
}

static http_result http_server_answer(void *argument, struct MHD_Connection *connection,
                                      const char *path, const char *method, const char *version,
                                      const char *upload, size_t *upload_len, void **state)
{
    struct http_server *s = argument;
    const struct metrics_provider *p = s->provider;
    (void)version;
    (void)upload;
    (void)upload_len;
    (void)state;
    s->text.len = 0;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return http_server_send_text(s, connection, MHD_HTTP_METHOD_NOT_ALLOWED,
                                     "expected GET or HEAD");
    if (strcmp(path, "/metrics") == 0) {
        p->write(p->argument, &s->text);
        return http_server_send(s, connection, MHD_HTTP_OK,
                                "text/plain; version=0.0.4; charset=utf-8");
    }
    if (strcmp(path, "/healthz") == 0)
        return http_server_send_text(s, connection, MHD_HTTP_OK, "ok");
    if (strcmp(path, "/readyz") == 0) {
        const char *reason = p->not_ready(p->argument);
        return http_server_send_text(s, connection,
                                     reason ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_OK,
                                     reason ? reason : "ok");
    }
    return http_server_send_text(s, connection, MHD_HTTP_NOT_FOUND,
                                 "expected /metrics, /healthz or /readyz");
}

static int http_server_listen(const struct addrinfo *info)
{
    int on = 1;
    int fd = socket(info->ai_family, info->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, HTTP_BACKLOG) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* A name may have an address of a family that this machine lacks, so all are tried. */
static int http_server_listen_any(const struct address *address)
{
    char text[ADDRESS_FORMAT_MAX];
    struct addrinfo *found = address_resolve(address, true);
    int fd = -1;
    if (!found)
        return -1;
    for (const struct addrinfo *i = found; i && fd < 0; i = i->ai_next)
        fd = http_server_listen(i);
    int error = errno;
    freeaddrinfo(found);
    if (fd < 0) {
        address_format(address, text);
        log_printf("--metrics: %s: %s", text + strlen("tcp://"), strerror(error));
    }
    return fd;
}

static void http_server_log_url(int fd)
{
    struct sockaddr_storage own;
    socklen_t len = sizeof own;
    char name[SOCKADDR_FORMAT_MAX];
    if (getsockname(fd, (struct sockaddr *)&own, &len) != 0)
        return;
    sockaddr_format((struct sockaddr *)&own, len, name);
    log_printf("metrics on http://%s/metrics", name);
}

/* epoll, because select(2) knows no descriptor above 1023. */
static struct MHD_Daemon *http_server_start(struct http_server *s, int fd)
{
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC, 0, NULL,
                            NULL, http_server_answer, s, MHD_OPTION_LISTEN_SOCKET, fd,
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_MAX,
                            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_TIMEOUT_S,
                            MHD_OPTION_END);
}

struct http_server *http_server_open(const struct address *address,
                                     const struct metrics_provider *provider)
{
    int fd = http_server_listen_any(address);
    if (fd < 0)
        return NULL;
    struct http_server *s = calloc(1, sizeof *s);
    if (s) {
        s->provider = provider;
        s->daemon = http_server_start(s, fd);
    }
    if (s && s->daemon) {
        http_server_log_url(fd);
        return s;
    }
    log_printf("--metrics: the HTTP server cannot be started: %m");
    free(s);
    close(fd);
    return NULL;
}

void http_server_close(struct http_server *s)
{
    if (!s)
        return;
    MHD_stop_daemon(s->daemon); /* closes the listening socket, too */
    buffer_free(&s->text);
    free(s);
}
