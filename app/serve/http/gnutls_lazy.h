/*
 * gnutls_lazy.h - the functions of GnuTLS that are used, called as ever and loaded when the first
 * certificate is (base/lazy.h); libmicrohttpd has loaded the same library then.
 */
#ifndef FL_GNUTLS_LAZY_H
#define FL_GNUTLS_LAZY_H

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "lazy.h"

#define FL_GNUTLS_FUNCTIONS(X)                                                                     \
    X(gnutls_alert_send_appropriate)                                                               \
    X(gnutls_alpn_get_selected_protocol)                                                           \
    X(gnutls_alpn_set_protocols)                                                                   \
    X(gnutls_bye)                                                                                  \
    X(gnutls_certificate_allocate_credentials)                                                     \
    X(gnutls_certificate_free_credentials)                                                         \
    X(gnutls_certificate_get_crt_raw)                                                              \
    X(gnutls_certificate_server_set_request)                                                       \
    X(gnutls_certificate_set_x509_key_mem)                                                         \
    X(gnutls_certificate_set_x509_trust_mem)                                                       \
    X(gnutls_certificate_verify_peers2)                                                            \
    X(gnutls_credentials_set)                                                                      \
    X(gnutls_deinit)                                                                               \
    X(gnutls_error_is_fatal)                                                                       \
    X(gnutls_handshake)                                                                            \
    X(gnutls_init)                                                                                 \
    X(gnutls_priority_set_direct)                                                                  \
    X(gnutls_record_get_direction)                                                                 \
    X(gnutls_record_recv)                                                                          \
    X(gnutls_record_send)                                                                          \
    X(gnutls_strerror)                                                                             \
    X(gnutls_transport_set_int2)                                                                   \
    X(gnutls_x509_crt_deinit)                                                                      \
    X(gnutls_x509_crt_get_expiration_time)                                                         \
    X(gnutls_x509_crt_import)                                                                      \
    X(gnutls_x509_crt_init)

FL_GNUTLS_FUNCTIONS(FL_LAZY_DECLARE)

#ifndef FL_GNUTLS_OWN_NAMES /* where the pointers are defined */
#define gnutls_alert_send_appropriate           fl_lazy_gnutls_alert_send_appropriate
#define gnutls_alpn_get_selected_protocol       fl_lazy_gnutls_alpn_get_selected_protocol
#define gnutls_alpn_set_protocols               fl_lazy_gnutls_alpn_set_protocols
#define gnutls_bye                              fl_lazy_gnutls_bye
#define gnutls_certificate_allocate_credentials fl_lazy_gnutls_certificate_allocate_credentials
#define gnutls_certificate_free_credentials     fl_lazy_gnutls_certificate_free_credentials
#define gnutls_certificate_get_crt_raw          fl_lazy_gnutls_certificate_get_crt_raw
#define gnutls_certificate_server_set_request   fl_lazy_gnutls_certificate_server_set_request
#define gnutls_certificate_set_x509_key_mem     fl_lazy_gnutls_certificate_set_x509_key_mem
#define gnutls_certificate_set_x509_trust_mem   fl_lazy_gnutls_certificate_set_x509_trust_mem
#define gnutls_certificate_verify_peers2        fl_lazy_gnutls_certificate_verify_peers2
#define gnutls_credentials_set                  fl_lazy_gnutls_credentials_set
#define gnutls_deinit                           fl_lazy_gnutls_deinit
#define gnutls_error_is_fatal                   fl_lazy_gnutls_error_is_fatal
#define gnutls_handshake                        fl_lazy_gnutls_handshake
#define gnutls_init                             fl_lazy_gnutls_init
#define gnutls_priority_set_direct              fl_lazy_gnutls_priority_set_direct
#define gnutls_record_get_direction             fl_lazy_gnutls_record_get_direction
#define gnutls_record_recv                      fl_lazy_gnutls_record_recv
#define gnutls_record_send                      fl_lazy_gnutls_record_send
#define gnutls_strerror                         fl_lazy_gnutls_strerror
#define gnutls_transport_set_int2               fl_lazy_gnutls_transport_set_int2
#define gnutls_x509_crt_deinit                  fl_lazy_gnutls_x509_crt_deinit
#define gnutls_x509_crt_get_expiration_time     fl_lazy_gnutls_x509_crt_get_expiration_time
#define gnutls_x509_crt_import                  fl_lazy_gnutls_x509_crt_import
#define gnutls_x509_crt_init                    fl_lazy_gnutls_x509_crt_init
#endif

/* Before the first call; again is no cost. */
FL_NODISCARD fl_status fl_gnutls_load(fl_error *err);

#endif
