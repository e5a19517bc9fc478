/*
 * tls.c - what libmicrohttpd leaves to us of TLS.
 *
 * GnuTLS is loaded when the first certificate is (base/lazy.h); libmicrohttpd has loaded the same
 * library then. The soname is that of the interface since 3.0.
 */
#include "tls.h"

#include <assert.h>
#include <gnutls/gnutls.h>
#include <pthread.h>
#include <string.h>

#include "lazy.h"
#include "slice.h"
#include "stream.h"

#define FL_GNUTLS_FUNCTIONS(X)                                                                     \
    X(gnutls_certificate_allocate_credentials)                                                     \
    X(gnutls_certificate_free_credentials)                                                         \
    X(gnutls_certificate_set_x509_key_mem)                                                         \
    X(gnutls_certificate_set_x509_trust_mem)                                                       \
    X(gnutls_certificate_verify_peers2)                                                            \
    X(gnutls_strerror)

#define DECLARE(name) static __typeof__(&name) lazy_##name;
#define SYMBOL(name)  {#name, &lazy_##name},

FL_GNUTLS_FUNCTIONS(DECLARE)

enum { MAX_PEM_BYTES = 1 << 20 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static fl_status loaded;
static fl_error why;

static void load(void)
{
    static const fl_lazy_symbol symbols[] = {FL_GNUTLS_FUNCTIONS(SYMBOL)};
    loaded = fl_lazy_load("libgnutls.so.30", symbols, sizeof(symbols) / sizeof(symbols[0]), &why);
}

/* Whole, as GnuTLS wants it. */
static fl_status read_pem(fl_buf *out, const char *path, fl_error *err)
{
    fl_stream *in;
    char block[4096];
    size_t len = 1;
    *out = fl_buf_of(MAX_PEM_BYTES);
    fl_status status = fl_stream_open(&in, path, err);
    if (status != FL_OK)
        return status;
    while (status == FL_OK && len > 0) {
        status = fl_stream_read(in, block, sizeof(block), &len, err);
        fl_buf_add(out, (fl_slice){.ptr = (unsigned char *)block, .len = len});
    }
    fl_stream_close(in);
    memset(block, 0, sizeof(block));
    return status == FL_OK ? fl_buf_check(out, path, err) : status;
}

static gnutls_datum_t datum_of(const fl_buf *pem)
{
    return (gnutls_datum_t){.data = (unsigned char *)pem->ptr, .size = (unsigned)pem->len};
}

/* What libmicrohttpd would only refuse without a word. */
static fl_status check_pair(const fl_tls *tls, const char *cert_file, const char *client_ca_file,
                            fl_error *err)
{
    gnutls_certificate_credentials_t credentials;
    const gnutls_datum_t cert = datum_of(&tls->cert), key = datum_of(&tls->key);
    const gnutls_datum_t trust = datum_of(&tls->client_ca);
    if (lazy_gnutls_certificate_allocate_credentials(&credentials) < 0)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a certificate");
    int code =
        lazy_gnutls_certificate_set_x509_key_mem(credentials, &cert, &key, GNUTLS_X509_FMT_PEM);
    if (code < 0)
        (void)fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "%.100s and its key cannot be used: %.60s",
                      cert_file, lazy_gnutls_strerror(code));
    int trusted = 1;
    if (code >= 0 && client_ca_file != NULL) /* how many were read */
        trusted =
            lazy_gnutls_certificate_set_x509_trust_mem(credentials, &trust, GNUTLS_X509_FMT_PEM);
    if (trusted <= 0)
        (void)fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "%.100s holds no certificate",
                      client_ca_file);
    lazy_gnutls_certificate_free_credentials(credentials);
    return code >= 0 && trusted > 0 ? FL_OK : FL_E_SYNTAX;
}

fl_status fl_tls_load(fl_tls *out, const char *cert_file, const char *key_file,
                      const char *client_ca_file, fl_error *err)
{
    assert(out != NULL && cert_file != NULL && key_file != NULL);
    *out = (fl_tls){0};
    (void)pthread_once(&once, load);
    if (loaded != FL_OK)
        return fl_fail(err, loaded, FL_NO_OFFSET, "%s", why.message);
    fl_status status = read_pem(&out->cert, cert_file, err);
    if (status == FL_OK)
        status = read_pem(&out->key, key_file, err);
    if (status == FL_OK && client_ca_file != NULL)
        status = read_pem(&out->client_ca, client_ca_file, err);
    return status == FL_OK ? check_pair(out, cert_file, client_ca_file, err) : status;
}

void fl_tls_dispose(fl_tls *tls)
{
    if (tls->key.ptr != NULL)
        memset(tls->key.ptr, 0, tls->key.len);
    fl_buf_dispose(&tls->cert);
    fl_buf_dispose(&tls->key);
    fl_buf_dispose(&tls->client_ca);
}

bool fl_tls_is_trusted(void *session)
{
    unsigned status = 0;
    assert(lazy_gnutls_certificate_verify_peers2 != NULL);
    return session != NULL && lazy_gnutls_certificate_verify_peers2(session, &status) == 0 &&
           status == 0;
}
