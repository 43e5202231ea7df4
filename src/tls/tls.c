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

static int tls_hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *found = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
    return found ? (int)(found - digits) : -1;
}

static bool tls_parse_fingerprint(const char *text, unsigned char *to)
{
    for (int i = 0; i < 32; i++) {
        int high = tls_hex_digit(text[0]);
        int low = high < 0 ? -1 : tls_hex_digit(text[1]);
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
        if (!tls_parse_fingerprint(text + sizeof prefix - 1, peer.sha256)) {
            log_printf("%s: '%s' is not a fingerprint: expected sha256: and 64 hexadecimal digits",
                       flag, text);
            return false;
        }
    } else if (*text == '\0') {
        log_printf("%s: '' is not a peer: expected a name or sha256:FINGERPRINT", flag);
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

static bool tls_reject_file(const char *flag, const char *path, const char *reason)
{
    char error_text[TLS_ERROR_MAX];
    if (ERR_SYSTEM_ERROR(ERR_peek_error()))
        tls_error_text(X509_V_OK, error_text);
    else
        snprintf(error_text, sizeof error_text, "%s", reason);
    ERR_clear_error();
    log_printf("%s: %s: %s", flag, path, error_text);
    return false;
}

/* Prevents OpenSSL from prompting for a passphrase on the terminal. */
static int tls_refuse_passphrase(char *buf, int size, int writing, void *asked)
{
    (void)buf, (void)size, (void)writing;
    *(bool *)asked = true;
    return -1;
}

static bool tls_load_key(SSL_CTX *context, const char *flag, const char *path)
{
    bool asked = false;
    SSL_CTX_set_default_passwd_cb(context, tls_refuse_passphrase);
    SSL_CTX_set_default_passwd_cb_userdata(context, &asked);
    bool loaded = SSL_CTX_use_PrivateKey_file(context, path, SSL_FILETYPE_PEM) == 1;
    SSL_CTX_set_default_passwd_cb(context, NULL);
    SSL_CTX_set_default_passwd_cb_userdata(context, NULL);
    if (asked)
        return tls_reject_file(flag, path, "the key is encrypted; remove its passphrase");
    /* OpenSSL loads a key of another type than the certificate's without an error. */
    if (ERR_GET_LIB(ERR_peek_error()) == ERR_LIB_X509 ||
        (loaded && SSL_CTX_check_private_key(context) != 1))
        return tls_reject_file(flag, path, "the key does not match the certificate");
    return loaded || tls_reject_file(flag, path, "no private key found");
}

/* A peer that verifies it will refuse it, but others may not. */
static void tls_check_time(const SSL_CTX *context, const char *path)
{
    const X509 *cert = SSL_CTX_get0_certificate(context);
    if (X509_cmp_current_time(X509_get0_notAfter(cert)) < 0)
        log_warning("--tls-cert: %s: the certificate has expired", path);
    else if (X509_cmp_current_time(X509_get0_notBefore(cert)) > 0)
        log_warning("--tls-cert: %s: the certificate is not valid yet", path);
}

static bool tls_load_files(SSL_CTX *context, const struct tls_config *config)
{
    ERR_clear_error();
    if (config->cert && SSL_CTX_use_certificate_chain_file(context, config->cert) != 1)
        return tls_reject_file("--tls-cert", config->cert, "no certificate found");
    if (config->cert && !(config->key ? tls_load_key(context, "--tls-key", config->key)
                                      : tls_load_key(context, "--tls-cert", config->cert)))
        return false;
    if (config->cert)
        tls_check_time(context, config->cert);
    if (config->ca && SSL_CTX_load_verify_locations(context, config->ca, NULL) != 1)
        return tls_reject_file("--tls-ca", config->ca, "no certificate found");
    return true;
}

static bool tls_fingerprint_matches(X509 *cert, const struct tls_config *config)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (X509_digest(cert, EVP_sha256(), digest, &len) != 1)
        return false;
    for (size_t i = 0; i < config->peer_count; i++)
        if (!config->peers[i].name && memcmp(config->peers[i].sha256, digest, len) == 0)
            return true;
    return false;
}

static bool tls_cert_has_name(X509 *cert, const char *name)
{
    return X509_check_host(cert, name, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1 ||
           X509_check_ip_asc(cert, name, 0) == 1;
}

static bool tls_name_matches(X509 *cert, const struct tls_config *config, const char *host)
{
    if (config->peer_count == 0)
        return !host || tls_cert_has_name(cert, host);
    for (size_t i = 0; i < config->peer_count; i++)
        if (config->peers[i].name && tls_cert_has_name(cert, config->peers[i].name))
            return true;
    return false;
}

/* Replaces OpenSSL's own verification, because a certificate whose fingerprint is accepted needs no
 * chain (RFC 5425, section 4.2.2). */
static int tls_verify(X509_STORE_CTX *store, void *argument)
{
    const struct tls_config *config = argument;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    X509 *cert = X509_STORE_CTX_get0_cert(store);
    if (tls_fingerprint_matches(cert, config)) {
        X509_STORE_CTX_set_error(store, X509_V_OK);
        return 1;
    }
    bool only_fingerprints = SSL_is_server(ssl) && !config->ca;
    if (!only_fingerprints && X509_verify_cert(store) != 1)
        return 0;
    if (!only_fingerprints && tls_name_matches(cert, config, SSL_get_app_data(ssl)))
        return 1;
    X509_STORE_CTX_set_error(store, only_fingerprints ? X509_V_ERR_APPLICATION_VERIFICATION
                                                      : X509_V_ERR_HOSTNAME_MISMATCH);
    return 0;
}

static struct tls *tls_new(const struct tls_config *config, const SSL_METHOD *method)
{
    struct tls *t = calloc(1, sizeof *t);
    SSL_CTX *context = SSL_CTX_new(method);
    if (!t || !context || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) {
        log_printf("TLS: out of memory");
    } else if (tls_load_files(context, config)) {
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_num_tickets(context, 0);
        SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
        SSL_CTX_set_cert_verify_callback(context, tls_verify, (void *)config);
        t->context = context;
        return t;
    }
    SSL_CTX_free(context);
    free(t);
    return NULL;
}

struct tls *tls_server_new(const struct tls_config *config)
{
    struct tls *t = tls_new(config, TLS_server_method());
    if (t && (config->ca || config->peer_count))
        SSL_CTX_set_verify(t->context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    if (t && config->ca)
        SSL_CTX_set_client_CA_list(t->context, SSL_load_client_CA_file(config->ca));
    return t;
}

struct tls *tls_client_new(const struct tls_config *config)
{
    struct tls *t = tls_new(config, TLS_client_method());
    if (t && !config->ca)
        SSL_CTX_set_default_verify_paths(t->context);
    if (t)
        SSL_CTX_set_verify(t->context, config->insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    return t;
}

void tls_destroy(struct tls *tls)
{
    if (tls)
        SSL_CTX_free(tls->context);
    free(tls);
}

static struct tls_session *tls_session_new(struct tls *tls)
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
    struct tls_session *s = tls_session_new(tls);
    BIO *out = s ? BIO_new_socket(fd, BIO_NOCLOSE) : NULL;
    if (!out) {
        tls_session_destroy(s);
        return NULL;
    }
    SSL_set0_wbio(s->ssl, out);
    SSL_set_accept_state(s->ssl);
    return s;
}

/* Describes why the last SSL call failed; errno must still be that of the call. */
static void tls_session_error(const struct tls_session *s, char *error_text)
{
    tls_error_text(SSL_get_verify_result(s->ssl), error_text);
}

struct tls_session *tls_session_connect(struct tls *tls, int fd, const char *host, char *error_text)
{
    struct tls_session *s = tls_session_new(tls);
    unsigned char ip[16];
    if (!s || SSL_set_fd(s->ssl, fd) != 1) {
        snprintf(error_text, TLS_ERROR_MAX, "out of memory");
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
    tls_session_error(s, error_text);
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

enum tls_state tls_read(struct tls_session *s, char *to, size_t capacity, size_t *len,
                        char *error_text)
{
    ERR_clear_error();
    errno = 0;
    int n = SSL_read_ex(s->ssl, to, capacity, len);
    if (n == 1)
        return TLS_DATA;
    switch (SSL_get_error(s->ssl, n)) {
    case SSL_ERROR_WANT_READ:
        return TLS_MORE;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_ENDED;
    case SSL_ERROR_WANT_WRITE:
        snprintf(error_text, TLS_ERROR_MAX, "the peer does not read our handshake messages");
        return TLS_FAILED;
    default:
        tls_session_error(s, error_text);
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

/* Reads and discards data. Returns the SSL_ERROR_... code of the first read that fails. */
static int tls_discard_input(struct tls_session *s)
{
    char rest[256];
    size_t len;
    int n;
    ERR_clear_error();
    do {
        errno = 0;
        n = SSL_read_ex(s->ssl, rest, sizeof rest, &len);
    } while (n == 1);
    return SSL_get_error(s->ssl, n);
}

/*
 * Whether the peer has ended the session. With TLS 1.3 the peer rejects our certificate after our
 * handshake is complete: writes may still succeed, and only the alert to be read shows it.
 */
static bool tls_peer_has_ended(struct tls_session *s)
{
    int fd = SSL_get_fd(s->ssl);
    struct pollfd peer = {.fd = fd, .events = POLLIN};
    if (poll(&peer, 1, 0) <= 0)
        return false;
    int flags = fcntl(fd, F_GETFL);
    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    bool ended = tls_discard_input(s) != SSL_ERROR_WANT_READ;
    int error = errno;
    fcntl(fd, F_SETFL, flags);
    errno = error;
    return ended;
}

bool tls_write(struct tls_session *s, const char *data, size_t len, char *error_text)
{
    size_t written;
    if (!tls_peer_has_ended(s)) {
        ERR_clear_error();
        errno = 0;
        if (SSL_write_ex(s->ssl, data, len, &written) == 1)
            return true;
        int error = errno;
        if (ERR_peek_error() == 0 && !tls_peer_has_ended(s))
            errno = error;
    }
    tls_session_error(s, error_text);
    return false;
}

void tls_send_close_notify(struct tls_session *s)
{
    ERR_clear_error();
    SSL_shutdown(s->ssl);
    ERR_clear_error();
}

bool tls_close(struct tls_session *s, char *error_text)
{
    SSL_shutdown(s->ssl); /* if this fails, the read below finds the reason */
    if (tls_discard_input(s) == SSL_ERROR_ZERO_RETURN)
        return true;
    tls_session_error(s, error_text);
    return false;
}

void tls_session_destroy(struct tls_session *s)
{
    if (s)
        SSL_free(s->ssl);
    free(s);
}
