/*
 * kept_text.h - a way through a heap in words, the same on a terminal, on a page and in a draft:
 *
 *   the heap: 17.3 MB, 4.1 MB before; 80,211 objects
 *     class shop.Cache: 13.1 MB, 76 %, 88 B before
 *       .ENTRIES java.util.HashMap: 13.1 MB, 76 %, 88 B before
 *
 * Names are anybody's: whoever writes them escapes them.
 */
#ifndef FL_KEPT_TEXT_H
#define FL_KEPT_TEXT_H

#include <stddef.h>

#include "faultline/kept.h"

/* A name of a step: class and field, each cut at what is read of one. */
enum { FL_KEPT_NAME_TEXT = 512, FL_KEPT_FIGURES_TEXT = 256, FL_KEPT_GAP_TEXT = 40 };

/* "the heap", "class shop.Cache", ".ENTRIES java.util.HashMap", "shop.Item". Returns `out`. */
const char *fl_kept_name(char out[FL_KEPT_NAME_TEXT], const fl_kept_step *step);
/* What the step `path[i]` keeps, of the heap and in the first dump, and of how many objects.
 * Returns `out`. */
const char *fl_kept_figures(char out[FL_KEPT_FIGURES_TEXT], const fl_kept_step *path, size_t i);
/* "(3 steps) " before a step above which some are not shown; "" where all are. Returns `out`. */
const char *fl_kept_gap(char out[FL_KEPT_GAP_TEXT], uint64_t left_out);
/* Of the whole heap, 0 to 1, whatever a document says. */
double fl_kept_share(const fl_kept_step *path, uint64_t bytes);

#endif
