#include "relay/listeners.h"

#include <stddef.h>

#include "base/log.h"
#include "relay/systemd.h"

static bool open_listeners(struct doors *d, const struct relay_config *config)
{
    for (size_t i = 0; i < config->listen_count; i++) {
        int opened =
            listener_open(&config->listen[i], config, d->listeners + d->count, DOORS - d->count);
        if (!opened)
            return false;
        d->count += opened;
    }
    if (config->listen_systemd) {
        int opened = systemd_listen(d->listeners + d->count, DOORS - d->count);
        if (!opened)
            return false;
        d->count += opened;
    }
    return true;
}

/* What the listeners need before something comes to them. */
static bool open_transports(struct doors *d, struct relay *r)
{
    for (int i = 0; i < d->count; i++) {
        struct listener *l = &d->listeners[i];
        if (transport_is_datagram(l->transport)) {
            datagrams_start(l, r);
            if (!d->datagrams && !(d->datagrams = datagrams_open(r)))
                return false;
        }
        if (l->transport == TRANSPORT_TLS && !d->tls) {
            log_printf("%s: it needs --tls-cert", l->name);
            return false;
        }
    }
    return true;
}

bool doors_open(struct doors *d, struct relay *r)
{
    const struct relay_config *config = r->config;
    if (config->tls.cert && !(d->tls = tls_server_new(&config->tls)))
        return false;
    return open_listeners(d, config) && open_transports(d, r);
}

void doors_reload(struct doors *d, struct relay *r)
{
    systemd_notify_reloading();
    struct tls *fresh = tls_server_new(&r->config->tls);
    if (fresh) {
        tls_destroy(d->tls);
        d->tls = fresh;
        log_printf("read the certificates again");
    } else {
        log_printf("the certificates of before stay in use");
    }
    systemd_notify_ready(d->count);
}

void doors_shut(struct doors *d)
{
    while (d->count)
        listener_close(&d->listeners[--d->count]);
}

void doors_close(struct doors *d)
{
    doors_shut(d);
    datagrams_close(d->datagrams);
    tls_destroy(d->tls);
}
