/*
 * goroutine_read.h - decode goroutines and crashes out of text (faultline/goroutines.h).
 *
 * The text may be a dump, a log, or standard error with other lines between. It is read as a
 * stream: memory follows the distinct stacks, not the goroutines. docs/formats/goroutines.md has
 * the grammar.
 */
#ifndef FL_GOROUTINE_READ_H
#define FL_GOROUTINE_READ_H

#include "faultline/goroutines.h"
#include "faultline/profile.h"
#include "stream.h"

/*
 * Read a whole stream. A goroutine that cannot be read costs itself; input that breaks off (gzip
 * truncated) gives what came before with `broken` set. FL_E_UNSUPPORTED: "no goroutines and no
 * crash of a Go program"; FL_E_SYNTAX where all that looked like goroutines is broken; the stream's
 * own failure where nothing came before it; FL_E_NOMEM. The caller destroys *out.
 */
FL_NODISCARD fl_status fl_goroutines_read(fl_goroutines **out, fl_stream *in, fl_error *err);
/* NULL is a no-op. */
void fl_goroutines_destroy(fl_goroutines *goroutines);
/* Replace the content of a profile by the groups: a sample each, with the labels `state`,
 * `created_by` and `wait` (median, minutes). Texts are copied. On failure the profile is empty. */
FL_NODISCARD fl_status fl_goroutines_to_profile(fl_profile *out, const fl_goroutines *from,
                                                fl_error *err);
/* Whether the first bytes of a file (4 KiB are enough for a dump) hold a goroutine, the header of
 * debug=1 or a crash. */
bool fl_goroutines_sniff(fl_slice head);

#endif
