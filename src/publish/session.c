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

static const uint64_t first_wait = NS_PER_S / 10;
static const uint64_t longest_wait = 2 * NS_PER_S;
static const uint64_t repeat = 5 * NS_PER_S;

/* Asks for what was published by then, again and again, as long as there is more than was asked
 * for. */
static void *confirm(void *argument)
{
    struct link *l = argument;
    pthread_mutex_lock(&l->lock);
    while (!l->ending) {
        if (!l->open || l->asked.offset <= l->answered.offset) {
            pthread_cond_wait(&l->changed, &l->lock);
            continue;
        }
        struct mark asked = l->asked;
        char why[CONNECTION_WHY];
        l->busy = true;
        pthread_mutex_unlock(&l->lock);
        enum connection_answer answer = connection_confirm(l->connection, why);
        pthread_mutex_lock(&l->lock);
        l->busy = false;
        if (answer == CONNECTION_CONFIRMED) {
            l->answered = asked;
        } else {
            l->open = false;
            l->lost = true;
            l->refused = answer == CONNECTION_REFUSED;
            snprintf(l->why, sizeof l->why, "%s", why);
        }
        pthread_cond_broadcast(&l->changed);
        eventfd_write(l->fd, 1);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

bool link_start(struct link *l, struct link_config *config)
{
    *l = (struct link){.config = config, .wait = first_wait, .seed = (unsigned)clock_real()};
    l->down_since = clock_monotonic();
    l->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (l->fd < 0) {
        log_printf("eventfd: %m");
        return false;
    }
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->changed, NULL);
    errno = pthread_create(&l->thread, NULL, confirm, l);
    if (errno)
        log_printf("thread: %m");
    return errno == 0;
}

static const char *first_server(const struct link *l)
{
    return connection_shown(l->config->connection.servers[0]);
}

static void drop(struct link *l)
{
    pthread_mutex_lock(&l->lock);
    l->open = false;
    pthread_mutex_unlock(&l->lock);
    connection_shut(l->connection);
    pthread_mutex_lock(&l->lock);
    while (l->busy)
        pthread_cond_wait(&l->changed, &l->lock);
    l->lost = false;
    l->asked = l->answered;
    pthread_mutex_unlock(&l->lock);
    connection_free(l->connection, &l->config->connection);
    l->connection = NULL;
    l->down_since = clock_monotonic();
    l->retry_at = 0;
    l->wait = first_wait;
    l->said = 0;
}

/* Half of the wait is left to chance, so that many relays do not come at once. */
static void back_off(struct link *l, uint64_t now)
{
    uint64_t half = l->wait / 2;
    l->retry_at = now + half + half * (uint64_t)(rand_r(&l->seed) % 1000) / 1000;
    l->wait = l->wait * 2 < longest_wait ? l->wait * 2 : longest_wait;
}

static enum link_state attempt(struct link *l)
{
    char why[CONNECTION_WHY] = "";
    uint64_t limit = l->was_up ? l->config->max_reconnect_time : l->config->connect_timeout;
    uint64_t timeout = l->config->connection.timeout;
    uint64_t passed = clock_monotonic() - l->down_since;
    if (limit && timeout > (limit > passed ? limit - passed : 0))
        timeout = limit > passed ? limit - passed : 0;
    enum connection_attempt result =
        connection_open(&l->config->connection, timeout, l->fd, &l->connection, why);
    uint64_t now = clock_monotonic();
    if (result == CONNECTION_OPEN) {
        if (l->was_up) {
            connection_url(l->connection, why);
            log_printf("%s: has the server again", why);
        }
        l->was_up = true;
        pthread_mutex_lock(&l->lock);
        l->asked = l->answered; /* nothing was sent on this connection yet */
        l->open = true;
        pthread_mutex_unlock(&l->lock);
        return LINK_NEW;
    }
    if ((result == CONNECTION_NEVER && !l->was_up) || (limit && now - l->down_since >= limit)) {
        if (strncmp(why, "--", 2) == 0)
            log_printf("%s", why); /* it names the option that is to blame */
        else
            log_printf("%s: %s", first_server(l), why);
        return LINK_OVER;
    }
    if (!l->was_up && (!l->said || now - l->said >= repeat)) {
        log_printf("%s: %s; waiting for a server", first_server(l), why);
        l->said = now;
    }
    if (l->was_up && result == CONNECTION_NEVER && !l->said) {
        log_printf("%s: %s; trying again", first_server(l), why);
        l->said = now;
    }
    back_off(l, now);
    if (limit && l->retry_at > l->down_since + limit)
        l->retry_at = l->down_since + limit;
    return LINK_DOWN;
}

enum link_state link_tend(struct link *l)
{
    eventfd_t told;
    eventfd_read(l->fd, &told);
    if (l->connection) {
        char why[CONNECTION_WHY];
        bool closed = connection_closed(l->connection);
        pthread_mutex_lock(&l->lock);
        bool lost = l->lost;
        bool refused = l->refused;
        if (lost)
            snprintf(why, sizeof why, "%s", l->why);
        else if (closed)
            connection_why(l->connection, why);
        pthread_mutex_unlock(&l->lock);
        if (!lost && !closed)
            return LINK_UP;
        log_printf("%s %s", refused ? "the server refuses:" : "lost the server:", why);
        drop(l);
        if (refused)
            return LINK_OVER;
    }
    return clock_monotonic() >= l->retry_at ? attempt(l) : LINK_DOWN;
}

int link_patience(const struct link *l)
{
    if (l->connection)
        return -1;
    uint64_t now = clock_monotonic();
    return now >= l->retry_at ? 0 : (int)((l->retry_at - now) / 1000000) + 1;
}

void link_lost(struct link *l)
{
    pthread_mutex_lock(&l->lock);
    if (!l->lost)
        connection_why(l->connection, l->why);
    l->lost = true;
    l->open = false;
    pthread_mutex_unlock(&l->lock);
}

bool link_publish(struct link *l, const char *subject, struct slice payload)
{
    bool good = connection_publish(l->connection, subject, payload);
    if (!good)
        link_lost(l);
    return good;
}

void link_ask(struct link *l, const struct mark *sent)
{
    pthread_mutex_lock(&l->lock);
    if (l->open && sent->offset > l->asked.offset) {
        l->asked = *sent;
        pthread_cond_broadcast(&l->changed);
    }
    pthread_mutex_unlock(&l->lock);
}

struct mark link_answered(struct link *l)
{
    pthread_mutex_lock(&l->lock);
    struct mark answered = l->answered;
    pthread_mutex_unlock(&l->lock);
    return answered;
}

size_t link_max_payload(struct link *l)
{
    return connection_max_payload(l->connection);
}

void link_end(struct link *l)
{
    if (l->connection)
        drop(l);
    pthread_mutex_lock(&l->lock);
    l->ending = true;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
    pthread_join(l->thread, NULL);
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->lock);
    connection_end_all(); /* a thread of nats.c may still tell of a connection that closed */
    close(l->fd);
}
