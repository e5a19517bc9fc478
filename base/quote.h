/*
 * quote.h - text out of input, made fit to stand in a message.
 */
#ifndef FL_QUOTE_H
#define FL_QUOTE_H

#include "faultline/status.h"

enum { FL_QUOTE_TEXT = 64 };

/* The start of `text` with '?' for every byte that is not printable ASCII, and "..." where it was
 * shortened; NUL-terminated. Returns `out`. */
char *fl_quote(char out[FL_QUOTE_TEXT], fl_slice text);

#endif
