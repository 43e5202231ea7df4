#include "tls/error.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>

struct tls_error_entry {
    int number;
    const char *text;
};

/* Errors for which OpenSSL's own text does not help the user; most are alerts from the peer. */
static const struct tls_error_entry tls_session_errors[] = {
    {SSL_R_WRONG_VERSION_NUMBER, "the peer does not speak TLS"},
    {SSL_R_HTTP_REQUEST, "the peer does not speak TLS"},
    {SSL_R_PACKET_LENGTH_TOO_LONG, "the peer does not speak TLS"},
    {SSL_R_UNSUPPORTED_PROTOCOL, "the peer does not support TLS 1.2 or later"},
    {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "the peer does not support TLS 1.2 or later"},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "the peer has no certificate"},
    {SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, "the peer requires a certificate"},
    {SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE,
     "the peer requires a certificate or supports none of our ciphers"},
    {SSL_R_TLSV1_ALERT_UNKNOWN_CA, "the peer does not trust the CA of our certificate"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "the peer reports that our certificate has expired"},
    {SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "the peer rejected our certificate"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "the peer rejected our certificate"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, "the peer rejected our certificate"},
    {SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, "the peer rejected our certificate"},
    {SSL_R_TLSV1_ALERT_ACCESS_DENIED, "the peer rejected our certificate"},
    {SSL_R_UNEXPECTED_EOF_WHILE_READING, "the peer closed the connection without close_notify"},
    {0}};

static const struct tls_error_entry tls_certificate_errors[] = {
    {X509_V_ERR_HOSTNAME_MISMATCH, "the certificate is for a different name"},
    {X509_V_ERR_APPLICATION_VERIFICATION, "the certificate has a different fingerprint"},
    {X509_V_ERR_CERT_HAS_EXPIRED, "the certificate has expired"},
    {X509_V_ERR_CERT_NOT_YET_VALID, "the certificate is not valid yet"},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, "the certificate is not signed by a trusted CA"},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "the certificate is not signed by a trusted CA"},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, "the certificate is not signed by a trusted CA"},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "the certificate is not signed by a trusted CA"},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "the certificate is not signed by a trusted CA"},
    {0}};

static const char *tls_error_find(const struct tls_error_entry *known, long number)
{
    while (known->text && known->number != number)
        known++;
    return known->text;
}

void tls_error_text(long verify_result, char *error_text)
{
    int system_error = errno;
    unsigned long error =
        ERR_get_error(); /* the first one is the cause, the others follow from it */
    int number = ERR_GET_REASON(error);
    const char *text = ERR_reason_error_string(error);
    const char *known = NULL;
    if (error == 0)
        text = system_error ? strerror(system_error) : "the peer closed the connection";
    else if (ERR_SYSTEM_ERROR(error))
        text = strerror(number);
    else if (ERR_GET_LIB(error) == ERR_LIB_SSL)
        known = tls_error_find(tls_session_errors, number);
    if (error && ERR_GET_LIB(error) == ERR_LIB_SSL && number == SSL_R_CERTIFICATE_VERIFY_FAILED) {
        known = tls_error_find(tls_certificate_errors, verify_result);
        text = X509_verify_cert_error_string(verify_result);
    }
    snprintf(error_text, TLS_ERROR_MAX, "%s", known ? known : text ? text : "unknown error");
    ERR_clear_error();
}
