/*
 * profile_build.h - how a decoder fills a profile: tables that grow, texts that live with it.
 *
 * Every decoder of profiles, whatever its format, begins with fl_profile_begin(), which forgets the
 * old content and keeps the memory, adds what it reads, and ends with fl_profile_finish(), which
 * finds the kind and the default type. Between the two the view is consistent after each call, so a
 * decoder that fails leaves nothing that would have to be undone: on failure it calls
 * fl_profile_begin() again.
 *
 * Budgets are those of faultline/limits.h; beyond them FL_E_LIMIT.
 */
#ifndef FL_PROFILE_BUILD_H
#define FL_PROFILE_BUILD_H

#include "arena.h"
#include "faultline/profile.h"
#include "stream.h"

/* Forget the content of a profile. */
void fl_profile_begin(fl_profile *profile);
/* Read the whole stream into the profile's memory, over FL_MAX_PROFILE_BYTES is FL_E_LIMIT. The
 * slice lives as long as the content: names can point into it. */
FL_NODISCARD fl_status fl_profile_load(fl_slice *out, fl_profile *profile, fl_stream *in,
                                       fl_error *err);
/* The arena of texts that are made and not found in the input; empties with the content. */
fl_arena *fl_profile_arena(fl_profile *profile);

FL_NODISCARD fl_status fl_profile_add_type(fl_profile *profile, fl_slice name, fl_slice unit,
                                           fl_error *err);
FL_NODISCARD fl_status fl_profile_add_comment(fl_profile *profile, fl_slice text, fl_error *err);
FL_NODISCARD fl_status fl_profile_add_mapping(fl_profile *profile,
                                              const fl_profile_mapping *mapping, fl_error *err);
/* The new function's index is function_count - 1; nothing is looked up. */
FL_NODISCARD fl_status fl_profile_add_function(fl_profile *profile,
                                               const fl_profile_function *function, fl_error *err);
FL_NODISCARD fl_status fl_profile_add_frame(fl_profile *profile, const fl_profile_frame *frame,
                                            fl_error *err);

/* The last `count` frames, to be completed by who added them. */
fl_profile_frame *fl_profile_last_frames(fl_profile *profile, size_t count);

/* A sample: begin, then its frames, values and labels in any order, then end. The types are all
 * known before; values that are not set are 0. */
FL_NODISCARD fl_status fl_profile_sample_begin(fl_profile *profile, fl_error *err);
FL_NODISCARD fl_status fl_profile_push_stack(fl_profile *profile, uint32_t frame, fl_error *err);
/* Beyond +-2^62 a value is clamped and counted. */
void fl_profile_set_value(fl_profile *profile, size_t type, int64_t value);
FL_NODISCARD fl_status fl_profile_push_label(fl_profile *profile, const fl_profile_label *label,
                                             fl_error *err);
void fl_profile_sample_end(fl_profile *profile);
/* Instead of the end: forget the open sample. */
void fl_profile_sample_drop(fl_profile *profile);

/* For decoders that read many samples: the row of the open sample, type_count values, each of which
 * must be within +-FL_PROFILE_VALUE_MAX; and the labels of an earlier sample as its own. */
#define FL_PROFILE_VALUE_MAX (INT64_C(1) << 62)
int64_t *fl_profile_open_values(fl_profile *profile);
void fl_profile_share_labels(fl_profile *profile, const fl_profile_sample *with);

/* A whole sample, of which there is none open: the first `used` frames of the room that was asked
 * for last, a value of each type as above, and the labels of an earlier sample, NULL: none. False,
 * with nothing added: no room. */
bool fl_profile_add_sample(fl_profile *profile, size_t used, const int64_t *values,
                           const fl_profile_sample *labels);

/* Hint: about so many samples and frames in their stacks are to come. Room that stays unused costs
 * addresses and no memory; where there is none, tables grow as ever. */
void fl_profile_expect(fl_profile *profile, size_t samples, size_t frames);
/* The same of functions and of locations, each of which is a frame at least. */
void fl_profile_expect_frames(fl_profile *profile, size_t functions, size_t locations);

/* Many frames at once: room for `count` indexes at the end of the stack, of which the first `used`
 * then become part of it. NULL, with `err` set, where there is none. */
uint32_t *fl_profile_stack_room(fl_profile *profile, size_t count, fl_error *err);
void fl_profile_stack_take(fl_profile *profile, size_t used);

/* The default type alone, as soon as the types are known; `name` may be empty. */
void fl_profile_set_default(fl_profile *profile, fl_slice name);
/* Kind and default type; `default_type` may be empty. A kind that the format itself names is given,
 * else FL_PROFILE_OTHER. */
void fl_profile_finish(fl_profile *profile, fl_slice default_type, fl_profile_kind named);

/* Go's generic names carry the shapes of their arguments, which differ from build to build:
 * "F[go.shape.struct { ... }]" becomes "F[...]". A name without them is returned as it is. */
FL_NODISCARD fl_status fl_profile_normalise_name(fl_slice *out, fl_profile *profile, fl_slice name,
                                                 fl_error *err);

#endif
