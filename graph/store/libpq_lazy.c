/*
 * libpq_lazy.c - libpq, once a store is on a server.
 *
 * The soname is that of the interface which the header describes: libpq has kept it since 2006.
 */
#define FL_LIBPQ_OWN_NAMES
#include "libpq_lazy.h"

FL_LIBPQ_FUNCTIONS(FL_LAZY_DEFINE)

static const fl_lazy_symbol symbols[] = {FL_LIBPQ_FUNCTIONS(FL_LAZY_SYMBOL)};

static fl_lazy_library library = FL_LAZY_LIBRARY("libpq.so.5", symbols);

fl_status fl_libpq_load(fl_error *err)
{
    return fl_lazy_load(&library, err);
}
