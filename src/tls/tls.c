#include "tls/tls.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/log.h"
#include "tls/error.h"

struct tls {
    SSL_CTX *context;
};

struct tls_session {
    SSL *ssl;
};

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
    return at ? (int)(at - digits) : -1;
}

static bool parse_fingerprint(const char *text, unsigned char *to)
{
    for (int i = 0; i < 32; i++) {
        int high = hex_digit(text[0]);
        int low = high < 0 ? -1 : hex_digit(text[1]);
        if (low < 0)
            return false;
        to[i] = (unsigned char)(high << 4 | low);
        text += 2;
        if (*text == ':' && i < 31)
            text++;
    }
    return *text == '\0';
}

bool tls_config_peer(struct tls_config *config, const char *flag, const char *text)
{
    static const char prefix[] = "sha256:";
    struct tls_peer peer = {.name = text};
    if (strncasecmp(text, prefix, sizeof prefix - 1) == 0) {
        peer.name = NULL;
        if (!parse_fingerprint(text + sizeof prefix - 1, peer.sha256)) {
            log_printf("%s: '%s': a fingerprint is sha256: and 64 hexadecimal digits", flag, text);
            return false;
        }
    } else if (*text == '\0') {
        log_printf("%s: it is empty", flag);
        return false;
    }
    size_t capacity = config->peer_count;
    config->peers = array_grow(config->peers, &capacity, config->peer_count, sizeof *config->peers);
    config->peers[config->peer_count++] = peer;
    return true;
}

void tls_config_free(struct tls_config *config)
{
    free(config->peers);
    config->peers = NULL;
    config->peer_count = 0;
}

static bool not_usable(const char *flag, const char *path, const char *what)
{
    char why[TLS_ERROR_MAX];
    if (ERR_SYSTEM_ERROR(ERR_peek_error()))
        tls_error_text(X509_V_OK, why);
    else
        snprintf(why, sizeof why, "%s", what);
    ERR_clear_error();
    log_printf("%s: %s: %s", flag, path, why);
    return false;
}

/* No question for a passphrase on the terminal. */
static int no_passphrase(char *to, int size, int writing, void *asked)
{
    (void)to, (void)size, (void)writing;
    *(bool *)asked = true;
    return -1;
}

static bool load_key(SSL_CTX *c, const char *flag, const char *path)
{
    bool asked = false;
    SSL_CTX_set_default_passwd_cb(c, no_passphrase);
    SSL_CTX_set_default_passwd_cb_userdata(c, &asked);
    bool good = SSL_CTX_use_PrivateKey_file(c, path, SSL_FILETYPE_PEM) == 1;
    SSL_CTX_set_default_passwd_cb(c, NULL);
    SSL_CTX_set_default_passwd_cb_userdata(c, NULL);
    if (asked)
        return not_usable(flag, path, "the key has a passphrase");
    /* A key of another kind than the certificate's is taken at first. */
    if (ERR_GET_LIB(ERR_peek_error()) == ERR_LIB_X509 ||
        (good && SSL_CTX_check_private_key(c) != 1))
        return not_usable(flag, path, "the key is for another certificate");
    return good || not_usable(flag, path, "it holds no key");
}

static bool load(SSL_CTX *c, const struct tls_config *config)
{
    ERR_clear_error();
    if (config->cert && SSL_CTX_use_certificate_chain_file(c, config->cert) != 1)
        return not_usable("--tls-cert", config->cert, "it holds no certificate");
    if (config->cert && !(config->key ? load_key(c, "--tls-key", config->key)
                                      : load_key(c, "--tls-cert", config->cert)))
        return false;
    if (config->ca && SSL_CTX_load_verify_locations(c, config->ca, NULL) != 1)
        return not_usable("--tls-ca", config->ca, "it holds no certificate");
    return true;
}

static bool has_fingerprint(X509 *cert, const struct tls_config *config)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    if (X509_digest(cert, EVP_sha256(), digest, &length) != 1)
        return false;
    for (size_t i = 0; i < config->peer_count; i++)
        if (!config->peers[i].name && memcmp(config->peers[i].sha256, digest, length) == 0)
            return true;
    return false;
}

static bool names(X509 *cert, const char *name)
{
    return X509_check_host(cert, name, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1 ||
           X509_check_ip_asc(cert, name, 0) == 1;
}

static bool has_name(X509 *cert, const struct tls_config *config, const char *host)
{
    if (config->peer_count == 0)
        return !host || names(cert, host);
    for (size_t i = 0; i < config->peer_count; i++)
        if (config->peers[i].name && names(cert, config->peers[i].name))
            return true;
    return false;
}

/* In place of OpenSSL's own check, since one that a fingerprint names needs no chain (RFC 5425,
 * section 4.2.2). */
static int verify(X509_STORE_CTX *store, void *argument)
{
    const struct tls_config *config = argument;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    X509 *cert = X509_STORE_CTX_get0_cert(store);
    if (has_fingerprint(cert, config)) {
        X509_STORE_CTX_set_error(store, X509_V_OK);
        return 1;
    }
    bool only_fingerprints = SSL_is_server(ssl) && !config->ca;
    if (!only_fingerprints && X509_verify_cert(store) != 1)
        return 0;
    if (!only_fingerprints && has_name(cert, config, SSL_get_app_data(ssl)))
        return 1;
    X509_STORE_CTX_set_error(store, only_fingerprints ? X509_V_ERR_APPLICATION_VERIFICATION
                                                      : X509_V_ERR_HOSTNAME_MISMATCH);
    return 0;
}

static struct tls *make(const struct tls_config *config, const SSL_METHOD *method)
{
    struct tls *t = calloc(1, sizeof *t);
    SSL_CTX *c = SSL_CTX_new(method);
    if (!t || !c || SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) != 1) {
        log_printf("TLS: out of memory");
    } else if (load(c, config)) {
        SSL_CTX_set_options(c, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
        SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_num_tickets(c, 0);
        SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS);
        SSL_CTX_set_cert_verify_callback(c, verify, (void *)config);
        t->context = c;
        return t;
    }
    SSL_CTX_free(c);
    free(t);
    return NULL;
}

struct tls *tls_server_new(const struct tls_config *config)
{
    struct tls *t = make(config, TLS_server_method());
    if (t && (config->ca || config->peer_count))
        SSL_CTX_set_verify(t->context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    if (t && config->ca)
        SSL_CTX_set_client_CA_list(t->context, SSL_load_client_CA_file(config->ca));
    return t;
}

struct tls *tls_client_new(const struct tls_config *config)
{
    struct tls *t = make(config, TLS_client_method());
    if (t && !config->ca)
        SSL_CTX_set_default_verify_paths(t->context);
    if (t)
        SSL_CTX_set_verify(t->context, SSL_VERIFY_PEER, NULL);
    return t;
}

void tls_destroy(struct tls *tls)
{
    if (tls)
        SSL_CTX_free(tls->context);
    free(tls);
}

static struct tls_session *session(struct tls *tls)
{
    struct tls_session *s = calloc(1, sizeof *s);
    SSL *ssl = SSL_new(tls->context);
    if (s && ssl) {
        s->ssl = ssl;
        return s;
    }
    SSL_free(ssl);
    free(s);
    return NULL;
}

struct tls_session *tls_session_accept(struct tls *tls, int fd)
{
    struct tls_session *s = session(tls);
    BIO *out = s ? BIO_new_socket(fd, BIO_NOCLOSE) : NULL;
    if (!out) {
        tls_session_destroy(s);
        return NULL;
    }
    SSL_set0_wbio(s->ssl, out);
    SSL_set_accept_state(s->ssl);
    return s;
}

/* Why an SSL call failed; errno is its own. */
static void session_reason(const struct tls_session *s, char *why)
{
    tls_error_text(SSL_get_verify_result(s->ssl), why);
}

struct tls_session *tls_session_connect(struct tls *tls, int fd, const char *host, char *why)
{
    struct tls_session *s = session(tls);
    unsigned char ip[16];
    if (!s || SSL_set_fd(s->ssl, fd) != 1) {
        snprintf(why, TLS_ERROR_MAX, "out of memory");
        tls_session_destroy(s);
        return NULL;
    }
    SSL_set_app_data(s->ssl, (char *)host);
    if (inet_pton(AF_INET, host, ip) != 1 && inet_pton(AF_INET6, host, ip) != 1)
        SSL_set_tlsext_host_name(s->ssl, host);
    ERR_clear_error();
    errno = 0;
    if (SSL_connect(s->ssl) == 1)
        return s;
    session_reason(s, why);
    tls_session_destroy(s);
    return NULL;
}

bool tls_feed(struct tls_session *s, struct slice block)
{
    BIO *in = BIO_new_mem_buf(block.data, (int)block.len);
    if (!in)
        return false;
    BIO_set_mem_eof_return(in, -1);
    SSL_set0_rbio(s->ssl, in);
    return true;
}

enum tls_state tls_read(struct tls_session *s, char *to, size_t room, size_t *got, char *why)
{
    ERR_clear_error();
    errno = 0;
    int n = SSL_read_ex(s->ssl, to, room, got);
    if (n == 1)
        return TLS_DATA;
    switch (SSL_get_error(s->ssl, n)) {
    case SSL_ERROR_WANT_READ:
        return TLS_MORE;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_ENDED;
    case SSL_ERROR_WANT_WRITE:
        snprintf(why, TLS_ERROR_MAX, "it does not read what it is told");
        return TLS_FAILED;
    default:
        session_reason(s, why);
        return TLS_FAILED;
    }
}

bool tls_mid_record(const struct tls_session *s)
{
    return SSL_has_pending(s->ssl) || strcmp(SSL_rstate_string(s->ssl), "RB") == 0;
}

bool tls_established(const struct tls_session *s)
{
    return SSL_is_init_finished(s->ssl);
}

void tls_subject(const struct tls_session *s, char *text)
{
    X509 *cert = SSL_get0_peer_certificate(s->ssl);
    BIO *out = cert ? BIO_new(BIO_s_mem()) : NULL;
    text[0] = '\0';
    if (out && X509_NAME_print_ex(out, X509_get_subject_name(cert), 0, XN_FLAG_RFC2253) >= 0) {
        int n = BIO_read(out, text, TLS_SUBJECT_MAX - 1);
        text[n > 0 ? n : 0] = '\0';
    }
    BIO_free(out);
}

/* Reads until something else comes than data: SSL_ERROR_... */
static int read_on(struct tls_session *s)
{
    char rest[256];
    size_t got;
    int n;
    ERR_clear_error();
    do {
        errno = 0;
        n = SSL_read_ex(s->ssl, rest, sizeof rest, &got);
    } while (n == 1);
    return SSL_get_error(s->ssl, n);
}

/*
 * Whether the peer has ended it. With TLS 1.3 it refuses our certificate after the handshake: then
 * an alert waits to be read, whatever becomes of what is written.
 */
static bool has_ended(struct tls_session *s)
{
    int fd = SSL_get_fd(s->ssl);
    struct pollfd peer = {.fd = fd, .events = POLLIN};
    if (poll(&peer, 1, 0) <= 0)
        return false;
    int flags = fcntl(fd, F_GETFL);
    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    bool ended = read_on(s) != SSL_ERROR_WANT_READ;
    int error = errno;
    fcntl(fd, F_SETFL, flags);
    errno = error;
    return ended;
}

bool tls_write(struct tls_session *s, const char *from, size_t length, char *why)
{
    size_t wrote;
    if (!has_ended(s)) {
        ERR_clear_error();
        errno = 0;
        if (SSL_write_ex(s->ssl, from, length, &wrote) == 1)
            return true;
        int error = errno;
        if (ERR_peek_error() == 0 && !has_ended(s))
            errno = error;
    }
    session_reason(s, why);
    return false;
}

void tls_send_close_notify(struct tls_session *s)
{
    ERR_clear_error();
    SSL_shutdown(s->ssl);
    ERR_clear_error();
}

bool tls_close(struct tls_session *s, char *why)
{
    SSL_shutdown(s->ssl); /* where that fails, what is to be read says why */
    if (read_on(s) == SSL_ERROR_ZERO_RETURN)
        return true;
    session_reason(s, why);
    return false;
}

void tls_session_destroy(struct tls_session *s)
{
    if (s)
        SSL_free(s->ssl);
    free(s);
}
