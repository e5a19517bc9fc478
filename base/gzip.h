/*
 * gzip.h - bytes into one gzip member (RFC 1952), as browsers take it. The same bytes give the same
 * member: it carries neither a time nor a name.
 */
#ifndef FL_GZIP_H
#define FL_GZIP_H

#include "buf.h"

/* Append the member to `out`. `level` is zlib's: 1 is quick, 9 is small. FL_E_NOMEM, FL_E_LIMIT
 * where it does not fit into `out`. */
FL_NODISCARD fl_status fl_gzip_add(fl_buf *out, fl_slice bytes, int level, fl_error *err);

#endif
