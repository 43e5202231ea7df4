#ifndef SHNEK_PUBLISH_STREAM_API_H
#define SHNEK_PUBLISH_STREAM_API_H

#include "publish/nats-conn.h"

struct stream_config {
    const char *name;            /* NULL: whichever stream has the subject */
    bool create;                 /* if it does not exist */
    const char *create_subjects; /* separated by commas; NULL: the subject */
    bool memory;                 /* memory storage instead of files */
    uint64_t replicas;
    uint64_t max_age_ns; /* 0: unlimited */
    uint64_t max_bytes;  /* 0: unlimited */
    uint64_t timeout_ns; /* for one API request */
};

enum stream_api_state {
    STREAM_API_READY,
    STREAM_API_UNAVAILABLE, /* for the moment */
    STREAM_API_UNBOUND,     /* no stream has the subject */
    STREAM_API_FAILED       /* permanently */
};

/*
 * Looks the named stream up, and creates it if it is missing and `config` allows that. A stream
 * without a name is STREAM_API_READY. If the result is another one, error_text, of
 * NATS_CONN_TEXT_MAX bytes, is the reason.
 */
enum stream_api_state stream_api_ensure(struct nats_conn *conn, const struct stream_config *config,
                                        const char *subject, char *error_text);

/*
 * Looks up why the stream with `subject` does not acknowledge messages. Returns STREAM_API_READY
 * and leaves error_text unchanged if nothing is wrong with its configuration.
 */
enum stream_api_state stream_api_diagnose(struct nats_conn *conn,
                                          const struct stream_config *config, const char *subject,
                                          char *error_text);

#endif
