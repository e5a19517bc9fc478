/*
 * logmask.h - one log line to its form: the text with everything that varies replaced by <*>.
 */
#ifndef FL_LOGMASK_H
#define FL_LOGMASK_H

#include "faultline/limits.h"
#include "faultline/status.h"

enum {
    FL_LOG_WORD_BYTES = 256, /* a longer word is written nowhere: it is masked, or the text ends */
    FL_LOG_JSON_BYTES = 4096 /* of a JSON line's message and error together */
};

/* A form. It is large: keep one and use it again. */
typedef struct fl_log_form {
    /* byte 0 is '0' + severity class, so that bytes 0 to len name the form; then `len` bytes of
     * valid UTF-8 without control characters: tokens with one space between them. */
    unsigned char key[1 + FL_MAX_LOG_TEXT_BYTES + FL_LOG_WORD_BYTES];
    size_t len;
    size_t token_count;
    size_t location_at;  /* in the text */
    size_t location_len; /* 0: the line has no code location */
    int severity;        /* 0, 1, 5, 9, 13, 17 or 21: the first number of the class */
} fl_log_form;

/* A pure function of `line` and `severity` (OTLP's number; 0: take the level word's). */
void fl_log_form_of(fl_log_form *out, fl_slice line, int severity);

static inline fl_slice fl_log_form_text(const fl_log_form *form)
{
    return (fl_slice){.ptr = form->key + 1, .len = form->len};
}

#endif
