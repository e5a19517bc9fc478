/*
 * curl_lazy.c - libcurl, once a transfer or a URL asks for it.
 *
 * The soname is that of the interface which the header describes: libcurl has kept it since 2006.
 */
#define FL_CURL_OWN_NAMES
#include "curl_lazy.h"

FL_CURL_FUNCTIONS(FL_LAZY_DEFINE)

static const fl_lazy_symbol symbols[] = {FL_CURL_FUNCTIONS(FL_LAZY_SYMBOL)};

/* With SSL and what else the build has; undone by the end of the process. */
static fl_status begin(fl_error *err)
{
    if (fl_lazy_curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
        return FL_OK;
    return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "libcurl cannot be used: it is too old or broken");
}

static fl_lazy_library library = {.soname = "libcurl.so.4",
                                  .symbols = symbols,
                                  .symbol_count = sizeof(symbols) / sizeof(symbols[0]),
                                  .begin = begin};

fl_status fl_curl_load(fl_error *err)
{
    return fl_lazy_load(&library, err);
}
