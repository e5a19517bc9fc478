/*
 * tls.c - what a server shows and whom it believes.
 *
 * libmicrohttpd takes PEM texts when it starts and never again. Its sessions are given credentials
 * of ours before their handshake, so that a renewed certificate counts for the next connection.
 */
#include "tls.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "gnutls_lazy.h"
#include "mem.h"
#include "slice.h"
#include "stream.h"
#include "timestamp.h"

enum { MAX_PEM_BYTES = 1 << 20 };

struct fl_tls {
    atomic_uint keepers;
    fl_buf cert, key, client_ca; /* PEM; empty where there is none */
    gnutls_certificate_credentials_t credentials;
    bool has_credentials;
    int64_t until_ns;
};

/* Whole, as GnuTLS wants it. */
static fl_status read_pem(fl_buf *out, const char *path, fl_error *err)
{
    fl_stream *in;
    char block[4096];
    size_t len = 1;
    assert(path != NULL);
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

/* Of the first certificate, which is the server's own. */
static int64_t end_of(gnutls_certificate_credentials_t credentials)
{
    gnutls_datum_t der;
    gnutls_x509_crt_t cert;
    int64_t until_ns = INT64_MAX;
    if (gnutls_certificate_get_crt_raw(credentials, 0, 0, &der) < 0 ||
        gnutls_x509_crt_init(&cert) < 0)
        return until_ns;
    time_t until_s = gnutls_x509_crt_import(cert, &der, GNUTLS_X509_FMT_DER) >= 0
                         ? gnutls_x509_crt_get_expiration_time(cert)
                         : (time_t)-1;
    if (until_s >= 0 && until_s < INT64_MAX / FL_NS_PER_S)
        until_ns = (int64_t)until_s * FL_NS_PER_S;
    gnutls_x509_crt_deinit(cert);
    return until_ns;
}

/* Certificate and key have to belong together, and authorities to be some. */
static fl_status make_credentials(fl_tls *tls, const char *cert_file, const char *client_ca_file,
                                  fl_error *err)
{
    const gnutls_datum_t cert = datum_of(&tls->cert), key = datum_of(&tls->key);
    const gnutls_datum_t trust = datum_of(&tls->client_ca);
    if (gnutls_certificate_allocate_credentials(&tls->credentials) < 0)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a certificate");
    tls->has_credentials = true;
    int code =
        gnutls_certificate_set_x509_key_mem(tls->credentials, &cert, &key, GNUTLS_X509_FMT_PEM);
    if (code < 0)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "%.100s and its key cannot be used: %.60s",
                       cert_file, gnutls_strerror(code));
    if (client_ca_file != NULL && /* how many were read */
        gnutls_certificate_set_x509_trust_mem(tls->credentials, &trust, GNUTLS_X509_FMT_PEM) <= 0)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "%.100s holds no certificate",
                       client_ca_file);
    tls->until_ns = end_of(tls->credentials);
    return FL_OK;
}

fl_status fl_tls_load(fl_tls **out, const char *cert_file, const char *key_file,
                      const char *client_ca_file, fl_error *err)
{
    assert(out != NULL && cert_file != NULL && key_file != NULL);
    *out = NULL;
    fl_status status = fl_gnutls_load(err);
    if (status != FL_OK)
        return status;
    fl_tls *tls = fl_mem_calloc(1, sizeof(*tls));
    if (tls == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a certificate");
    tls->keepers = 1;
    status = read_pem(&tls->cert, cert_file, err);
    if (status == FL_OK)
        status = read_pem(&tls->key, key_file, err);
    if (status == FL_OK && client_ca_file != NULL)
        status = read_pem(&tls->client_ca, client_ca_file, err);
    if (status == FL_OK)
        status = make_credentials(tls, cert_file, client_ca_file, err);
    if (status != FL_OK) {
        fl_tls_drop(tls);
        return status;
    }
    *out = tls;
    return FL_OK;
}

fl_tls *fl_tls_keep(fl_tls *tls)
{
    if (tls != NULL)
        tls->keepers++;
    return tls;
}

void fl_tls_drop(fl_tls *tls)
{
    if (tls == NULL)
        return;
    assert(tls->keepers > 0);
    if (--tls->keepers > 0)
        return;
    if (tls->has_credentials)
        gnutls_certificate_free_credentials(tls->credentials);
    if (tls->key.ptr != NULL)
        memset(tls->key.ptr, 0, tls->key.len);
    fl_buf_dispose(&tls->cert);
    fl_buf_dispose(&tls->key);
    fl_buf_dispose(&tls->client_ca);
    fl_mem_free(tls);
}

const char *fl_tls_cert_pem(const fl_tls *tls)
{
    assert(tls != NULL && tls->keepers > 0);
    return tls->cert.ptr;
}

const char *fl_tls_key_pem(const fl_tls *tls)
{
    assert(tls != NULL && tls->keepers > 0);
    return tls->key.ptr;
}

bool fl_tls_is_mutual(const fl_tls *tls)
{
    assert(tls != NULL && tls->keepers > 0);
    return tls->client_ca.len > 0;
}

const char *fl_tls_client_ca_pem(const fl_tls *tls)
{
    return fl_tls_is_mutual(tls) ? tls->client_ca.ptr : NULL;
}

int64_t fl_tls_until_ns(const fl_tls *tls)
{
    assert(tls != NULL);
    return tls->until_ns;
}

/* A failure leaves what libmicrohttpd began with, which is older and not wrong. */
void fl_tls_use(fl_tls *tls, void *session)
{
    assert(tls != NULL && tls->has_credentials && session != NULL);
    (void)gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, tls->credentials);
}

bool fl_tls_is_trusted(void *session)
{
    unsigned status = 0;
    return session != NULL && gnutls_certificate_verify_peers2(session, &status) == 0 &&
           status == 0;
}
