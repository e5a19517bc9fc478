/*
 * logjson.h - the message of a log line that is a JSON object.
 */
#ifndef FL_LOGJSON_H
#define FL_LOGJSON_H

#include <stdbool.h>

#include "faultline/status.h"

typedef struct fl_log_json {
    fl_slice text; /* in the caller's buffer */
    int severity;  /* of its level member; 0: none */
} fl_log_json;

/* Write the text of a line such as {"level":"error","msg":"no route","caller":"a.go:7"} to
 * `buffer`: "a.go:7 no route". Without a message member it is the members as key=value. What does
 * not fit is cut. False, and nothing written that counts, where `line` is not an object with a
 * member; a broken or cut object counts up to the break. */
bool fl_log_json_text(fl_log_json *out, fl_slice line, unsigned char *buffer, size_t cap);

#endif
