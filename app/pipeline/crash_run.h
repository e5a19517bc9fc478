/*
 * crash_run.h - a crash report of a Java virtual machine, with the names that its libraries and a
 * mapping file give.
 */
#ifndef FL_CRASH_RUN_H
#define FL_CRASH_RUN_H

#include "arena.h"
#include "faultline/crash.h"
#include "slice.h"

typedef struct fl_crash_request {
    const char *path;            /* "-" is standard input */
    const char *const *binaries; /* libraries or their debug files: of frames without a symbol */
    size_t binary_count;
    const char *symbols_folder; /* of libraries by their names; NULL: none */
    const char *mapping;        /* of ProGuard or R8; NULL: none */
} fl_crash_request;

/* What the report says, in one sentence and with whom to ask. */
typedef struct fl_crash_report {
    fl_crash crash;
    const char *verdict;   /* where it crashed: "native code of libfoo.so", never NULL */
    bool is_place;         /* the verdict is a place: "crash in ..." */
    const char *meaning;   /* what that means, and what to do */
    const char *called_by; /* the first Java frame that is not of the platform; NULL: none */
    fl_slice retraced; /* with a mapping, of a file that is no report: its text with the names as
                          they were, its bytes as they came, and then nothing else is set but the
                          warnings */
    const char *const *warnings;
    size_t warning_count;
} fl_crash_report;

enum { FL_CRASH_MAX_TEXT_BYTES = 64 << 20 };

/* Everything lives in `arena`. FL_E_IO, FL_E_NOTFOUND, FL_E_UNSUPPORTED where a file is no crash
 * report, or a binary no ELF file with functions, or the mapping none; FL_E_NOMEM. */
FL_NODISCARD fl_status fl_crash_run(fl_crash_report *out, const fl_crash_request *request,
                                    fl_arena *arena, fl_error *err);

#endif
