/*
 * hserr_priv.h - between the report's lines and its frames.
 */
#ifndef FL_HSERR_PRIV_H
#define FL_HSERR_PRIV_H

#include "hserr.h"
#include "slice.h"

/* A frame's line: "V  [libjvm.so+0xed2f94]  Unsafe_PutLong+0x124". False where it is none. Texts
 * are copied into the arena; false with *failed where that ran out. */
bool fl_hserr_frame(fl_crash_frame *out, fl_slice line, fl_arena *arena, bool *failed);
/* "0x00007fc8adad2f94": hexadecimal digits behind "0x". Steps over them. */
bool fl_hserr_take_hex(fl_slice *in, uint64_t *out);
/* Steps over `text`, or leaves *in as it was. */
bool fl_hserr_take(fl_slice *in, fl_slice text);

#endif
