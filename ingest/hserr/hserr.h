/*
 * hserr.h - decode the crash reports of Java virtual machines (faultline/crash.h), Java 8 to 25.
 *
 * Sections are told by their words, not by their place, which differs from version to version; the
 * table is in docs/formats/hs-err.md. What is not known is passed over.
 */
#ifndef FL_HSERR_H
#define FL_HSERR_H

#include "arena.h"
#include "faultline/crash.h"
#include "stream.h"

/* Read a report to its end; everything in *out lives in `arena`. FL_E_UNSUPPORTED: "no crash report
 * of a Java virtual machine"; FL_E_NOMEM; whatever the stream fails with. */
FL_NODISCARD fl_status fl_hserr_read(fl_crash *out, fl_stream *in, fl_arena *arena, fl_error *err);
/* Whether the first bytes of a file (4 KiB are enough) look like such a report. */
bool fl_hserr_sniff(fl_slice head);

#endif
