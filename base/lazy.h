/*
 * lazy.h - libraries that only some commands need, loaded when the first of these asks.
 *
 * libcurl and libpq bring thirty others along, and loading those takes longer than most commands
 * do: five milliseconds, before main(). So their headers are compiled against and the libraries
 * are not linked; a header of the layer that uses one lists the functions:
 *
 *     #define FL_CURL_FUNCTIONS(X) X(curl_easy_init) X(curl_easy_cleanup)
 *     FL_CURL_FUNCTIONS(FL_LAZY_DECLARE)                        in the header
 *     #define curl_easy_init fl_lazy_curl_easy_init             calls read as ever
 *     FL_CURL_FUNCTIONS(FL_LAZY_DEFINE)                         in one source file
 *     static const fl_lazy_symbol symbols[] = {FL_CURL_FUNCTIONS(FL_LAZY_SYMBOL)};
 */
#ifndef FL_LAZY_H
#define FL_LAZY_H

#include <stddef.h>

#include "faultline/status.h"

typedef struct fl_lazy_symbol {
    const char *name;
    void *pointer; /* to the pointer to the function */
} fl_lazy_symbol;

#define FL_LAZY_DECLARE(name) extern __typeof__(&name) fl_lazy_##name;
#define FL_LAZY_DEFINE(name)  __typeof__(&name) fl_lazy_##name;
#define FL_LAZY_SYMBOL(name)  {#name, &fl_lazy_##name},

/* Load `library` by its soname and set every pointer; once it is loaded it stays. FL_E_UNSUPPORTED
 * with a sentence where it is not there or is too old. Not thread-safe. */
FL_NODISCARD fl_status fl_lazy_load(const char *library, const fl_lazy_symbol *symbols,
                                    size_t count, fl_error *err);

#endif
