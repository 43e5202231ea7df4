#ifndef SHNEK_TLS_TLS_H
#define SHNEK_TLS_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/slice.h"
#include "tls/error.h"

/* An accepted peer: a name as in RFC 5425, section 5, or the fingerprint of its certificate. */
struct tls_peer {
    const char *name; /* NULL: sha256 is used */
    unsigned char sha256[32];
};

/* Paths of PEM files, each may be NULL. */
struct tls_config {
    const char *cert; /* our certificate and its chain */
    const char *key;  /* NULL: the key is in the certificate's file */
    const char *ca;   /* CAs that may sign the peer's certificate */
    struct tls_peer *peers;
    size_t peer_count;
    bool insecure; /* a client accepts any certificate; excludes ca and peers */
};

enum { TLS_SUBJECT_MAX = 512 }; /* capacity for tls_subject() */

/* Adds an accepted peer: NAME, or sha256: and 64 hexadecimal digits with or without colons. Returns
 * false and logs the reason with the flag's name if text is neither. */
bool tls_config_peer(struct tls_config *config, const char *flag, const char *text);
void tls_config_free(struct tls_config *config);

/*
 * The settings that all sessions of one side share: TLS 1.2 or later, no tickets, no renegotiation.
 * A server requires a client certificate if the configuration has a CA or peers. A client always
 * verifies the server, with the system's CAs unless the configuration has one. The configuration
 * must outlive the result. Both functions return NULL and log the file's name if one is unusable.
 */
struct tls;
struct tls *tls_server_new(const struct tls_config *config);
struct tls *tls_client_new(const struct tls_config *config);

/* Existing sessions remain valid. */
void tls_destroy(struct tls *tls);

struct tls_session;

/* Creates the server side of a session, which writes to fd and is fed by tls_feed(). Returns NULL
 * if memory runs out. */
struct tls_session *tls_session_accept(struct tls *tls, int fd);

/* Performs the handshake on a blocking descriptor. The certificate must match `host` unless the
 * configuration has peers. Returns NULL and fills in error_text on failure. */
struct tls_session *tls_session_connect(struct tls *tls, int fd, const char *host,
                                        char *error_text);

/* Passes received bytes to a server session. The block must stay valid until tls_read() returns
 * something other than TLS_DATA. Returns false if memory runs out. */
bool tls_feed(struct tls_session *s, struct slice block);

enum tls_state {
    TLS_DATA,  /* bytes were read */
    TLS_MORE,  /* all fed bytes are consumed */
    TLS_ENDED, /* the peer sent close_notify */
    TLS_FAILED /* error_text is filled in */
};

/* Reads up to capacity bytes of the fed data and stores their number in *len. Performs the
 * handshake and answers alerts as needed. */
enum tls_state tls_read(struct tls_session *s, char *to, size_t capacity, size_t *len,
                        char *error_text);

/* Whether the fed data ends within a record, which cannot be read until it is complete. */
bool tls_mid_record(const struct tls_session *s);

/* Whether the handshake is complete and the peer is accepted. */
bool tls_established(const struct tls_session *s);

/* Writes the subject of the peer's certificate (RFC 2253) to TLS_SUBJECT_MAX bytes, or an
 * empty string without a certificate. */
void tls_subject(const struct tls_session *s, char *text);

/* Writes len bytes to a client session on a blocking descriptor. Returns false and fills in
 * error_text on failure, also if the peer has ended the session, which is checked first. */
bool tls_write(struct tls_session *s, const char *data, size_t len, char *error_text);

/* Sends close_notify from a server session. */
void tls_send_close_notify(struct tls_session *s);

/* Sends close_notify from a client session and waits for the peer's, which confirms that the peer
 * has read everything. Returns false and fills in error_text if anything else arrives. */
bool tls_close(struct tls_session *s, char *error_text);

void tls_session_destroy(struct tls_session *s);

#endif
