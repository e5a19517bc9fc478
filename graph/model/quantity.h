/*
 * quantity.h - values of configuration as numbers: durations, sizes and plain numbers.
 *
 * What a text means depends on what it is compared with: "512m" is a heap for a JVM and half a
 * workday for a timer. So the bound that a rule states is read without ambiguity, and the value
 * then in the dimension of that bound.
 *
 *   time   number ("ns" | "us" | "ms" | "s" | "sec" | "m" | "min" | "h" | "d"), also several:
 *          "1m30s"; in seconds
 *   size   number ("" | "B" | "k" | "m" | "g" | "t", each with "i", "b", "ib"); in bytes. A single
 *          letter and "i" are powers of 1024, as -Xmx and Kubernetes mean them, "kb" of 1000
 *   plain  number, also with "%"
 *
 * 0 is 0 in every dimension.
 */
#ifndef FL_QUANTITY_H
#define FL_QUANTITY_H

#include <stdbool.h>

#include "faultline/status.h"

typedef enum fl_dimension { FL_DIMENSION_PLAIN, FL_DIMENSION_TIME, FL_DIMENSION_SIZE } fl_dimension;

/* The whole of `text` in this dimension; false leaves *out untouched. */
bool fl_quantity_read(double *out, fl_dimension dimension, fl_slice text);
/* A bound as a rule states it: plain, else time ("m" is refused: "min"), else size ("KiB", "MB":
 * units of one letter but "B" are refused). */
bool fl_quantity_bound(double *out, fl_dimension *dimension, fl_slice text);

#endif
