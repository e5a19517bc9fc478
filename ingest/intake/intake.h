/*
 * intake.h - what decoders of other tools' payloads share beside base/: where records go, and what
 * becomes of one that cannot be read.
 *
 * A decoder is given an intake and the bytes of one payload (a request's body, an answer, a file),
 * decompressed. A record that cannot be read costs itself: it is refused with its offset, and with
 * its line where the payload is text. Where `strict` is set the first refusal ends the reading.
 */
#ifndef FL_INTAKE_H
#define FL_INTAKE_H

#include <stdbool.h>

#include "faultline/record.h"
#include "json.h"
#include "proto.h"

typedef struct fl_intake {
    const fl_sink *sink;
    const char *source; /* path or endpoint, for rejects */
    bool strict;
    bool is_text;     /* lines are counted */
    fl_slice bytes;   /* the payload in hand, set by fl_intake_begin() */
    size_t told_at;   /* up to here lines were counted, */
    uint64_t told;    /* these many */
    uint64_t rejects; /* refused since fl_intake_begin() */
} fl_intake;

/* The next payload: its rejects and lines count from here. `bytes` are borrowed. */
void fl_intake_begin(fl_intake *to, fl_slice bytes, bool is_text);
/* Refuse what stands at `offset`: into the sink's reject(), whose status is returned; or, where
 * strict, FL_E_SYNTAX and "SOURCE: reason" ("SOURCE:LINE: reason" of text). */
FL_NODISCARD fl_status fl_intake_refuse(fl_intake *to, uint64_t offset, uint64_t records,
                                        const char *reason, fl_error *err);
/* The same with what a reader says; want of memory is no mistake of the input and is returned. */
FL_NODISCARD fl_status fl_intake_refuse_error(fl_intake *to, const fl_error *why, uint64_t offset,
                                              uint64_t records, fl_error *err);
/* After a failure inside the value that began at `mark`: refuse it and stand behind it, where its
 * JSON is sound. Where it is not, *sound is false and nothing behind it can be read. */
FL_NODISCARD fl_status fl_intake_pass_over(fl_intake *to, fl_json *in, fl_json_mark mark,
                                           bool *sound, fl_error *err);

/* A reader over a part of the payload in hand that was stepped over; its offsets are those of the
 * payload. */
fl_json fl_intake_reader(const fl_intake *to, fl_slice part, fl_arena *arena);

/* Without a byte order mark. */
fl_slice fl_intake_text(fl_slice bytes);
/* A moment in units of `unit_ns`; false where it is before 1970 or beyond 2262. */
bool fl_intake_time(int64_t *out_ns, int64_t value, int64_t unit_ns);

#endif
