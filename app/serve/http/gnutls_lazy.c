/*
 * gnutls_lazy.c - GnuTLS, once a certificate asks for it.
 *
 * The soname is that of the interface since 3.0.
 */
#define FL_GNUTLS_OWN_NAMES
#include "gnutls_lazy.h"

#include <pthread.h>

FL_GNUTLS_FUNCTIONS(FL_LAZY_DEFINE)

static const fl_lazy_symbol symbols[] = {FL_GNUTLS_FUNCTIONS(FL_LAZY_SYMBOL)};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static fl_status loaded;
static fl_error why;

static void load(void)
{
    loaded = fl_lazy_load("libgnutls.so.30", symbols, sizeof(symbols) / sizeof(symbols[0]), &why);
}

/* By whoever comes first; what failed once fails each time. */
fl_status fl_gnutls_load(fl_error *err)
{
    (void)pthread_once(&once, load);
    return loaded == FL_OK ? FL_OK : fl_fail(err, loaded, FL_NO_OFFSET, "%s", why.message);
}
