/*
 * profile_measure.h - quantities as text, in the units and with the digits of go tool pprof.
 *
 * "524288" bytes are "512kB", 1500000 nanoseconds "1.50ms"; what is only counted has no unit. All
 * rows of a table have one unit, chosen by its smallest and its largest figure.
 */
#ifndef FL_PROFILE_MEASURE_H
#define FL_PROFILE_MEASURE_H

#include "faultline/status.h"

enum { FL_MEASURE_TEXT = 40, FL_PERCENTAGE_TEXT = 40 };

/* One of the units of a kind of quantity, or none of them. */
typedef struct fl_measure {
    const char *name; /* "MB"; "" for what is only counted */
    double factor;    /* values are divided by it */
} fl_measure;

/* The unit for a table whose figures lie between `smallest` > 0 and `largest`; `unit` is that of
 * the profile. */
fl_measure fl_measure_for(fl_slice unit, int64_t smallest, int64_t largest);
/* The unit that suits one value. */
fl_measure fl_measure_of(fl_slice unit, int64_t value);
/* "512.03kB", "0". Returns `out`. */
const char *fl_measure_format(char out[FL_MEASURE_TEXT], int64_t value, fl_measure measure);
/* "12.34%", "  100%", "0.045%", at least 6 wide, of the magnitude. Returns `out`. */
const char *fl_percentage_format(char out[FL_PERCENTAGE_TEXT], int64_t value, int64_t total);

#endif
