/*
 * nghttp2_lazy.c - libnghttp2, once gRPC is served. The soname is that of the interface which the
 * header describes: libnghttp2 has kept it since 1.0.
 */
#define FL_NGHTTP2_OWN_NAMES
#include "nghttp2_lazy.h"

#include <pthread.h>

FL_NGHTTP2_FUNCTIONS(FL_LAZY_DEFINE)

static const fl_lazy_symbol symbols[] = {FL_NGHTTP2_FUNCTIONS(FL_LAZY_SYMBOL)};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static fl_status loaded;
static fl_error why;

static void load(void)
{
    loaded = fl_lazy_load("libnghttp2.so.14", symbols, sizeof(symbols) / sizeof(symbols[0]), &why);
}

/* By whoever comes first; what failed once fails each time. */
fl_status fl_nghttp2_load(fl_error *err)
{
    (void)pthread_once(&once, load);
    return loaded == FL_OK ? FL_OK : fl_fail(err, loaded, FL_NO_OFFSET, "%s", why.message);
}
