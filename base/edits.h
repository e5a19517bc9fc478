/*
 * edits.h - how far two words are apart, for "did you mean".
 */
#ifndef FL_EDITS_H
#define FL_EDITS_H

#include "faultline/status.h"

/* Words are compared up to this length. */
enum { FL_MAX_EDITS_WORD = 63 };

/* Optimal string alignment distance (Damerau, CACM 1964): letters changed, added, left out, and
 * neighbours exchanged, each one edit. Longer words are cut. O(a.len * b.len). */
size_t fl_edits(fl_slice a, fl_slice b);
/* How many edits still look like a mistake in a word of that length: a third of it, at least one.
 */
size_t fl_edits_most(size_t len);
/* The nearest of `names` to `wrong` by edits, or NULL where none is near enough: the first of those
 * that are equally near. Names are at most FL_MAX_EDITS_WORD long. */
const char *fl_nearest(const char *wrong, const char *const *names, size_t count);

#endif
