/*
 * tls.h - certificates and keys out of files, whether a client's certificate is to be believed, and
 * a connection that is ours from its handshake to its end.
 */
#ifndef FL_TLS_H
#define FL_TLS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "buf.h"

/* What a server shows and whom it believes. It does not change, and lives until nobody keeps it:
 * a renewed certificate is another one, and connections end with that of their beginning. */
typedef struct fl_tls fl_tls;

/* Read the files (`client_ca_file` may be NULL) and check that certificate and key belong
 * together. FL_E_SYNTAX, FL_E_NOTFOUND, FL_E_IO, FL_E_UNSUPPORTED where GnuTLS is missing. */
FL_NODISCARD fl_status fl_tls_load(fl_tls **out, const char *cert_file, const char *key_file,
                                   const char *client_ca_file, fl_error *err);
/* One more who keeps it, from any thread. NULL stays NULL. */
fl_tls *fl_tls_keep(fl_tls *tls);
void fl_tls_drop(fl_tls *tls); /* the last one overwrites the key. NULL is a no-op */
/* PEM texts, ended by NUL; the last is NULL where clients need show nothing. */
const char *fl_tls_cert_pem(const fl_tls *tls);
const char *fl_tls_key_pem(const fl_tls *tls);
const char *fl_tls_client_ca_pem(const fl_tls *tls);
bool fl_tls_is_mutual(const fl_tls *tls);
/* When the server's certificate ends, since the epoch. */
int64_t fl_tls_until_ns(const fl_tls *tls);

/* --- sessions of somebody else, as GnuTLS names them --- */

/* Before the handshake: from now on it shows and believes what `tls` says, which the caller keeps
 * for as long. */
void fl_tls_use(fl_tls *tls, void *session);
/* After the handshake: whether the client showed a certificate that one of the authorities signed
 * and that holds now. */
bool fl_tls_is_trusted(void *session);

/* --- sessions of ours: HTTP/2 over a socket that does not block --- */

typedef struct fl_tls_session fl_tls_session;

typedef enum fl_tls_step {
    FL_TLS_READY,
    FL_TLS_WANTS_READ,
    FL_TLS_WANTS_WRITE,
    FL_TLS_FAILED /* close it */
} fl_tls_step;

/* Keeps `tls`; the socket stays the caller's. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_tls_session_open(fl_tls_session **out, fl_tls *tls, int fd,
                                           fl_error *err);
void fl_tls_session_close(fl_tls_session *session); /* says goodbye. NULL is a no-op */
/* As far as the handshake goes now. A client that does not ask for "h2" fails it (RFC 9113, 3.3).
 * Once it is ready it stays so. */
fl_tls_step fl_tls_session_shake(fl_tls_session *session);
bool fl_tls_session_is_trusted(const fl_tls_session *session); /* true where nobody has to show */
/* As recv(2) and send(2) of such a socket, with errno EAGAIN or EPROTO. With room for 16 KiB
 * nothing stays behind that the socket does not tell of. After EAGAIN the same bytes
 * have to be sent again. */
ssize_t fl_tls_session_read(fl_tls_session *session, void *to, size_t cap);
ssize_t fl_tls_session_write(fl_tls_session *session, const void *from, size_t len);

#endif
