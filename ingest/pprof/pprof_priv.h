/*
 * pprof_priv.h - what the decoders of this folder share: one reading of one input.
 */
#ifndef FL_PPROF_PRIV_H
#define FL_PPROF_PRIV_H

#include "pprof.h"
#include "profile_build.h"
#include "slice.h"

typedef struct fl_pprof_reading {
    fl_profile *profile;
    fl_slice input; /* decompressed; lives as long as the profile's content */
    fl_pprof_options options;
    fl_error *err;
} fl_pprof_reading;

/* The name of the input is put before it at the end. */
fl_status fl_pprof_fail(const fl_pprof_reading *r, fl_status status, uint64_t offset,
                        const char *format, ...) FL_PRINTF(4, 5);
/* Where a slice of the input begins. */
static inline uint64_t fl_pprof_offset(const fl_pprof_reading *r, const unsigned char *at)
{
    return (uint64_t)(at - r->input.ptr);
}

FL_NODISCARD fl_status fl_pprof_read_proto(fl_pprof_reading *r);

/* Whether the text is one of Go's debug=1 forms. */
bool fl_pprof_is_text(fl_slice input);
FL_NODISCARD fl_status fl_pprof_read_text(fl_pprof_reading *r);

#endif
