/*
 * curl_lazy.h - the functions of libcurl that are used, called as ever and loaded when first needed
 * (base/lazy.h).
 */
#ifndef FL_CURL_LAZY_H
#define FL_CURL_LAZY_H

#define CURL_DISABLE_TYPECHECK /* its checks are macros of the functions' names */
#include <curl/curl.h>
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

#include "lazy.h"

#define FL_CURL_FUNCTIONS(X)                                                                       \
    X(curl_easy_cleanup)                                                                           \
    X(curl_easy_getinfo)                                                                           \
    X(curl_easy_init)                                                                              \
    X(curl_easy_perform)                                                                           \
    X(curl_easy_setopt)                                                                            \
    X(curl_easy_strerror)                                                                          \
    X(curl_free)                                                                                   \
    X(curl_getdate)                                                                                \
    X(curl_global_init)                                                                            \
    X(curl_multi_add_handle)                                                                       \
    X(curl_multi_cleanup)                                                                          \
    X(curl_multi_info_read)                                                                        \
    X(curl_multi_init)                                                                             \
    X(curl_multi_perform)                                                                          \
    X(curl_multi_poll)                                                                             \
    X(curl_multi_remove_handle)                                                                    \
    X(curl_multi_setopt)                                                                           \
    X(curl_slist_append)                                                                           \
    X(curl_slist_free_all)                                                                         \
    X(curl_url)                                                                                    \
    X(curl_url_cleanup)                                                                            \
    X(curl_url_get)                                                                                \
    X(curl_url_set)

FL_CURL_FUNCTIONS(FL_LAZY_DECLARE)

#ifndef FL_CURL_OWN_NAMES /* where the pointers are defined */
#define curl_easy_cleanup        fl_lazy_curl_easy_cleanup
#define curl_easy_getinfo        fl_lazy_curl_easy_getinfo
#define curl_easy_init           fl_lazy_curl_easy_init
#define curl_easy_perform        fl_lazy_curl_easy_perform
#define curl_easy_setopt         fl_lazy_curl_easy_setopt
#define curl_easy_strerror       fl_lazy_curl_easy_strerror
#define curl_free                fl_lazy_curl_free
#define curl_getdate             fl_lazy_curl_getdate
#define curl_global_init         fl_lazy_curl_global_init
#define curl_multi_add_handle    fl_lazy_curl_multi_add_handle
#define curl_multi_cleanup       fl_lazy_curl_multi_cleanup
#define curl_multi_info_read     fl_lazy_curl_multi_info_read
#define curl_multi_init          fl_lazy_curl_multi_init
#define curl_multi_perform       fl_lazy_curl_multi_perform
#define curl_multi_poll          fl_lazy_curl_multi_poll
#define curl_multi_remove_handle fl_lazy_curl_multi_remove_handle
#define curl_multi_setopt        fl_lazy_curl_multi_setopt
#define curl_slist_append        fl_lazy_curl_slist_append
#define curl_slist_free_all      fl_lazy_curl_slist_free_all
#define curl_url                 fl_lazy_curl_url
#define curl_url_cleanup         fl_lazy_curl_url_cleanup
#define curl_url_get             fl_lazy_curl_url_get
#define curl_url_set             fl_lazy_curl_url_set
#endif

/* Before the first call; again is no cost. */
FL_NODISCARD fl_status fl_curl_load(fl_error *err);

#endif
