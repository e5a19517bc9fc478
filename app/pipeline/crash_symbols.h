/*
 * crash_symbols.h - names, lines and inlined calls for the native frames of a crash report.
 */
#ifndef FL_CRASH_SYMBOLS_H
#define FL_CRASH_SYMBOLS_H

#include "arena.h"
#include "faultline/crash.h"

typedef struct fl_crash_files {
    const char *const *binaries; /* libraries or their debug files, by their names */
    size_t binary_count;
    const char *folder; /* of libraries by their names; NULL: none */
    const char *system; /* where the system keeps debug files: "/usr/lib/debug" */
} fl_crash_files;

/* Names the frames that stand in these files; names that a report has stay, written as their source
 * has them. *refused becomes the path of a debug file that a library names and that is of another
 * build, or NULL. Everything lives in `arena`. Fails as fl_symbols_open() does on `binaries`; what
 * the folder does not have keeps its frames as they are. */
FL_NODISCARD fl_status fl_crash_name_native(fl_crash *crash, const fl_crash_files *files,
                                            const char **refused, fl_arena *arena, fl_error *err);

#endif
