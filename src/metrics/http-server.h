#ifndef SHNEK_METRICS_HTTP_SERVER_H
#define SHNEK_METRICS_HTTP_SERVER_H

#include "base/address.h"
#include "metrics/provider.h"

/*
 * An HTTP server with one thread for /metrics, /healthz (200 while the process runs) and /readyz
 * (200 or 503). At most 16 connections are open, each for up to 10 s without a request.
 */
struct http_server;

/* Listens on the first address that HOST has, and logs the URL. `provider` is borrowed. Returns
 * NULL and logs the reason on failure. */
struct http_server *http_server_open(const struct address *address,
                                     const struct metrics_provider *provider);

/* Ends the thread and closes all connections. NULL is allowed. */
void http_server_close(struct http_server *s);

#endif
