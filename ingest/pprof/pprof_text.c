/*
 * pprof_text.c - Go's text profiles (debug=1).
 */
#include "pprof_priv.h"

bool fl_pprof_is_text(fl_slice input)
{
    (void)input;
    return false;
}

fl_status fl_pprof_read_text(fl_pprof_reading *r)
{
    return fl_pprof_fail(r, FL_E_UNSUPPORTED, 0, "text profiles are not read yet");
}
