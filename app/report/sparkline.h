/*
 * sparkline.h - a row of numbers as one row of characters: how something went, beside the sentence
 * that says so.
 *
 * Eight heights, a mark where nothing was measured, and two marks between the cells: where the
 * incident's window begins or ends, and where the trouble began. The marks are other characters
 * and not colours, so that a row says the same on paper, and in ASCII it says the same again:
 *
 *     ▁▁▂▁▁▁▸│▅██·█▇      [..:...>|+@@ @#]
 */
#ifndef FL_SPARKLINE_H
#define FL_SPARKLINE_H

#include <stdbool.h>
#include <stddef.h>

#define FL_SPARKLINE_NOWHERE ((size_t)-1)

typedef struct fl_sparkline {
    const double *values; /* NaN: nothing was measured */
    size_t count;
    double usual_low, usual_high; /* belong to the scale too; NaN: not known */
    /* The steps before which a mark stands; 0 and what is behind the end get none. */
    size_t window_from, window_to, onset;
    size_t most; /* cells: where there are more numbers, some share a cell; from 1 to
                    FL_SPARKLINE_CELLS */
    bool unicode;
} fl_sparkline;

/* The longest: cells and marks of three bytes each. */
enum { FL_SPARKLINE_CELLS = 80, FL_SPARKLINE_TEXT = 3 * (FL_SPARKLINE_CELLS + 3) + 1 };

/* Numbers that share a cell. */
size_t fl_sparkline_steps(const fl_sparkline *line);
/* Columns of the row: a function of the steps and marks, so that rows of one axis are as wide. */
size_t fl_sparkline_columns(const fl_sparkline *line);
/* A cell has the height of its number that is farthest from what is usual: a spike of one step is
 * seen. Rows begin at 0 where all numbers are above it, and not all far. Returns `out`. */
const char *fl_sparkline_write(char out[FL_SPARKLINE_TEXT], const fl_sparkline *line);

#endif
