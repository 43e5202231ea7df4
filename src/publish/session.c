#include "publish/session.h"

#include <errno.h>
#include <inttypes.h>
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

/* Asks for what was published by then, again and again, as long as there is more than was asked
 * for. */
static void *session_confirm_thread(void *argument)
{
    struct session *l = argument;
    pthread_mutex_lock(&l->lock);
    while (!l->stopping) {
        if (!l->usable || l->requested.offset <= l->confirmed.offset) {
            pthread_cond_wait(&l->changed, &l->lock);
            continue;
        }
        struct window_mark asked = l->requested;
        char why[NATS_CONN_TEXT_MAX];
        l->flushing = true;
        pthread_mutex_unlock(&l->lock);
        enum nats_conn_flush_result answer = nats_conn_flush(l->conn, why);
        pthread_mutex_lock(&l->lock);
        l->flushing = false;
        if (answer == NATS_CONN_FLUSHED) {
            l->confirmed = asked;
        } else {
            l->usable = false;
            l->lost = true;
            l->refused = answer == NATS_CONN_PUBLISH_DENIED;
            snprintf(l->error_text, sizeof l->error_text, "%s", why);
        }
        pthread_cond_broadcast(&l->changed);
        eventfd_write(l->wake_fd, 1);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

bool session_open(struct session *l, struct session_config *config)
{
    *l = (struct session){
        .config = config, .backoff_ns = backoff_min_ns, .seed = (unsigned)clock_real()};
    l->down_since_ns = clock_monotonic();
    l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (l->wake_fd < 0) {
        log_printf("eventfd: %m");
        return false;
    }
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->changed, NULL);
    errno = pthread_create(&l->thread, NULL, session_confirm_thread, l);
    if (errno)
        log_printf("thread: %m");
    return errno == 0;
}

static const char *session_first_server(const struct session *l)
{
    return nats_conn_hide_credentials(l->config->nats.servers[0]);
}

static void session_drop(struct session *l)
{
    pthread_mutex_lock(&l->lock);
    l->usable = false;
    pthread_mutex_unlock(&l->lock);
    nats_conn_shutdown(l->conn);
    pthread_mutex_lock(&l->lock);
    while (l->flushing)
        pthread_cond_wait(&l->changed, &l->lock);
    l->lost = false;
    l->requested = l->confirmed;
    pthread_mutex_unlock(&l->lock);
    nats_conn_close(l->conn, &l->config->nats);
    l->conn = NULL;
    l->down_since_ns = clock_monotonic();
    l->retry_at_ns = 0;
    l->backoff_ns = backoff_min_ns;
    l->last_logged_ns = 0;
}

/* Half of the wait is left to chance, so that many relays do not come at once. */
static void session_back_off(struct session *l, uint64_t now)
{
    uint64_t half = l->backoff_ns / 2;
    l->retry_at_ns = now + half + half * (uint64_t)(rand_r(&l->seed) % 1000) / 1000;
    l->backoff_ns = l->backoff_ns * 2 < backoff_max_ns ? l->backoff_ns * 2 : backoff_max_ns;
}

static enum session_state session_connect(struct session *l)
{
    char why[NATS_CONN_TEXT_MAX] = "";
    uint64_t limit =
        l->connected_before ? l->config->max_reconnect_time_ns : l->config->connect_timeout_ns;
    uint64_t timeout = l->config->nats.timeout_ns;
    uint64_t passed = clock_monotonic() - l->down_since_ns;
    if (limit && timeout > (limit > passed ? limit - passed : 0))
        timeout = limit > passed ? limit - passed : 0;
    enum nats_conn_result result =
        nats_conn_open(&l->config->nats, timeout, l->wake_fd, &l->conn, why);
    uint64_t now = clock_monotonic();
    if (result == NATS_CONN_OPENED) {
        if (l->connected_before) {
            nats_conn_get_url(l->conn, why);
            log_printf("%s: has the server again", why);
        }
        l->connected_before = true;
        pthread_mutex_lock(&l->lock);
        l->requested = l->confirmed; /* nothing was sent on this connection yet */
        l->usable = true;
        pthread_mutex_unlock(&l->lock);
        return SESSION_CONNECTED;
    }
    if ((result == NATS_CONN_DENIED && !l->connected_before) ||
        (limit && now - l->down_since_ns >= limit)) {
        if (strncmp(why, "--", 2) == 0)
            log_printf("%s", why); /* it names the option that is to blame */
        else
            log_printf("%s: %s", session_first_server(l), why);
        return SESSION_FAILED;
    }
    if (!l->connected_before &&
        (!l->last_logged_ns || now - l->last_logged_ns >= log_interval_ns)) {
        log_printf("%s: %s; waiting for a server", session_first_server(l), why);
        l->last_logged_ns = now;
    }
    if (l->connected_before && result == NATS_CONN_DENIED && !l->last_logged_ns) {
        log_printf("%s: %s; trying again", session_first_server(l), why);
        l->last_logged_ns = now;
    }
    session_back_off(l, now);
    if (limit && l->retry_at_ns > l->down_since_ns + limit)
        l->retry_at_ns = l->down_since_ns + limit;
    return SESSION_DOWN;
}

enum session_state session_poll(struct session *l)
{
    eventfd_t told;
    eventfd_read(l->wake_fd, &told);
    if (l->conn) {
        char why[NATS_CONN_TEXT_MAX];
        bool closed = nats_conn_is_closed(l->conn);
        pthread_mutex_lock(&l->lock);
        bool lost = l->lost;
        bool refused = l->refused;
        if (lost)
            snprintf(why, sizeof why, "%s", l->error_text);
        else if (closed)
            nats_conn_get_error(l->conn, why);
        pthread_mutex_unlock(&l->lock);
        if (!lost && !closed)
            return SESSION_UP;
        log_printf("%s %s", refused ? "the server refuses:" : "lost the server:", why);
        session_drop(l);
        if (refused)
            return SESSION_FAILED;
    }
    return clock_monotonic() >= l->retry_at_ns ? session_connect(l) : SESSION_DOWN;
}

int session_timeout_ms(const struct session *l)
{
    if (l->conn)
        return -1;
    uint64_t now = clock_monotonic();
    return now >= l->retry_at_ns ? 0 : (int)((l->retry_at_ns - now) / 1000000) + 1;
}

void session_mark_lost(struct session *l)
{
    pthread_mutex_lock(&l->lock);
    if (!l->lost)
        nats_conn_get_error(l->conn, l->error_text);
    l->lost = true;
    l->usable = false;
    pthread_mutex_unlock(&l->lock);
}

bool session_publish(struct session *l, const char *subject, struct slice payload)
{
    bool good = nats_conn_publish(l->conn, subject, payload);
    if (!good)
        session_mark_lost(l);
    return good;
}

void session_request_confirmation(struct session *l, const struct window_mark *sent)
{
    pthread_mutex_lock(&l->lock);
    if (l->usable && sent->offset > l->requested.offset) {
        l->requested = *sent;
        pthread_cond_broadcast(&l->changed);
    }
    pthread_mutex_unlock(&l->lock);
}

struct window_mark session_confirmed(struct session *l)
{
    pthread_mutex_lock(&l->lock);
    struct window_mark answered = l->confirmed;
    pthread_mutex_unlock(&l->lock);
    return answered;
}

size_t session_max_payload(struct session *l)
{
    return nats_conn_max_payload(l->conn);
}

void session_close(struct session *l)
{
    if (l->conn)
        session_drop(l);
    pthread_mutex_lock(&l->lock);
    l->stopping = true;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
    pthread_join(l->thread, NULL);
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->lock);
    nats_conn_join_threads(); /* a thread of nats.c may still tell of a connection that closed */
    close(l->wake_fd);
}
