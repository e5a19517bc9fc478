/*
 * check_circle.h - whether directed edges form a circle.
 */
#ifndef FL_CHECK_CIRCLE_H
#define FL_CHECK_CIRCLE_H

#include "faultline/status.h"

typedef struct fl_circle_edge {
    uint64_t from, to; /* ids, then numbers from 0 */
} fl_circle_edge;

/* Begun as {0}. */
typedef struct fl_circle {
    fl_circle_edge *edges;
    size_t count, room;
} fl_circle;

FL_NODISCARD fl_status fl_circle_add(fl_circle *circle, uint64_t from, uint64_t to, fl_error *err);
/* *out is how many nodes lie in circles, or on ways from one circle to another; 0: there is none.
 * O(edges). Leaves the edges with numbers in place of ids: to be asked once. */
FL_NODISCARD fl_status fl_circle_find(size_t *out, fl_circle *circle, fl_error *err);
void fl_circle_dispose(fl_circle *circle);

#endif
