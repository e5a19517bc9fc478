/*
 * curl_lazy.c - libcurl, once a transfer or a URL asks for it.
 *
 * The soname is that of the interface which the header describes: libcurl has kept it since 2006.
 */
#define FL_CURL_OWN_NAMES
#include "curl_lazy.h"

#include <pthread.h>

FL_CURL_FUNCTIONS(FL_LAZY_DEFINE)

static const fl_lazy_symbol symbols[] = {FL_CURL_FUNCTIONS(FL_LAZY_SYMBOL)};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static fl_status loaded;
static fl_error why;

/* With SSL and what else the build has; undone by the end of the process. */
static void load(void)
{
    loaded = fl_lazy_load("libcurl.so.4", symbols, sizeof(symbols) / sizeof(symbols[0]), &why);
    if (loaded == FL_OK && fl_lazy_curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        loaded =
            fl_fail(&why, FL_E_IO, FL_NO_OFFSET, "libcurl cannot be used: it is too old or broken");
}

/* By whoever comes first; what failed once fails each time. */
fl_status fl_curl_load(fl_error *err)
{
    (void)pthread_once(&once, load);
    return loaded == FL_OK ? FL_OK : fl_fail(err, loaded, FL_NO_OFFSET, "%s", why.message);
}
