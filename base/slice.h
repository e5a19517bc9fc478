/*
 * slice.h - borrowed runs of bytes.
 */
#ifndef FL_SLICE_H
#define FL_SLICE_H

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "faultline/status.h"

/* For string literals; FL_SLICE_INIT is for static tables, where ISO C wants a constant. */
#define FL_SLICE_INIT(literal)                                                                     \
    {                                                                                              \
        .ptr = (const unsigned char *)(literal), .len = sizeof(literal) - 1                        \
    }
#define FL_SLICE(literal) ((fl_slice)FL_SLICE_INIT(literal))
/* For printf's "%.*s". */
#define FL_SLICE_ARG(slice) (int)((slice).len), (const char *)((slice).ptr)

static inline fl_slice fl_slice_of(const char *text)
{
    return (fl_slice){.ptr = (const unsigned char *)text, .len = text != NULL ? strlen(text) : 0};
}

static inline bool fl_slice_equal(fl_slice a, fl_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* From `start` up to `end`, which lie in it. */
static inline fl_slice fl_slice_part(fl_slice text, size_t start, size_t end)
{
    assert(start <= end && end <= text.len);
    return (fl_slice){.ptr = start > 0 ? text.ptr + start : text.ptr, .len = end - start};
}

/* Bytewise order, a shorter prefix first. */
int fl_slice_compare(fl_slice a, fl_slice b);
bool fl_slice_starts_with(fl_slice text, fl_slice prefix);
bool fl_slice_ends_with(fl_slice text, fl_slice suffix);
/* Offset of the first `needle`, or text.len where there is none; an empty one is found at 0.
 * Quadratic at worst: for needles that we wrote, not for needles out of input. */
size_t fl_slice_find(fl_slice text, fl_slice needle);
/* Without ASCII white space (space, \t to \r) at both ends. */
fl_slice fl_slice_trim(fl_slice text);

#endif
