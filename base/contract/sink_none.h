/*
 * sink_none.h - a sink that drops everything, for who wants records of one kind: the functions that
 * matter are set, the others stay.
 */
#ifndef FL_SINK_NONE_H
#define FL_SINK_NONE_H

#include "faultline/record.h"

/* All functions are set and take what they get; every resource has the handle 0. */
fl_sink fl_sink_none(void *payload);

#endif
