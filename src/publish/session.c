#include "publish/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

static const uint64_t backoff_min_ns = NS_PER_S / 10;
static const uint64_t backoff_max_ns = 2 * NS_PER_S;
static const uint64_t log_interval_ns = 5 * NS_PER_S;

/* One flush confirms everything that was published before it, however many requests that covers. */
static void *session_confirm_thread(void *argument)
{
    struct session *s = argument;
    pthread_mutex_lock(&s->lock);
    while (!s->stopping) {
        if (!s->usable || s->requested.offset <= s->confirmed.offset) {
            pthread_cond_wait(&s->changed, &s->lock);
            continue;
        }
        struct window_mark requested = s->requested;
        char error_text[NATS_CONN_TEXT_MAX];
        s->flushing = true;
        pthread_mutex_unlock(&s->lock);
        enum nats_conn_flush_result result = nats_conn_flush(s->conn, error_text);
        pthread_mutex_lock(&s->lock);
        s->flushing = false;
        if (result == NATS_CONN_FLUSHED) {
            s->confirmed = requested;
        } else {
            s->usable = false;
            s->lost = true;
            s->publish_denied = result == NATS_CONN_PUBLISH_DENIED;
            snprintf(s->error_text, sizeof s->error_text, "%s", error_text);
        }
        pthread_cond_broadcast(&s->changed);
        eventfd_write(s->wake_fd, 1);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

bool session_open(struct session *s, struct session_config *config)
{
    *s = (struct session){
        .config = config, .backoff_ns = backoff_min_ns, .seed = (unsigned)clock_real()};
    s->started_ns = s->down_since_ns = clock_monotonic();
    s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->wake_fd < 0) {
        log_printf("eventfd: %m");
        return false;
    }
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    errno = pthread_create(&s->thread, NULL, session_confirm_thread, s);
    if (errno)
        log_printf("pthread_create: %m");
    s->opened = errno == 0;
    return s->opened;
}

static const char *session_first_server(const struct session *s)
{
    return nats_conn_hide_credentials(s->config->nats.servers[0]);
}

/* Half of the delay is random, so that many relays do not reconnect at the same moment. */
static void session_back_off(struct session *s, uint64_t now_ns, uint64_t limit_ns)
{
    uint64_t half_ns = s->backoff_ns / 2;
    s->retry_at_ns = now_ns + half_ns + half_ns * (uint64_t)(rand_r(&s->seed) % 1000) / 1000;
    s->backoff_ns = s->backoff_ns * 2 < backoff_max_ns ? s->backoff_ns * 2 : backoff_max_ns;
    if (limit_ns && s->retry_at_ns > s->down_since_ns + limit_ns)
        s->retry_at_ns = s->down_since_ns + limit_ns;
}

/* The connection can be freed only when the thread has left nats_conn_flush(). */
static void session_disconnect(struct session *s)
{
    pthread_mutex_lock(&s->lock);
    s->usable = false;
    pthread_mutex_unlock(&s->lock);
    nats_conn_shutdown(s->conn);
    pthread_mutex_lock(&s->lock);
    while (s->flushing)
        pthread_cond_wait(&s->changed, &s->lock);
    bool unproven = s->requested.offset > s->confirmed.offset && !s->confirmed_before;
    s->lost = false;
    s->requested = s->confirmed;
    pthread_mutex_unlock(&s->lock);
    nats_conn_close(s->conn, &s->config->nats);
    s->conn = NULL;
    s->last_logged_ns = 0;
    /* A connection that confirms nothing does not end the wait for the first one. */
    s->down_since_ns =
        unproven && s->config->connect_timeout_ns ? s->started_ns : clock_monotonic();
    s->retry_at_ns = 0;
    if (s->confirmed_now)
        s->backoff_ns = backoff_min_ns;
    else
        session_back_off(s, clock_monotonic(), 0);
}

static enum transport_event session_on_connected(struct session *s)
{
    nats_conn_get_url(s->conn, s->peer);
    s->connected_before = true;
    s->confirmed_now = false;
    pthread_mutex_lock(&s->lock);
    s->requested = s->confirmed; /* nothing was sent on this connection yet */
    s->usable = true;
    pthread_mutex_unlock(&s->lock);
    return TRANSPORT_CONNECTED;
}

/* Before the first connection a refused login is an error of the user, afterwards it may pass. */
static enum transport_event session_on_connect_failed(struct session *s, uint64_t limit_ns,
                                                      enum nats_conn_result result,
                                                      const char *error_text)
{
    uint64_t now_ns = clock_monotonic();
    bool denied = result == NATS_CONN_DENIED;
    if ((denied && !s->connected_before) || (limit_ns && now_ns - s->down_since_ns >= limit_ns)) {
        if (strncmp(error_text, "--", 2) == 0)
            log_printf("%s", error_text); /* it names the option that caused the error */
        else
            log_printf("%s: %s", session_first_server(s), error_text);
        return TRANSPORT_FAILED;
    }
    if (!s->connected_before &&
        (!s->last_logged_ns || now_ns - s->last_logged_ns >= log_interval_ns)) {
        log_warning("%s: %s; waiting for a server", session_first_server(s), error_text);
        s->last_logged_ns = now_ns;
    }
    if (s->connected_before && denied && !s->last_logged_ns) {
        log_warning("%s: %s; retrying", session_first_server(s), error_text);
        s->last_logged_ns = now_ns;
    }
    session_back_off(s, now_ns, limit_ns);
    return TRANSPORT_DOWN;
}

static enum transport_event session_connect(struct session *s)
{
    char error_text[NATS_CONN_TEXT_MAX] = "";
    bool first = !s->connected_before || s->down_since_ns == s->started_ns;
    uint64_t limit_ns = first ? s->config->connect_timeout_ns : s->config->max_reconnect_time_ns;
    uint64_t timeout_ns = s->config->nats.timeout_ns;
    uint64_t passed_ns = clock_monotonic() - s->down_since_ns;
    uint64_t left_ns = limit_ns > passed_ns ? limit_ns - passed_ns : 0;
    if (limit_ns && timeout_ns > left_ns)
        timeout_ns = left_ns;
    enum nats_conn_result result =
        nats_conn_open(&s->config->nats, timeout_ns, s->wake_fd, &s->conn, error_text);
    if (result == NATS_CONN_OPENED)
        return session_on_connected(s);
    return session_on_connect_failed(s, limit_ns, result, error_text);
}

enum transport_event session_poll(struct session *s)
{
    eventfd_t value;
    eventfd_read(s->wake_fd, &value);
    if (!s->conn)
        return clock_monotonic() >= s->retry_at_ns ? session_connect(s) : TRANSPORT_DOWN;
    bool closed = nats_conn_is_closed(s->conn);
    pthread_mutex_lock(&s->lock);
    bool lost = s->lost;
    bool publish_denied = s->publish_denied;
    if (lost)
        snprintf(s->lost_text, sizeof s->lost_text, "%s", s->error_text);
    else if (closed)
        nats_conn_get_error(s->conn, s->lost_text);
    pthread_mutex_unlock(&s->lock);
    if (!lost && !closed)
        return TRANSPORT_UP;
    session_disconnect(s);
    if (publish_denied) {
        log_printf("%s: publish refused: %s", s->peer, s->lost_text);
        return TRANSPORT_FAILED;
    }
    return TRANSPORT_LOST;
}

int session_timeout_ms(const struct session *s)
{
    if (s->conn)
        return -1;
    uint64_t now_ns = clock_monotonic();
    return now_ns >= s->retry_at_ns ? 0 : (int)((s->retry_at_ns - now_ns) / 1000000) + 1;
}

void session_mark_confirmed(struct session *s)
{
    s->confirmed_before = s->confirmed_now = true;
}

bool session_is_overdue(const struct session *s)
{
    uint64_t limit_ns = s->config->connect_timeout_ns;
    return limit_ns && !s->confirmed_before && clock_monotonic() - s->started_ns >= limit_ns;
}

void session_mark_lost(struct session *s)
{
    pthread_mutex_lock(&s->lock);
    if (!s->lost)
        nats_conn_get_error(s->conn, s->error_text);
    s->lost = true;
    s->usable = false;
    pthread_mutex_unlock(&s->lock);
}

bool session_payload_violated(const struct session *s)
{
    return !s->conn && strcasestr(s->lost_text, "maximum payload violation") != NULL;
}

void session_request_confirmation(struct session *s, const struct window_mark *sent)
{
    pthread_mutex_lock(&s->lock);
    if (s->usable && sent->offset > s->requested.offset) {
        s->requested = *sent;
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
}

struct window_mark session_confirmed(struct session *s)
{
    pthread_mutex_lock(&s->lock);
    struct window_mark confirmed = s->confirmed;
    pthread_mutex_unlock(&s->lock);
    return confirmed;
}

void session_close(struct session *s)
{
    if (!s->opened)
        return;
    if (s->conn)
        session_disconnect(s);
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    nats_conn_join_threads(); /* one may still be about to write to wake_fd */
    close(s->wake_fd);
}
