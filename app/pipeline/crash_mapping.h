/*
 * crash_mapping.h - the Java names of a crash report, or of stack traces in a text, as they were
 * before ProGuard or R8 made them short.
 */
#ifndef FL_CRASH_MAPPING_H
#define FL_CRASH_MAPPING_H

#include "arena.h"
#include "faultline/crash.h"
#include "mapping.h"

/* Fills `plain` of the report's Java frames, of the problematic one too; texts go into `arena`.
 * *warning becomes a sentence where lines of the file were not understood, else NULL. */
FL_NODISCARD fl_status fl_crash_name_java(fl_crash *crash, const char *path, const char **warning,
                                          fl_arena *arena, fl_error *err);
/* The whole of `text` with its names as they were, into `out`. Fails as the reading of the file
 * does; FL_E_UNSUPPORTED where the text holds no frame of a stack trace. */
FL_NODISCARD fl_status fl_crash_name_text(fl_buf *out, fl_slice text, const char *path,
                                          const char **warning, fl_arena *arena, fl_error *err);

#endif
