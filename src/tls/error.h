#ifndef SHNEK_TLS_ERROR_H
#define SHNEK_TLS_ERROR_H

enum { TLS_ERROR_MAX = 256 }; /* room for why something failed */

/* Why a call of OpenSSL failed, from its queue of errors or errno, in words that say what to do. Of
 * a certificate that was refused the verdict (X509_V_ERR_...) is the reason. */
void tls_error_text(long verdict, char *why);

#endif
