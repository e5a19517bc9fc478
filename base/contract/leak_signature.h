/*
 * leak_signature.h - what all who try signatures ask of one: its conditions in one order, what they
 * are measured on, and which of two that hold is the better description.
 */
#ifndef FL_LEAK_SIGNATURE_H
#define FL_LEAK_SIGNATURE_H

#include "faultline/leak.h"

/* Those of must, any and against, in this order. */
size_t fl_leak_condition_count(const fl_leak_signature *signature);
const fl_leak_condition *fl_leak_condition_at(const fl_leak_signature *signature, size_t at);
/* What its first condition is measured on, and with it the others. */
fl_leak_measured fl_leak_signature_measured(const fl_leak_signature *signature);
/* The most demanding first (a condition on names counts 3, on numbers 1, on the shape 0; `any` as
 * its largest), then the higher prior, then the name. */
bool fl_leak_signature_beats(const fl_leak_signature *a, const fl_leak_signature *b);

#endif
