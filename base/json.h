/*
 * json.h - a pull tokenizer over a byte slice (RFC 8259).
 *
 * Nothing is allocated and nothing is copied but strings that hold escapes, which are decoded into
 * an arena. The structure is checked strictly as it is walked: what was skipped is checked too.
 * The first failure is sticky: every later call returns false or an empty slice, so a decoder
 * reads a whole record and looks at fl_json_ok() once.
 *
 *     fl_json in = fl_json_over(bytes, &arena);
 *     fl_slice key;
 *     if (fl_json_enter_object(&in))
 *         while (fl_json_next_member(&in, &key))
 *             if (fl_slice_equal(key, FL_SLICE("name"))) name = fl_json_string(&in);
 *             else fl_json_skip(&in);
 *
 * A member whose value is not read by the caller is an error of the caller: read or skip each one.
 * At the top level values may follow each other, with or without white space between: a stream of
 * documents is read until peek gives FL_JSON_END, and a single one ends with fl_json_finish.
 * Members may repeat a key; each is given, and what that means is the caller's.
 *
 * Invariants: (1) pos <= bytes.len; (2) after a failure pos is bytes.len, which is what makes every
 * later call fail without a test of its own; (3) is_object holds for the depths below `depth`.
 * Cost: one pass over the bytes; strings are scanned 16 bytes at a time and checked for UTF-8 where
 * they are not ASCII.
 */
#ifndef FL_JSON_H
#define FL_JSON_H

#include <stdbool.h>

#include "arena.h"
#include "faultline/status.h"

enum { FL_JSON_MAX_DEPTH = 128 };

typedef enum fl_json_kind {
    FL_JSON_END, /* end of input, or a failure */
    FL_JSON_OBJECT,
    FL_JSON_ARRAY,
    FL_JSON_STRING,
    FL_JSON_NUMBER,
    FL_JSON_TRUE,
    FL_JSON_FALSE,
    FL_JSON_NULL
} fl_json_kind;

typedef struct fl_json {
    fl_slice bytes;
    size_t pos;
    fl_arena *arena; /* for strings with escapes; may be NULL where none are read as strings */
    uint32_t depth;  /* containers entered and not left */
    bool first;      /* no member or element of the innermost container was read yet */
    uint64_t is_object[FL_JSON_MAX_DEPTH / 64]; /* bit d: the container at depth d is an object */
    fl_error err; /* the first failure: FL_E_SYNTAX, FL_E_LIMIT (depth, arena) or FL_E_NOMEM */
} fl_json;

/* A place to come back to. */
typedef struct fl_json_mark {
    size_t pos;
    uint32_t depth;
    bool first;
} fl_json_mark;

/* At the beginning of `bytes`, which are borrowed; `arena` takes texts that have escapes. */
fl_json fl_json_over(fl_slice bytes, fl_arena *arena);

static inline bool fl_json_ok(const fl_json *in)
{
    return in->err.status == FL_OK;
}

/* Record the caller's own complaint about the value before `pos` as FL_E_SYNTAX; returns false. */
bool fl_json_fail(fl_json *in, size_t pos, const char *format, ...) FL_PRINTF(3, 4);

/* A mark is taken before a value, to read the value again or to step over it after a failure in it:
 * rewinding forgets the failure. Between the two no container that the mark is in may be left. */
fl_json_mark fl_json_here(const fl_json *in);
void fl_json_rewind(fl_json *in, fl_json_mark mark);

/* What comes next, without reading it. FL_JSON_END without a failure only at the end of the input;
 * a byte that starts no value is a failure. */
fl_json_kind fl_json_peek(fl_json *in);

/* True when the next value is a container of that kind and was entered. A value of another kind
 * is a failure "expected an object, found a number". */
bool fl_json_enter_object(fl_json *in);
bool fl_json_enter_array(fl_json *in);
/* The key of the next member and stand before its value; false when the object ended (and was
 * left) or on failure. `key` is decoded and borrowed from the input or the arena. */
bool fl_json_next_member(fl_json *in, fl_slice *key);
/* Stand before the next element; false when the array ended (and was left) or on failure. */
bool fl_json_next_element(fl_json *in);

/* The next value, decoded. On a value of another kind: failure, and the neutral value (an empty
 * string that was read has a ptr, the neutral one has not). */
fl_slice fl_json_string(fl_json *in);
bool fl_json_bool(fl_json *in);
/* Integers and doubles are taken from a number or from a string that holds one, as proto3's JSON
 * mapping allows; integers also as 1.0 or 1e3, and doubles from "NaN", "Infinity" and "-Infinity".
 * What does not fit the type is a failure. */
int64_t fl_json_i64(fl_json *in);
uint64_t fl_json_u64(fl_json *in);
double fl_json_double(fl_json *in);
/* Read null and return true, or leave anything else alone. proto3 JSON: null is the default. */
bool fl_json_null(fl_json *in);

/* Step over the next value, checking it as strictly as when it is read, but for the range of its
 * numbers. O(1) state whatever its depth up to the limit. */
void fl_json_skip(fl_json *in);
/* As skip, and give the raw bytes of the value, without white space around it. */
fl_slice fl_json_raw(fl_json *in);
/* After the last value: fails unless only white space is left. */
bool fl_json_finish(fl_json *in);

#endif
