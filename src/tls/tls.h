#ifndef SHNEK_TLS_TLS_H
#define SHNEK_TLS_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/slice.h"
#include "tls/error.h"

/* Whom we talk to: a name, as RFC 5425, section 5 compares it, or a certificate's fingerprint. */
struct tls_peer {
    const char *name; /* NULL: by the fingerprint */
    unsigned char sha256[32];
};

/* Paths of PEM files, or NULL. */
struct tls_config {
    const char *cert; /* and the chain behind it */
    const char *key;  /* NULL: in the file of the certificate */
    const char *ca;   /* who may have signed the other side's certificate */
    struct tls_peer *peers;
    size_t peer_count;
};

enum { TLS_SUBJECT_MAX = 512 }; /* room for what tls_subject makes */

/* NAME, or sha256: and 64 hexadecimal digits with or without colons. False, and a report that names
 * the flag, where it is neither. */
bool tls_config_peer(struct tls_config *config, const char *flag, const char *text);
void tls_config_free(struct tls_config *config);

/*
 * What all sessions of one side share: TLS 1.2 and up, no tickets, no renegotiation. NULL, and a
 * report that names the file, where one cannot be used. A server demands a certificate where it
 * has a CA or peers; a client always does, by the system's CAs where it has none of its own.
 */
struct tls;
struct tls *tls_server_new(const struct tls_config *config);
struct tls *tls_client_new(const struct tls_config *config);
void tls_destroy(struct tls *tls);

struct tls_session;

/* NULL where memory is short. The context may be freed while sessions of it live. */
struct tls_session *tls_session_accept(struct tls *tls, int fd);

/* Does the handshake on a descriptor that blocks; `host` is whom the certificate has to name, where
 * no peers do. NULL, and the reason, where that fails. */
struct tls_session *tls_session_connect(struct tls *tls, int fd, const char *host, char *why);

/* What came from the peer of tls_session_accept. It must stay until tls_read has no more. */
bool tls_feed(struct tls_session *s, struct slice block);

enum tls_state {
    TLS_DATA,  /* some bytes */
    TLS_MORE,  /* all that was fed is used up */
    TLS_ENDED, /* the peer said goodbye */
    TLS_FAILED /* and the reason is filled in */
};

/* The next bytes that were in it, after the handshake; handshake and alerts are answered. */
enum tls_state tls_read(struct tls_session *s, char *to, size_t room, size_t *got, char *why);

/* Whether what was fed ends within a record, of which nothing can be taken before its end. */
bool tls_mid_record(const struct tls_session *s);

/* Whether the handshake is over and the peer is whom we want. */
bool tls_established(const struct tls_session *s);

/* The subject of the peer's certificate (RFC 2253) into TLS_SUBJECT_MAX bytes; empty: it has none.
 */
void tls_subject(const struct tls_session *s, char *text);

/* All of it, on a descriptor that blocks. Of tls_session_connect only. False, too, where the peer
 * has ended the session, which is looked for first. */
bool tls_write(struct tls_session *s, const char *from, size_t length, char *why);

/* Of tls_session_accept: says goodbye. */
void tls_send_close_notify(struct tls_session *s);

/* Of tls_session_connect: says goodbye and waits for the peer's, so that it has read all before.
 * False where something else came. */
bool tls_close(struct tls_session *s, char *why);

void tls_session_destroy(struct tls_session *s);

#endif
