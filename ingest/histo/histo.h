/*
 * histo.h - class histograms of Java virtual machines as text: jmap -histo, jcmd
 * GC.class_histogram.
 *
 *     num     #instances         #bytes  class name (module)
 *    -------------------------------------------------------
 *       1:        196819       11110000  [B (java.base@17.0.15)
 *    Total        501883       21138368
 *
 * jcmd writes "PID:" above it. Modules are named since Java 9. Whether garbage is counted (jmap
 * without :live) the text does not say.
 */
#ifndef FL_HISTO_H
#define FL_HISTO_H

#include <stdbool.h>

#include "arena.h"

/* More classes than any program has; the rest of a text is refused. */
enum { FL_MAX_HISTO_ROWS = 1 << 20 };

typedef struct fl_histo_row {
    fl_slice name; /* "byte[]", "java.util.HashMap$Node[]", without its module */
    uint64_t instances, bytes;
} fl_histo_row;

typedef struct fl_histo {
    fl_histo_row *rows; /* as in the text: by bytes, the largest first */
    size_t count;
    uint64_t instances, bytes; /* of the last line; sums of the rows where it is missing */
    bool is_cut;               /* it has no last line */
} fl_histo;

/* Whether a text begins as one does. */
bool fl_histo_is(fl_slice head);

/* Names and rows live in the arena. FL_E_UNSUPPORTED: no histogram; FL_E_SYNTAX with the line and
 * its offset; FL_E_LIMIT, FL_E_NOMEM. */
FL_NODISCARD fl_status fl_histo_read(fl_histo *out, fl_slice text, fl_arena *arena, fl_error *err);

#endif
