/*
 * jfr_judge.h - what a recording of the Flight Recorder says of leaks: the heap after collections
 * as a trend, and who holds the objects that stayed.
 */
#ifndef FL_JFR_JUDGE_H
#define FL_JFR_JUDGE_H

#include "arena.h"
#include "faultline/leak.h"
#include "jfr_recording.h"
#include "signatures.h"

typedef struct fl_jfr_request {
    const char *name;             /* of the file: in commands that show it again */
    const fl_signatures *library; /* NULL: none; borrowed as long as the report */
    uint64_t limit_bytes;         /* time until the heap has this size; 0: its largest */
} fl_jfr_request;

/*
 * The collections are judged as those of a log are (gc_stats.h). A leak that they show gets its
 * holder from the old objects. Where they show too little, since no collection of the old part
 * came, a holder of own code is a leak by itself when it has at least half of the objects that are
 * held, at least five, allocated from the first quarter of the recording to its last, and the heap
 * after collections rose by a fifth: a cache that is full keeps none of the old ones.
 *
 * All lives in `arena`. FL_E_NOMEM.
 */
FL_NODISCARD fl_status fl_jfr_judge(fl_leak_report *out, const fl_jfr_recording *recording,
                                    const fl_jfr_request *request, fl_arena *arena, fl_error *err);

#endif
