/*
 * libpq_lazy.c - libpq, once a store is on a server.
 *
 * The soname is that of the interface which the header describes: libpq has kept it since 2006.
 */
#define FL_LIBPQ_OWN_NAMES
#include "libpq_lazy.h"

FL_LIBPQ_FUNCTIONS(FL_LAZY_DEFINE)

static const fl_lazy_symbol symbols[] = {FL_LIBPQ_FUNCTIONS(FL_LAZY_SYMBOL)};

fl_status fl_libpq_load(fl_error *err)
{
    return fl_lazy_PQfinish != NULL
               ? FL_OK
               : fl_lazy_load("libpq.so.5", symbols, sizeof(symbols) / sizeof(symbols[0]), err);
}
