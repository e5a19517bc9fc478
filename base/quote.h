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

enum { FL_QUOTE_LOCATION = 512 };

/* A path or a URL for a message: `text` itself, or, where it may hold a user and a password, it in
 * `out` with "..." in their place, at most FL_QUOTE_LOCATION - 1 bytes of it. What stands between
 * "://" and the last '@' may, however the URL is written: it may be none, as when a password has a
 * slash that was not escaped. */
const char *fl_quote_location(char out[FL_QUOTE_LOCATION], const char *text);

#endif
