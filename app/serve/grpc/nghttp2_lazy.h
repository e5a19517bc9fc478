/*
 * nghttp2_lazy.h - the functions of libnghttp2 that are used, called as ever and loaded when gRPC
 * is first served (base/lazy.h).
 */
#ifndef FL_NGHTTP2_LAZY_H
#define FL_NGHTTP2_LAZY_H

#include <nghttp2/nghttp2.h>

#include "lazy.h"

#define FL_NGHTTP2_FUNCTIONS(X)                                                                    \
    X(nghttp2_option_del)                                                                          \
    X(nghttp2_option_new)                                                                          \
    X(nghttp2_option_set_max_outbound_ack)                                                         \
    X(nghttp2_option_set_no_closed_streams)                                                        \
    X(nghttp2_session_callbacks_del)                                                               \
    X(nghttp2_session_callbacks_new)                                                               \
    X(nghttp2_session_callbacks_set_on_begin_frame_callback)                                       \
    X(nghttp2_session_callbacks_set_on_begin_headers_callback)                                     \
    X(nghttp2_session_callbacks_set_on_data_chunk_recv_callback)                                   \
    X(nghttp2_session_callbacks_set_on_frame_recv_callback)                                        \
    X(nghttp2_session_callbacks_set_on_frame_send_callback)                                        \
    X(nghttp2_session_callbacks_set_on_header_callback)                                            \
    X(nghttp2_session_callbacks_set_on_stream_close_callback)                                      \
    X(nghttp2_session_del)                                                                         \
    X(nghttp2_session_get_last_proc_stream_id)                                                     \
    X(nghttp2_session_get_stream_user_data)                                                        \
    X(nghttp2_session_mem_recv)                                                                    \
    X(nghttp2_session_mem_send)                                                                    \
    X(nghttp2_session_server_new2)                                                                 \
    X(nghttp2_session_set_local_window_size)                                                       \
    X(nghttp2_session_set_stream_user_data)                                                        \
    X(nghttp2_session_terminate_session)                                                           \
    X(nghttp2_session_want_read)                                                                   \
    X(nghttp2_session_want_write)                                                                  \
    X(nghttp2_strerror)                                                                            \
    X(nghttp2_submit_goaway)                                                                       \
    X(nghttp2_submit_ping)                                                                         \
    X(nghttp2_submit_response)                                                                     \
    X(nghttp2_submit_rst_stream)                                                                   \
    X(nghttp2_submit_settings)                                                                     \
    X(nghttp2_submit_trailer)

FL_NGHTTP2_FUNCTIONS(FL_LAZY_DECLARE)

#ifndef FL_NGHTTP2_OWN_NAMES /* where the pointers are defined */
#define nghttp2_option_del                   fl_lazy_nghttp2_option_del
#define nghttp2_option_new                   fl_lazy_nghttp2_option_new
#define nghttp2_option_set_max_outbound_ack  fl_lazy_nghttp2_option_set_max_outbound_ack
#define nghttp2_option_set_no_closed_streams fl_lazy_nghttp2_option_set_no_closed_streams
#define nghttp2_session_callbacks_del        fl_lazy_nghttp2_session_callbacks_del
#define nghttp2_session_callbacks_new        fl_lazy_nghttp2_session_callbacks_new
#define nghttp2_session_callbacks_set_on_begin_frame_callback                                      \
    fl_lazy_nghttp2_session_callbacks_set_on_begin_frame_callback
#define nghttp2_session_callbacks_set_on_begin_headers_callback                                    \
    fl_lazy_nghttp2_session_callbacks_set_on_begin_headers_callback
#define nghttp2_session_callbacks_set_on_data_chunk_recv_callback                                  \
    fl_lazy_nghttp2_session_callbacks_set_on_data_chunk_recv_callback
#define nghttp2_session_callbacks_set_on_frame_recv_callback                                       \
    fl_lazy_nghttp2_session_callbacks_set_on_frame_recv_callback
#define nghttp2_session_callbacks_set_on_frame_send_callback                                       \
    fl_lazy_nghttp2_session_callbacks_set_on_frame_send_callback
#define nghttp2_session_callbacks_set_on_header_callback                                           \
    fl_lazy_nghttp2_session_callbacks_set_on_header_callback
#define nghttp2_session_callbacks_set_on_stream_close_callback                                     \
    fl_lazy_nghttp2_session_callbacks_set_on_stream_close_callback
#define nghttp2_session_del                     fl_lazy_nghttp2_session_del
#define nghttp2_session_get_last_proc_stream_id fl_lazy_nghttp2_session_get_last_proc_stream_id
#define nghttp2_session_get_stream_user_data    fl_lazy_nghttp2_session_get_stream_user_data
#define nghttp2_session_mem_recv                fl_lazy_nghttp2_session_mem_recv
#define nghttp2_session_mem_send                fl_lazy_nghttp2_session_mem_send
#define nghttp2_session_server_new2             fl_lazy_nghttp2_session_server_new2
#define nghttp2_session_set_local_window_size   fl_lazy_nghttp2_session_set_local_window_size
#define nghttp2_session_set_stream_user_data    fl_lazy_nghttp2_session_set_stream_user_data
#define nghttp2_session_terminate_session       fl_lazy_nghttp2_session_terminate_session
#define nghttp2_session_want_read               fl_lazy_nghttp2_session_want_read
#define nghttp2_session_want_write              fl_lazy_nghttp2_session_want_write
#define nghttp2_strerror                        fl_lazy_nghttp2_strerror
#define nghttp2_submit_goaway                   fl_lazy_nghttp2_submit_goaway
#define nghttp2_submit_ping                     fl_lazy_nghttp2_submit_ping
#define nghttp2_submit_response                 fl_lazy_nghttp2_submit_response
#define nghttp2_submit_rst_stream               fl_lazy_nghttp2_submit_rst_stream
#define nghttp2_submit_settings                 fl_lazy_nghttp2_submit_settings
#define nghttp2_submit_trailer                  fl_lazy_nghttp2_submit_trailer
#endif

/* Before the first call; again is no cost. */
FL_NODISCARD fl_status fl_nghttp2_load(fl_error *err);

#endif
