/*
 * tail.h - what comes in now, for somebody who looks: the last lines, in a ring of a fixed size.
 *
 * Nothing is written while nobody asks: a tap then costs one look at a clock. What comes faster
 * than it can be read is counted and passed over.
 */
#ifndef FL_TAIL_H
#define FL_TAIL_H

#include "buf.h"
#include "receive.h"

enum { FL_TAIL_LINES = 2048, FL_TAIL_LINE_BYTES = 768, FL_TAIL_PER_S = 1000 };

typedef struct fl_tail fl_tail; /* any thread */

FL_NODISCARD fl_status fl_tail_create(fl_tail **out, fl_error *err);
void fl_tail_destroy(fl_tail *tail); /* NULL is a no-op */
/* For fl_receive_options. */
fl_receive_tap fl_tail_tap(fl_tail *tail);

/*
 * Append the lines after number `after` as one document:
 *
 *   {"schema":"faultline.tail/1","next":N,"passed_over":M,"records":[{"n":..,"kind":"log",
 *    "at":"..","service":"..","text":".."}, ..]}
 *
 * `next` is what to ask with the next time, M how many records came since the last question and are
 * not there. UINT64_MAX: begin now, without lines. For some seconds from now on lines are written.
 */
void fl_tail_read(fl_tail *tail, uint64_t after, fl_buf *out);

#endif
