/*
 * mhd_lazy.c - libmicrohttpd, once a server asks for it.
 *
 * The soname is that of the interface which the header describes (0.9.58 to 0.9.77 and later).
 */
#define FL_MHD_OWN_NAMES
#include "mhd_lazy.h"

FL_MHD_FUNCTIONS(FL_LAZY_DEFINE)

static const fl_lazy_symbol symbols[] = {FL_MHD_FUNCTIONS(FL_LAZY_SYMBOL)};

static fl_lazy_library library = FL_LAZY_LIBRARY("libmicrohttpd.so.12", symbols);

fl_status fl_mhd_load(fl_error *err)
{
    return fl_lazy_load(&library, err);
}
