/*
 * gnutls_lazy.c - GnuTLS, once a certificate asks for it.
 *
 * The soname is that of the interface since 3.0.
 */
#define FL_GNUTLS_OWN_NAMES
#include "gnutls_lazy.h"

FL_GNUTLS_FUNCTIONS(FL_LAZY_DEFINE)

static const fl_lazy_symbol symbols[] = {FL_GNUTLS_FUNCTIONS(FL_LAZY_SYMBOL)};

static fl_lazy_library library = FL_LAZY_LIBRARY("libgnutls.so.30", symbols);

fl_status fl_gnutls_load(fl_error *err)
{
    return fl_lazy_load(&library, err);
}
