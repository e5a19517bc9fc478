/*
 * triage_findings.h - what profiles and traces of a service found, in the words of the ranking.
 */
#ifndef FL_TRIAGE_FINDINGS_H
#define FL_TRIAGE_FINDINGS_H

#include "arena.h"
#include "faultline/leak.h"
#include "rank.h"

/* A path, or a URL without user and password, as commands and messages show it. NULL for want of
 * memory. */
const char *fl_triage_shown(const char *input, fl_arena *arena);
/* Whether a finding is a cause of trouble, or only tells what something does. */
bool fl_triage_is_trouble(const fl_leak_finding *finding);
/* "main.put (store.go:42)": the file without its folders, which are the build machine's. NULL where
 * the function is not known, or for want of memory. */
const char *fl_triage_frame_of(const fl_leak_finding *finding, fl_arena *arena);
/* out->cause is FL_CAUSE_UNKNOWN where it is no trouble. `service` and `query`, the command that
 * shows it again, are borrowed; the other texts are in `arena`. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_triage_finding_of(fl_rank_finding *out, const fl_leak_finding *finding,
                                            const char *service, const char *query, fl_arena *arena,
                                            fl_error *err);

#endif
