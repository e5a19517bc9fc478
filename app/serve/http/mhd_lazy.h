/*
 * mhd_lazy.h - the functions of libmicrohttpd that are used, called as ever and loaded when the
 * first server asks (base/lazy.h): it brings GnuTLS along.
 */
#ifndef FL_MHD_LAZY_H
#define FL_MHD_LAZY_H

#include <microhttpd.h>

#include "lazy.h"

#define FL_MHD_FUNCTIONS(X)                                                                        \
    X(MHD_add_response_header)                                                                     \
    X(MHD_create_response_from_buffer)                                                             \
    X(MHD_create_response_from_callback)                                                           \
    X(MHD_destroy_response)                                                                        \
    X(MHD_get_connection_info)                                                                     \
    X(MHD_get_connection_values)                                                                   \
    X(MHD_queue_response)                                                                          \
    X(MHD_quiesce_daemon)                                                                          \
    X(MHD_resume_connection)                                                                       \
    X(MHD_start_daemon)                                                                            \
    X(MHD_stop_daemon)                                                                             \
    X(MHD_suspend_connection)

FL_MHD_FUNCTIONS(FL_LAZY_DECLARE)

#ifndef FL_MHD_OWN_NAMES /* where the pointers are defined */
#define MHD_add_response_header           fl_lazy_MHD_add_response_header
#define MHD_create_response_from_buffer   fl_lazy_MHD_create_response_from_buffer
#define MHD_create_response_from_callback fl_lazy_MHD_create_response_from_callback
#define MHD_destroy_response              fl_lazy_MHD_destroy_response
#define MHD_get_connection_info           fl_lazy_MHD_get_connection_info
#define MHD_get_connection_values         fl_lazy_MHD_get_connection_values
#define MHD_queue_response                fl_lazy_MHD_queue_response
#define MHD_quiesce_daemon                fl_lazy_MHD_quiesce_daemon
#define MHD_resume_connection             fl_lazy_MHD_resume_connection
#define MHD_start_daemon                  fl_lazy_MHD_start_daemon
#define MHD_stop_daemon                   fl_lazy_MHD_stop_daemon
#define MHD_suspend_connection            fl_lazy_MHD_suspend_connection
#endif

/* Before the first call; again is no cost. */
FL_NODISCARD fl_status fl_mhd_load(fl_error *err);

#endif
