/*
 * leak_histos.h - class histograms (jmap -histo) among the inputs of a leak run: which classes
 * grow.
 */
#ifndef FL_LEAK_HISTOS_H
#define FL_LEAK_HISTOS_H

#include "class_growth.h"
#include "faultline/leak.h"
#include "histo.h"
#include "intern.h"

/* One a minute for more than half a day; the rest is refused. */
enum { FL_MAX_LEAK_HISTOS = 1000 };

typedef struct fl_leak_histo {
    int64_t time_ns; /* 0: not known */
    size_t order;    /* in which it was read */
    fl_class_snapshot snapshot;
} fl_leak_histo;

typedef struct fl_leak_histos {
    fl_leak_histo *items; /* [FL_MAX_LEAK_HISTOS], in the arena of what was taken first */
    size_t count;
    fl_intern *names; /* of classes */
} fl_leak_histos;

/* One text. Classes that take less than a thousandth of its bytes are left out: nothing that grows
 * by what is told of is among them. `time_ns` 0: not known, and the order of reading is that of
 * time, as it is where all times are as near as those of copies. The failures of fl_histo_read(),
 * after "NAME: "; FL_E_LIMIT: too many. */
FL_NODISCARD fl_status fl_leak_histos_take(fl_leak_histos *histos, const char *name, fl_slice text,
                                           int64_t time_ns, fl_arena *arena, fl_error *err);
void fl_leak_histos_dispose(fl_leak_histos *histos);

/* Puts what they say behind the findings of a report that was judged; the verdict is theirs where
 * nothing else was read. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_leak_histos_report(fl_leak_report *report, fl_leak_histos *histos,
                                             bool alone, fl_arena *arena, fl_error *err);

#endif
