/*
 * loghead.h - what stands before the message of a log line: time, level, code location.
 */
#ifndef FL_LOGHEAD_H
#define FL_LOGHEAD_H

#include <stdbool.h>

#include "faultline/status.h"

typedef struct fl_log_head {
    const unsigned char *rest; /* the line after what was dropped */
    int severity;              /* OTLP number out of a level word; 0: none */
} fl_log_head;

/* Recognise and drop leading times and one level word, bracketed or not, in any order; the rules
 * are in docs/templates.md. A pure function of the bytes. */
fl_log_head fl_log_head_of(fl_slice line);

/* 1, 5, 9, 13, 17 or 21 for a level word in any case; 0 for any other word. */
int fl_log_level(fl_slice word);

/* The first code location among the first four tokens, not past the first line (a stack trace's
 * frames are no header): "f.s.FoodServiceImpl#240" or "pkg/file.go:12". False: there is none. */
bool fl_log_location(fl_slice *out, fl_slice text);
/* The same for a text that is a location and nothing else. */
bool fl_log_is_location(fl_slice text);

#endif
