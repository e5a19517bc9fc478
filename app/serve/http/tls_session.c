/*
 * tls_session.c - a server's side of a TLS connection that carries HTTP/2, over a socket of the
 * caller's.
 *
 * Suites are those that RFC 9113 (9.2.2 and appendix A) leaves for TLS 1.2: ephemeral keys and
 * authenticated encryption. Renegotiation is what it forbids, and ends the connection.
 */
#include <assert.h>
#include <errno.h>

#include "gnutls_lazy.h"
#include "mem.h"
#include "tls.h"

/* RFC 9325: nothing older than TLS 1.2. */
static const char PRIORITIES[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-CIPHER-ALL:"
                                 "+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM:"
                                 "-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA";

struct fl_tls_session {
    fl_tls *tls;
    gnutls_session_t session;
    bool is_ready, is_trusted, has_failed;
};

/* Mandatory: who offers other protocols only is told so (no_application_protocol). */
static int set_up(gnutls_session_t session, fl_tls *tls, int fd)
{
    static unsigned char name[] = {'h', '2'};
    const gnutls_datum_t h2 = {.data = name, .size = sizeof(name)};
    int code = gnutls_priority_set_direct(session, PRIORITIES, NULL);
    if (code >= 0)
        code = gnutls_alpn_set_protocols(session, &h2, 1, GNUTLS_ALPN_MANDATORY);
    if (code < 0)
        return code;
    fl_tls_use(tls, session);
    gnutls_certificate_server_set_request(session, fl_tls_is_mutual(tls) ? GNUTLS_CERT_REQUEST
                                                                         : GNUTLS_CERT_IGNORE);
    gnutls_transport_set_int2(session, fd, fd);
    return 0;
}

fl_status fl_tls_session_open(fl_tls_session **out, fl_tls *tls, int fd, fl_error *err)
{
    assert(out != NULL && tls != NULL && fd >= 0);
    *out = NULL;
    fl_tls_session *made = fl_mem_calloc(1, sizeof(*made));
    if (made == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a connection");
    int code = gnutls_init(&made->session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
    if (code >= 0)
        code = set_up(made->session, tls, fd);
    if (code < 0) {
        if (made->session != NULL)
            gnutls_deinit(made->session);
        fl_mem_free(made);
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no TLS for a connection: %.60s",
                       gnutls_strerror(code));
    }
    made->tls = fl_tls_keep(tls);
    *out = made;
    return FL_OK;
}

/* The goodbye is tried once: nobody waits for a client that does not read. */
void fl_tls_session_close(fl_tls_session *session)
{
    if (session == NULL)
        return;
    if (session->is_ready && !session->has_failed)
        (void)gnutls_bye(session->session, GNUTLS_SHUT_WR);
    gnutls_deinit(session->session);
    fl_tls_drop(session->tls);
    fl_mem_free(session);
}

static fl_tls_step fail(fl_tls_session *session)
{
    session->has_failed = true;
    return FL_TLS_FAILED;
}

fl_tls_step fl_tls_session_shake(fl_tls_session *session)
{
    gnutls_datum_t chosen;
    assert(session != NULL);
    if (session->is_ready || session->has_failed)
        return session->is_ready ? FL_TLS_READY : FL_TLS_FAILED;
    int code = gnutls_handshake(session->session);
    if (code < 0 && gnutls_error_is_fatal(code) != 0) {
        (void)gnutls_alert_send_appropriate(session->session, code);
        return fail(session);
    }
    if (code < 0)
        return gnutls_record_get_direction(session->session) == 1 ? FL_TLS_WANTS_WRITE
                                                                  : FL_TLS_WANTS_READ;
    if (gnutls_alpn_get_selected_protocol(session->session, &chosen) < 0)
        return fail(session); /* the client asked for nothing */
    session->is_ready = true;
    session->is_trusted = !fl_tls_is_mutual(session->tls) || fl_tls_is_trusted(session->session);
    return FL_TLS_READY;
}

bool fl_tls_session_is_trusted(const fl_tls_session *session)
{
    assert(session != NULL && session->is_ready);
    return session->is_trusted;
}

static ssize_t result_of(fl_tls_session *session, ssize_t result)
{
    if (result >= 0)
        return result;
    bool may_pass = result == GNUTLS_E_AGAIN || result == GNUTLS_E_INTERRUPTED;
    session->has_failed = session->has_failed || !may_pass;
    errno = may_pass ? EAGAIN : EPROTO;
    return -1;
}

ssize_t fl_tls_session_read(fl_tls_session *session, void *to, size_t cap)
{
    assert(session != NULL && session->is_ready && cap > 0);
    return result_of(session, gnutls_record_recv(session->session, to, cap));
}

ssize_t fl_tls_session_write(fl_tls_session *session, const void *from, size_t len)
{
    assert(session != NULL && session->is_ready && len > 0);
    return result_of(session, gnutls_record_send(session->session, from, len));
}
