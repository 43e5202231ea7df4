#ifndef SHNEK_PUBLISH_STREAM_API_H
#define SHNEK_PUBLISH_STREAM_API_H

#include "publish/nats-conn.h"
#include "publish/stream-config.h"

enum stream_api_state {
    STREAM_API_READY,
    STREAM_API_UNAVAILABLE, /* for the moment */
    STREAM_API_UNBOUND,     /* no stream has the subject */
    STREAM_API_FAILED       /* permanently */
};

/* State of the stream for a whole run. All zero at the start. */
struct stream_api {
    char differences[512];      /* from the configuration, that were logged last */
    uint64_t no_peers_since_ns; /* clock_monotonic; 0 if the last attempt had another result */
};

/*
 * Looks the named stream up, and creates it if it is missing and `config` allows that. Logs how an
 * existing stream differs from `config`. A stream without a name is STREAM_API_READY. If the result
 * is another one, error_text, of NATS_CONN_TEXT_MAX bytes, is the reason.
 */
enum stream_api_state stream_api_ensure(struct stream_api *api, struct nats_conn *conn,
                                        const struct stream_config *config, char *error_text);

/*
 * Looks up why the stream with `subject` does not acknowledge messages. Returns STREAM_API_READY
 * and leaves error_text unchanged if nothing is wrong with its configuration.
 */
enum stream_api_state stream_api_diagnose(struct nats_conn *conn,
                                          const struct stream_config *config, const char *subject,
                                          char *error_text);

#endif
