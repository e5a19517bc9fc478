/*
 * regex.h - PCRE2 behind one header, with match, depth and heap limits against hostile patterns.
 */
#ifndef FL_REGEX_H
#define FL_REGEX_H

#include <stdbool.h>

#include "faultline/status.h"

enum { FL_REGEX_MAX_PATTERN_BYTES = 16 << 10 };

typedef struct fl_regex fl_regex;

/* Compile (UTF; the JIT takes over where there is one and a pattern is used often). FL_E_SYNTAX:
 * "pattern 'x': REASON" at its offset. FL_E_LIMIT: the pattern is longer than
 * FL_REGEX_MAX_PATTERN_BYTES or too large when compiled. The caller owns *out; it may be matched
 * from several threads at once. */
FL_NODISCARD fl_status fl_regex_create(fl_regex **out, fl_slice pattern, bool ignore_case,
                                       fl_error *err);
/* NULL is a no-op. */
void fl_regex_destroy(fl_regex *regex);
/* FL_OK with *matched, or FL_E_LIMIT where a limit ended the match, or FL_E_NOMEM. `text` may hold
 * anything: bytes that are not UTF-8 match nothing, and what lies between them is searched. */
FL_NODISCARD fl_status fl_regex_match(bool *matched, const fl_regex *regex, fl_slice text,
                                      fl_error *err);
/* Where a pattern matched: its first group where that took part, else the whole. `end` is where the
 * whole ended, from which to look for the next. */
typedef struct fl_regex_span {
    bool found;
    size_t from, len;
    size_t end;
} fl_regex_span;
/* The same from `start` on, and where; what stands before `start` is seen by lookbehinds. */
FL_NODISCARD fl_status fl_regex_find(fl_regex_span *out, const fl_regex *regex, fl_slice text,
                                     size_t start, fl_error *err);
/* True when the JIT has taken the pattern over; before, matching is slower but the same. */
bool fl_regex_is_jit(const fl_regex *regex);

#endif
