/*
 * mapping.h - what names that ProGuard or R8 made short were before, out of their mapping file.
 *
 * A mapping file is read once and only what was asked for is kept: the caller says which classes
 * stand in the frames (fl_mapping_want), then reads. docs/formats/mapping.md has the grammar.
 */
#ifndef FL_MAPPING_H
#define FL_MAPPING_H

#include <stdbool.h>

#include "buf.h"
#include "faultline/status.h"
#include "stream.h"

typedef struct fl_mapping fl_mapping;

/* A frame as the source has it. Slices live as long as the mapping. */
typedef struct fl_mapping_frame {
    fl_slice class_name, method;  /* "org.example.Basket", "total" */
    fl_slice arguments, returned; /* "int,java.lang.String[]", "void" */
    fl_slice file;                /* "Basket.java"; empty: only its name can be guessed */
    uint32_t line;                /* 0: not known */
    uint32_t alternative;         /* of several possible answers, which; from 0, frames of one
                                     are neighbours, innermost first */
} fl_mapping_frame;

typedef struct fl_mapping_query {
    fl_slice class_name, method; /* as they stand: "a.b", "c" */
    fl_slice descriptor;         /* "(I[La/d;)V" where it is known, else empty */
    uint32_t line;               /* 0: not known */
} fl_mapping_query;

enum { FL_MAPPING_MAX_FRAMES = 64 };

FL_NODISCARD fl_status fl_mapping_create(fl_mapping **out, fl_error *err);
void fl_mapping_destroy(fl_mapping *mapping); /* NULL is a no-op */
/* Before the reading: keep the class of this short name, and those of a descriptor (empty: none).
 * FL_E_LIMIT, FL_E_NOMEM. */
FL_NODISCARD fl_status fl_mapping_want(fl_mapping *mapping, fl_slice class_name,
                                       fl_slice descriptor, fl_error *err);
/* The file, once. FL_E_UNSUPPORTED: "no mapping file of ProGuard or R8" (not one class in it);
 * FL_E_LIMIT, FL_E_NOMEM, and whatever the stream fails with. */
FL_NODISCARD fl_status fl_mapping_read(fl_mapping *mapping, fl_stream *in, fl_error *err);
/* Lines of wanted classes that were not understood and passed over; the number of the first. */
uint64_t fl_mapping_bad_lines(const fl_mapping *mapping, uint64_t *first);

/* What a short class was; empty where the file does not have it. */
fl_slice fl_mapping_class(const fl_mapping *mapping, fl_slice class_name);
/* What a frame was; returns how many frames, 0 where nothing is known. A line chooses among ranges
 * and tells inlined calls; a descriptor chooses among methods of one short name; what stays open
 * gives several alternatives. */
size_t fl_mapping_find(const fl_mapping *mapping, const fl_mapping_query *query,
                       fl_mapping_frame out[FL_MAPPING_MAX_FRAMES]);

/* Stack traces as Java prints them, in any text, line by line: whether a line is a frame, which
 * classes it names (before the reading), and the line with its names as they were, with its inlined
 * calls and alternatives
 * ("<or> at ...") as lines of their own; a line without such names stays as it is. */
bool fl_mapping_is_frame(fl_slice line);
FL_NODISCARD fl_status fl_mapping_want_line(fl_mapping *mapping, fl_slice line, fl_error *err);
void fl_mapping_write_line(fl_buf *out, const fl_mapping *mapping, fl_slice line);

#endif
