#ifndef SHNEK_PUBLISH_NATS_CONN_H
#define SHNEK_PUBLISH_NATS_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"

/* One connection to a NATS server. It does not reconnect. */
struct nats_conn;

struct nats_conn_config {
    char **servers; /* URLs; owned */
    size_t server_count;
    const char *user; /* this and the other strings: NULL if not given */
    const char *password;
    const char *token;
    const char *creds;
    const char *nkey;
    const char *jwt;
    const char *seed; /* of jwt; NULL for a bearer token */
    const char *tlscert;
    const char *tlskey;
    const char *tlsca;
    const char *name;
    const char *inbox_prefix;
    const char *js_domain;
    const char *js_api_prefix;
    uint64_t timeout_ns;       /* for one attempt to connect */
    bool sends_large_messages; /* each one is written to the socket when it is published */
    uint64_t ping_interval_ns; /* a server that misses two PINGs counts as lost */
};

/* The size of every error_text and url, and of an inbox. */
enum { NATS_CONN_TEXT_MAX = 256, NATS_CONN_INBOX_MAX = 192 };

/*
 * Adds the URLs of a comma-separated list. Returns false and logs the reason, which names `flag`,
 * if one of them is not a server URL.
 */
bool nats_conn_add_servers(struct nats_conn_config *config, const char *flag, const char *list);

/* Returns the part of `url` without scheme, user and password if it has credentials, else all. */
const char *nats_conn_hide_credentials(const char *url);

/* Returns whether a connection reads files: certificates, keys or credentials. */
bool nats_conn_has_files(const struct nats_conn_config *config);

/* Returns whether these files can be read; if not, error_text is the reason. */
bool nats_conn_check_files(struct nats_conn_config *config, char *error_text);

enum nats_conn_result {
    NATS_CONN_OPENED,
    NATS_CONN_UNAVAILABLE, /* a later attempt may succeed */
    NATS_CONN_DENIED       /* by the password, a certificate, a file or a URL */
};

/*
 * Tries each server once, each for `timeout_ns`. On failure, *c is NULL and error_text is the
 * reason. When the connection closes, 1 is written to the eventfd `wake_fd`.
 */
enum nats_conn_result nats_conn_open(struct nats_conn_config *config, uint64_t timeout_ns,
                                     int wake_fd, struct nats_conn **c, char *error_text);

bool nats_conn_is_closed(struct nats_conn *c);

/* Returns the server's max_payload in bytes. */
size_t nats_conn_max_payload(struct nats_conn *c);

/* Writes the server's URL without credentials to `url`. */
void nats_conn_get_url(struct nats_conn *c, char *url);

/* Writes the reason why the connection was lost to `error_text`. */
void nats_conn_get_error(struct nats_conn *c, char *error_text);

/* Returns whether the server accepts messages with headers. */
bool nats_conn_accepts_headers(struct nats_conn *c);

enum nats_conn_publish_result {
    NATS_CONN_SENT,   /* or buffered, and sent soon */
    NATS_CONN_CLOSED, /* the connection is lost */
    NATS_CONN_REFUSED /* the message is longer than nats_conn_payload_limit() */
};

struct nats_conn_header {
    const char *name;
    const char *value; /* without CR and LF */
};

struct nats_conn_message {
    const char *subject;
    const char *reply; /* a subject, or NULL */
    struct slice payload;
    const struct nats_conn_header *headers;
    size_t header_count;
};

enum nats_conn_publish_result nats_conn_publish(struct nats_conn *c,
                                                const struct nats_conn_message *m);

/* Returns how many bytes max_payload leaves for the payload of the message. */
size_t nats_conn_payload_limit(struct nats_conn *c, const struct nats_conn_message *m);

/* Called from a thread of nats.c. `no_responders`: no client receives what had this reply subject.
 */
typedef void nats_conn_reply_handler(void *argument, const char *subject, struct slice payload,
                                     bool no_responders);

/* Writes a prefix for subjects of replies, which ends in a dot and was not used before, to `inbox`,
 * of NATS_CONN_INBOX_MAX bytes. Returns false and writes error_text on failure. */
bool nats_conn_new_inbox(const struct nats_conn *c, char *inbox, char *error_text);

/*
 * Calls `handler` for each message to a subject below `inbox`, which ends in a dot. Returns false
 * and writes error_text on failure. One call for each connection.
 */
bool nats_conn_subscribe_replies(struct nats_conn *c, const char *inbox,
                                 nats_conn_reply_handler *handler, void *argument,
                                 char *error_text);

enum nats_conn_flush_result {
    NATS_CONN_FLUSHED,
    NATS_CONN_LOST,
    NATS_CONN_PUBLISH_DENIED /* by the permissions of the user */
};

/*
 * Waits until a PONG confirms that the server has received all earlier messages; for any thread.
 * On failure, error_text is the reason.
 */
enum nats_conn_flush_result nats_conn_flush(struct nats_conn *c, char *error_text);

/* Closes the socket, which ends a nats_conn_flush() of another thread. */
void nats_conn_shutdown(struct nats_conn *c);

/* Closes and frees the connection. Adds servers of the cluster that it learned of to `config`. */
void nats_conn_close(struct nats_conn *c, struct nats_conn_config *config);

/* For nats-stream.c, the other user of nats.c: */

/* Returns the natsConnection. */
void *nats_conn_handle(const struct nats_conn *c);

const struct nats_conn_config *nats_conn_get_config(const struct nats_conn *c);

/* Escapes a string for JSON, which nats.c does not do. Returns the data of `b`. */
const char *nats_conn_escape(const char *text, struct buffer *b);

/* Writes the reason of a natsStatus that this thread received last, without a source position. */
void nats_conn_copy_last_error(int status, char *error_text);

/* Returns whether the last error of the connection is a permissions violation, and writes it. */
bool nats_conn_get_denial(const struct nats_conn *c, char *error_text);

/* Waits for the threads of nats.c, after the last connection was closed. */
void nats_conn_join_threads(void);

#endif
