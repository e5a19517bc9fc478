/*
 * report_picture.h - the picture of an incident as the JSON contract, and back.
 */
#ifndef FL_REPORT_PICTURE_H
#define FL_REPORT_PICTURE_H

#include "arena.h"
#include "buf.h"
#include "faultline/picture.h"

/* A picture larger than this is not one of ours. */
#define FL_MAX_PICTURE_BYTES (16u << 20)

/* Append the picture as schemas/json/timeline.schema.json describes it, with a newline at the end.
 * Numbers have six significant digits. The same picture gives the same bytes. */
FL_NODISCARD fl_status fl_report_picture_json(fl_buf *out, const fl_picture *picture,
                                              fl_error *err);

/* The picture that a document describes; it lives in `arena`. Members that are not known are
 * ignored. FL_E_SYNTAX with a sentence that names the member, FL_E_UNSUPPORTED for another schema,
 * FL_E_LIMIT for more lanes, steps, events or calls than a picture has. */
FL_NODISCARD fl_status fl_report_picture_load(const fl_picture **out, fl_arena *arena,
                                              fl_slice document, fl_error *err);

#endif
