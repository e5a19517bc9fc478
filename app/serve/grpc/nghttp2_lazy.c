/*
 * nghttp2_lazy.c - libnghttp2, once gRPC is served. The soname is that of the interface which the
 * header describes: libnghttp2 has kept it since 1.0.
 */
#define FL_NGHTTP2_OWN_NAMES
#include "nghttp2_lazy.h"

FL_NGHTTP2_FUNCTIONS(FL_LAZY_DEFINE)

static const fl_lazy_symbol symbols[] = {FL_NGHTTP2_FUNCTIONS(FL_LAZY_SYMBOL)};

static fl_lazy_library library = FL_LAZY_LIBRARY("libnghttp2.so.14", symbols);

fl_status fl_nghttp2_load(fl_error *err)
{
    return fl_lazy_load(&library, err);
}
