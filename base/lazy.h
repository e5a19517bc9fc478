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
 *     static fl_lazy_library library = FL_LAZY_LIBRARY("libcurl.so.4", symbols);
 */
#ifndef FL_LAZY_H
#define FL_LAZY_H

#include <stdbool.h>
#include <stddef.h>

#include "faultline/status.h"

typedef struct fl_lazy_symbol {
    const char *name;
    void *pointer; /* to the pointer to the function */
} fl_lazy_symbol;

#define FL_LAZY_DECLARE(name) extern __typeof__(&name) fl_lazy_##name;
#define FL_LAZY_DEFINE(name)  __typeof__(&name) fl_lazy_##name;
#define FL_LAZY_SYMBOL(name)  {#name, &fl_lazy_##name},

typedef struct fl_lazy_library {
    const char *soname;
    const fl_lazy_symbol *symbols;
    size_t symbol_count;
    fl_status (*begin)(fl_error *err); /* NULL, or called once, when every pointer is set */
    bool is_tried;                     /* this and the next: of fl_lazy_load() */
    fl_error why;
} fl_lazy_library;

#define FL_LAZY_LIBRARY(name, list)                                                                \
    {                                                                                              \
        .soname = (name), .symbols = (list), .symbol_count = sizeof(list) / sizeof((list)[0])      \
    }

/* Load it and set every pointer, where nobody did so before; once it is loaded it stays. Any
 * thread. FL_E_UNSUPPORTED with a sentence where it is not there or is too old, and what `begin`
 * says; what failed once fails each time. */
FL_NODISCARD fl_status fl_lazy_load(fl_lazy_library *library, fl_error *err);

#endif
