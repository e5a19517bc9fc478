/*
 * stacktrace.h - where something was thrown: the first frame of a stack trace that is of the
 * program itself, and not of its runtime or of a library.
 */
#ifndef FL_STACKTRACE_H
#define FL_STACKTRACE_H

#include <stdbool.h>

#include "faultline/status.h"

/* All borrowed from the trace. */
typedef struct fl_frame {
    fl_slice function; /* empty where the frame has none */
    fl_slice file;     /* the name without its folder; empty where the frame has none */
    fl_slice line;     /* digits; empty where the frame has none */
} fl_frame;

/* Stack traces as Java (Kotlin, Scala), Python, Go, JavaScript (TypeScript) and .NET write them; of
 * frames that are none of the program's own the one nearest to the throw. False where no frame is
 * recognised. A pure function of the bytes; reads at most FL_MAX_STACK_BYTES of them. */
bool fl_stack_first_frame(fl_frame *out, fl_slice trace);

#endif
