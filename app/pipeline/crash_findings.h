/*
 * crash_findings.h - what a crash report of a Java virtual machine says about memory, as a finding
 * of a leak report.
 */
#ifndef FL_CRASH_FINDINGS_H
#define FL_CRASH_FINDINGS_H

#include "arena.h"
#include "faultline/crash.h"
#include "faultline/leak.h"

/* Whether memory had to do with the crash: the machine's or the Java heap's ran out. Then *out is
 * the finding, with its evidence in `arena`. FL_E_NOMEM. */
FL_NODISCARD fl_status fl_crash_finding(fl_leak_finding *out, bool *has, const fl_crash *crash,
                                        fl_arena *arena, fl_error *err);

#endif
