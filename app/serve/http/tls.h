/*
 * tls.h - certificates and keys out of files, and whether a client's certificate is to be believed.
 */
#ifndef FL_TLS_H
#define FL_TLS_H

#include <stdbool.h>

#include "buf.h"

/* PEM texts; empty where there is none. */
typedef struct fl_tls {
    fl_buf cert, key, client_ca;
} fl_tls;

/* Read the files (`client_ca_file` may be NULL) and check that certificate and key belong
 * together. FL_E_SYNTAX, FL_E_NOTFOUND, FL_E_IO, FL_E_UNSUPPORTED where GnuTLS is missing. The
 * caller disposes of *out, also after a failure. */
FL_NODISCARD fl_status fl_tls_load(fl_tls *out, const char *cert_file, const char *key_file,
                                   const char *client_ca_file, fl_error *err);
/* The key is overwritten. */
void fl_tls_dispose(fl_tls *tls);
/* `session` is GnuTLS's, after its handshake: whether the client showed a certificate that one of
 * the authorities signed and that holds now. */
bool fl_tls_is_trusted(void *session);

#endif
