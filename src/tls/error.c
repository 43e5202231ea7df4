#include "tls/error.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>

struct reason {
    int number;
    const char *text;
};

/* What OpenSSL calls by other names, most of it alerts of the peer. */
static const struct reason session_reasons[] = {
    {SSL_R_WRONG_VERSION_NUMBER, "it does not speak TLS"},
    {SSL_R_HTTP_REQUEST, "it does not speak TLS"},
    {SSL_R_PACKET_LENGTH_TOO_LONG, "it does not speak TLS"},
    {SSL_R_UNSUPPORTED_PROTOCOL, "it has no TLS from version 1.2 on"},
    {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "it has no TLS from version 1.2 on"},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "it has no certificate"},
    {SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, "it wants a certificate"},
    {SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, "it wants a certificate, or has no cipher of ours"},
    {SSL_R_TLSV1_ALERT_UNKNOWN_CA, "it does not know who signed our certificate"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "it says that our certificate has expired"},
    {SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "it refuses our certificate"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "it refuses our certificate"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, "it refuses our certificate"},
    {SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, "it refuses our certificate"},
    {SSL_R_TLSV1_ALERT_ACCESS_DENIED, "it refuses our certificate"},
    {SSL_R_UNEXPECTED_EOF_WHILE_READING, "it closed the connection without a goodbye"},
    {0}};

static const struct reason certificate_reasons[] = {
    {X509_V_ERR_HOSTNAME_MISMATCH, "the certificate is for another name"},
    {X509_V_ERR_APPLICATION_VERIFICATION, "the certificate has another fingerprint"},
    {X509_V_ERR_CERT_HAS_EXPIRED, "the certificate has expired"},
    {X509_V_ERR_CERT_NOT_YET_VALID, "the certificate is not valid yet"},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, "the certificate is signed by no CA of ours"},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "the certificate is signed by no CA of ours"},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, "the certificate is signed by no CA of ours"},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "the certificate is signed by no CA of ours"},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "the certificate is signed by no CA of ours"},
    {0}};

static const char *reason_text(const struct reason *known, long number)
{
    while (known->text && known->number != number)
        known++;
    return known->text;
}

/* The first error is the cause, those after it are what it led to. Where there is none it is the
 * system's. */
void tls_error_text(long verdict, char *why)
{
    int system = errno;
    unsigned long error = ERR_get_error();
    int number = ERR_GET_REASON(error);
    const char *text = ERR_reason_error_string(error);
    const char *ours = NULL;
    if (error == 0)
        text = system ? strerror(system) : "it closed the connection";
    else if (ERR_SYSTEM_ERROR(error))
        text = strerror(number);
    else if (ERR_GET_LIB(error) == ERR_LIB_SSL)
        ours = reason_text(session_reasons, number);
    if (error && ERR_GET_LIB(error) == ERR_LIB_SSL && number == SSL_R_CERTIFICATE_VERIFY_FAILED) {
        ours = reason_text(certificate_reasons, verdict);
        text = X509_verify_cert_error_string(verdict);
    }
    snprintf(why, TLS_ERROR_MAX, "%s", ours ? ours : text ? text : "it failed");
    ERR_clear_error();
}
