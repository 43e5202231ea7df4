#ifndef SHNEK_TLS_ERROR_H
#define SHNEK_TLS_ERROR_H

enum { TLS_ERROR_MAX = 256 }; /* capacity for tls_error_text() */

/* Describes why an OpenSSL call failed, from its error queue or errno, in TLS_ERROR_MAX bytes.
 * verify_result is the X509_V_ERR_... code of the peer's certificate. Empties the error queue. */
void tls_error_text(long verify_result, char *error_text);

#endif
