/*
 * gostats_read.h - decode memory statistics of a Go program (faultline/gostats.h).
 *
 * Three inputs, told by their content; the tables are in docs/formats/go-memory.md:
 *   - JSON objects, one a line or one after another: runtime.MemStats as encoding/json writes it
 *     ("HeapInuse") or in lower case with underscores ("heap_inuse"), with a time `t` (seconds
 * since the start) or `time` (RFC 3339 or an epoch) beside;
 *   - expvar's /debug/vars: one object with `memstats` in it;
 *   - text that holds lines of GODEBUG=gctrace=1 among others.
 */
#ifndef FL_GOSTATS_READ_H
#define FL_GOSTATS_READ_H

#include "arena.h"
#include "faultline/gostats.h"

/*
 * Read `bytes`; everything in *out lives in `arena`. A JSON object without a time is dated by its
 * last collection, else by `default_ns` (when it was fetched or written); times since the start and
 * since 1970 in one file are not mixed: the first row decides, others are rejected. A row that
 * cannot be read costs itself. FL_E_UNSUPPORTED: "no memory statistics of a Go program" where no
 * row is left and nothing looked like one; FL_E_SYNTAX where all that looked like one is broken;
 * FL_E_NOMEM, FL_E_LIMIT from the arena.
 */
FL_NODISCARD fl_status fl_gostats_read(fl_gostats *out, fl_slice bytes, int64_t default_ns,
                                       fl_arena *arena, fl_error *err);
/* Whether the first bytes of a file (4 KiB are enough) look like one of the three. */
bool fl_gostats_sniff(fl_slice head);

#endif
