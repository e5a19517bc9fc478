/*
 * trace_streams.h - spans to streams (streams.h), in one pass over the sorted rows.
 */
#ifndef FL_TRACE_STREAMS_H
#define FL_TRACE_STREAMS_H

#include "arena.h"
#include "streams.h"

/* Deterministic. Everything lives in `arena`. FL_E_NOMEM where it is exhausted. */
FL_NODISCARD fl_status fl_streams_build(fl_streams *out, const fl_timeline *timeline,
                                        fl_arena *arena, fl_error *err);

#endif
