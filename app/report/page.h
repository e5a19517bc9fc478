/*
 * page.h - a text page of a given width: wrapped paragraphs, aligned labels, marks and colours.
 *
 * Text out of telemetry is hostile to terminals: control characters (C0, DEL, C1) and the marks
 * that reorder text (bidirectional overrides and isolates) are shown as '?', so that no escape
 * sequence of a log line is ever obeyed. White space is one space.
 */
#ifndef FL_PAGE_H
#define FL_PAGE_H

#include "buf.h"
#include "report.h"

typedef enum fl_ink {
    FL_INK_PLAIN,
    FL_INK_BOLD,
    FL_INK_DIM,
    FL_INK_GOOD,
    FL_INK_BAD,
    FL_INK_WARN
} fl_ink;

typedef struct fl_page {
    fl_buf *out;
    fl_report_style style;
    size_t column; /* of the next character, from 0 */
} fl_page;

/* A page that writes to `out`, at its first column. `out` is borrowed. */
fl_page fl_page_on(fl_buf *out, const fl_report_style *style);

/* Columns that `text` takes on a terminal: combining marks 0, East Asian wide and emoji 2. */
size_t fl_page_columns(const char *text);

/* `text` without wrapping. */
void fl_page_put(fl_page *page, fl_ink ink, const char *text);
/* Of any length; for want of memory its first half a kilobyte. */
void fl_page_printf(fl_page *page, fl_ink ink, const char *format, ...) FL_PRINTF(3, 4);
/* Spaces up to column `to`; one space where the page is past it. */
void fl_page_pad(fl_page *page, size_t to);
/* `text` from where the page stands, wrapped at the width; lines that follow start at that column.
 * Words that are longer than a line are broken. */
void fl_page_wrap(fl_page *page, fl_ink ink, const char *text);
void fl_page_newline(fl_page *page);
/* A text of somebody else's with its own lines, as it stands but for what is hostile: line ends and
 * tabs are kept, and nothing is wrapped. */
void fl_page_lines(fl_page *page, fl_slice text);

typedef struct fl_page_row { /* columns of a label and of the text behind it */
    size_t label, text;
} fl_page_row;

/* A dim label, then `text` wrapped under itself, and a newline. */
void fl_page_labelled(fl_page *page, fl_page_row row, const char *label, fl_ink ink,
                      const char *text);
enum { FL_PERCENT_TEXT = 16, FL_COUNT_TEXT = 32 };

/* "87 %", "<1 %", ">99 %": a certainty is never claimed by rounding; "n/a" for NaN. Of the six
 * decimals that the JSON answer keeps, so that a stored answer reads the same. Returns `out`. */
const char *fl_page_percent(char out[FL_PERCENT_TEXT], double ratio);
/* "12,345,678". Returns `out`. */
const char *fl_page_count(char out[FL_COUNT_TEXT], uint64_t count);
/* A bar of `cells` cells, filled by `ratio` (0 to 1). */
void fl_page_bar(fl_page *page, double ratio, size_t cells);

#endif
