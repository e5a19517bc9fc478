/*
 * svg_chart.h - lanes of a picture as SVG that stands inside of a page: no script, no style, no
 * reference to anything outside.
 *
 * Lines are in currentColor, so that themes work; every part has a class that a style sheet may
 * draw otherwise: fl-chart, fl-line, fl-usual (the band of nine in ten steps), fl-window (the
 * incident), fl-onset, fl-onset-at, fl-mark (an event), fl-text. Each chart has a title and a
 * description for those who do not see it. Coordinates are whole tenths, so that the same picture
 * gives the same bytes.
 */
#ifndef FL_SVG_CHART_H
#define FL_SVG_CHART_H

#include "buf.h"
#include "faultline/picture.h"

/* One lane, 640 by 120: the line with its gaps, what is usual, the window, the onset and how sure
 * that is, the largest and the smallest number. `lane` is an index. */
void fl_svg_lane(fl_buf *out, const fl_picture *picture, size_t lane);
/* Events and at most `most` lanes below each other on one axis, each with its name. */
void fl_svg_overview(fl_buf *out, const fl_picture *picture, size_t most);

#endif
