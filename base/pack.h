/*
 * pack.h - bytes in fewer bytes, as one zstd frame, and back.
 */
#ifndef FL_PACK_H
#define FL_PACK_H

#include "buf.h"

/* Append the frame; `out` gets all of it or nothing. `what` is for messages: "a picture". */
FL_NODISCARD fl_status fl_pack(fl_buf *out, fl_slice bytes, const char *what, fl_error *err);
/* Append what a frame holds, at most `most` bytes. FL_E_SYNTAX where it is no frame or a damaged
 * one, FL_E_LIMIT where it holds more. */
FL_NODISCARD fl_status fl_unpack(fl_buf *out, fl_slice packed, size_t most, const char *what,
                                 fl_error *err);

#endif
