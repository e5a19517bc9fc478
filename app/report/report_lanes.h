/*
 * report_lanes.h - the lanes of a picture on a page of text, each below the evidence that it
 * belongs to.
 *
 * On a wide page the row stands in a column of its own before the sentence, and below it on others:
 *
 *     + metrics   ▁▁▁│▸▇██  pool.pending of payment-1 is 28.8 (baseline 0)
 *                           usual 0, highest 28.8
 *
 *     + metrics   pool.pending of payment-1 is 28.8
 *                 (baseline 0)
 *                 ▁▁▁│▸▇██  usual 0, highest 28.8
 */
#ifndef FL_REPORT_LANES_H
#define FL_REPORT_LANES_H

#include "faultline/picture.h"
#include "page.h"

typedef struct fl_report_lanes {
    const fl_picture *picture; /* NULL: there is none, and nothing is written */
    size_t cells;              /* of a row */
    size_t columns;            /* of a row and the space behind it, where it stands before the
                                  sentence; 0: below it */
    bool unicode;
} fl_report_lanes;

/* How `picture`, which may be NULL, fits on a page whose sentences begin at column `text`. */
fl_report_lanes fl_report_lanes_on(const fl_page *page, const fl_picture *picture, size_t text);
/* The line that says what rows span and what their marks mean; nothing where none of the first
 * `shown` hypotheses has a lane. `text` is the column of values. */
void fl_report_lanes_key(fl_page *page, const fl_report_lanes *lanes, const fl_incident *incident,
                         size_t shown, size_t text);
/* The lane of an item of evidence; NULL where there is none, and where `picture` is NULL. */
const fl_lane *fl_report_lane_of(const fl_picture *picture, const fl_hypothesis *hypothesis,
                                 const fl_evidence *evidence);
/* The row, where it stands before the sentence: from where the page is. `lane` may be NULL. */
void fl_report_lane_before(fl_page *page, const fl_report_lanes *lanes, const fl_lane *lane);
/* The line below the sentence. `text` is the column of sentences on this page; `lane` may be NULL.
 */
void fl_report_lane_below(fl_page *page, const fl_report_lanes *lanes, const fl_lane *lane,
                          const fl_evidence *evidence, size_t text);

#endif
