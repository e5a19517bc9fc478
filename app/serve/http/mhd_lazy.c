/*
 * mhd_lazy.c - libmicrohttpd, once a server asks for it.
 *
 * The soname is that of the interface which the header describes (0.9.58 to 0.9.77 and later).
 */
#define FL_MHD_OWN_NAMES
#include "mhd_lazy.h"

#include <pthread.h>

FL_MHD_FUNCTIONS(FL_LAZY_DEFINE)

static const fl_lazy_symbol symbols[] = {FL_MHD_FUNCTIONS(FL_LAZY_SYMBOL)};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static fl_status loaded;
static fl_error why;

static void load(void)
{
    loaded =
        fl_lazy_load("libmicrohttpd.so.12", symbols, sizeof(symbols) / sizeof(symbols[0]), &why);
}

/* By whoever comes first; what failed once fails each time. */
fl_status fl_mhd_load(fl_error *err)
{
    (void)pthread_once(&once, load);
    return loaded == FL_OK ? FL_OK : fl_fail(err, loaded, FL_NO_OFFSET, "%s", why.message);
}
