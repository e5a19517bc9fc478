/*
 * svg_chart.c - numbers to paths.
 *
 * The vertical axis begins at 0 where all numbers are at or above it and not all far above: a line
 * that leaves zero is a rise, not a wiggle made large. A gap in the numbers is a gap in the line; a
 * number between two gaps is a dot.
 */
#include "svg_chart.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "amount.h"
#include "markup.h"
#include "timestamp.h"

enum {
    WIDTH = 640,
    HEIGHT = 120,
    PLOT_LEFT = 4,
    PLOT_RIGHT = 556, /* numbers stand to the right of it */
    PLOT_TOP = 8,
    PLOT_BOTTOM = 96,
    ROW_HEIGHT = 30, /* of the overview */
    ROW_LEFT = 250,  /* names stand to the left of it */
    ROW_TOP = 26
};

/* Where on the page what is drawn: a box, and the numbers at its lower and upper edge. */
typedef struct plot {
    const fl_picture *picture;
    double left, right, top, bottom;
    double low, high;
} plot;

/* ---- places ---- */

/* What lies outside of the axis is drawn at its edge. */
static double x_of(const plot *p, int64_t at_ns)
{
    assert(p->right > p->left);
    double span = (double)p->picture->step_count * (double)p->picture->step_ns;
    double share = span > 0 ? (double)(at_ns - p->picture->from_ns) / span : 0;
    return p->left + fmin(fmax(share, 0), 1) * (p->right - p->left);
}

/* The middle of a step. */
static double x_of_step(const plot *p, size_t step)
{
    return p->left + (p->right - p->left) * ((double)step + 0.5) /
                         (double)(p->picture->step_count > 0 ? p->picture->step_count : 1);
}

/* The page counts downwards. */
static double y_of(const plot *p, double value)
{
    assert(isfinite(value) && p->bottom > p->top);
    double share = p->high > p->low ? (value - p->low) / (p->high - p->low) : 0.5;
    return p->bottom - fmin(fmax(share, 0), 1) * (p->bottom - p->top);
}

/* What the line, and what is usual, take of the axis. */
static void scale_to(plot *p, const fl_lane *lane)
{
    p->low = INFINITY;
    p->high = -INFINITY;
    for (size_t i = 0; i < p->picture->step_count; i++)
        if (isfinite(lane->values[i])) {
            p->low = fmin(p->low, lane->values[i]);
            p->high = fmax(p->high, lane->values[i]);
        }
    if (isfinite(lane->usual_low) && isfinite(lane->usual_high)) {
        p->low = fmin(p->low, lane->usual_low);
        p->high = fmax(p->high, lane->usual_high);
    }
    if (!(p->low <= p->high))
        p->low = p->high = 0; /* nothing was measured */
    if (p->low > 0 && p->low < 0.7 * p->high)
        p->low = 0;
}

/* ---- parts ---- */

/* Opacity and not a colour, so that bands that overlap are darker, in any theme. */
static void put_rect(fl_buf *out, const char *class, double left, double right, double top,
                     double bottom)
{
    fl_buf_printf(out,
                  "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\""
                  " fill=\"currentColor\" fill-opacity=\"0.08\"/>",
                  class, left, top, fmax(right - left, 0.1), fmax(bottom - top, 0.1));
}

/* The window, and the onset as far as it is known; its line is dashed, to be told from data. */
static void put_times(fl_buf *out, const plot *p)
{
    const fl_picture *picture = p->picture;
    put_rect(out, "fl-window", x_of(p, picture->window.from_ns), x_of(p, picture->window.to_ns),
             p->top, p->bottom);
    if (picture->onset.at_ns == 0)
        return;
    double x = x_of(p, picture->onset.at_ns);
    put_rect(out, "fl-onset", x_of(p, picture->onset.low_ns), x_of(p, picture->onset.high_ns),
             p->top, p->bottom);
    fl_buf_printf(out,
                  "<path class=\"fl-onset-at\" d=\"M%.1f %.1fV%.1f\" fill=\"none\""
                  " stroke=\"currentColor\" stroke-dasharray=\"3 2\"/>",
                  x, p->top, p->bottom);
}

/* One path with a move for each piece: a chart of 240 steps takes about three kilobytes. */
static void put_line(fl_buf *out, const plot *p, const fl_lane *lane)
{
    bool is_down = false;
    fl_buf_text(out, "<path class=\"fl-line\" d=\"");
    for (size_t i = 0; i < p->picture->step_count; i++) {
        bool is_there = isfinite(lane->values[i]);
        bool is_last = i + 1 == p->picture->step_count || !isfinite(lane->values[i + 1]);
        if (is_there)
            fl_buf_printf(out, "%c%.1f %.1f", is_down ? 'L' : 'M', x_of_step(p, i),
                          y_of(p, lane->values[i]));
        if (is_there && !is_down && is_last)
            fl_buf_text(out, "h0.1");
        is_down = is_there;
    }
    fl_buf_text(out, "\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\""
                     " stroke-linecap=\"round\" stroke-linejoin=\"round\"/>");
}

/* Where a baseline is missing there is no band: a line without one says that too. */
static void put_usual(fl_buf *out, const plot *p, const fl_lane *lane)
{
    if (isfinite(lane->usual_low) && isfinite(lane->usual_high))
        put_rect(out, "fl-usual", p->left, p->right, y_of(p, lane->usual_high),
                 y_of(p, lane->usual_low));
}

/* Text is text, for readers and for searching; nothing is measured, so that no font is needed. */
static void put_label(fl_buf *out, double x, double y, const char *anchor, const char *text)
{
    fl_buf_printf(out,
                  "<text class=\"fl-text\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\""
                  " font-size=\"10\" fill=\"currentColor\">",
                  x, y, anchor);
    fl_markup_html(out, text);
    fl_buf_text(out, "</text>");
}

/* Hours and minutes: the page around the chart has the day. */
static const char *clock_of(char out[FL_TIME_TEXT], int64_t at_ns)
{
    char whole[FL_TIME_TEXT];
    (void)fl_time_format_s(whole, at_ns);
    (void)snprintf(out, FL_TIME_TEXT, "%.5s", whole + strlen("2023-01-29T"));
    return out;
}

/* Where the axis begins and ends, and the incident's time. */
static void put_axis(fl_buf *out, const plot *p, double y)
{
    char text[FL_TIME_TEXT];
    const fl_picture *picture = p->picture;
    int64_t end_ns = picture->from_ns + (int64_t)picture->step_count * picture->step_ns;
    double at = x_of(p, picture->at_ns);
    put_label(out, p->left, y, "start", clock_of(text, picture->from_ns));
    if (at > p->left + 40 && at < p->right - 40)
        put_label(out, at, y, "middle", clock_of(text, picture->at_ns));
    put_label(out, p->right, y, "end", clock_of(text, end_ns));
}

/* ---- charts ---- */

/* The view box scales it to its place; role and title make it one picture for a screen reader. */
static void begin(fl_buf *out, unsigned height)
{
    fl_buf_printf(out,
                  "<svg class=\"fl-chart\" viewBox=\"0 0 %d %u\" role=\"img\""
                  " xmlns=\"http://www.w3.org/2000/svg\"><title>",
                  WIDTH, height);
}

/* Whose it is, and what. */
static void name_lane(fl_buf *out, const fl_lane *lane)
{
    fl_markup_html(out, lane->service);
    fl_buf_text(out, ": ");
    fl_markup_html(out, lane->name);
}

/* For those who do not see the line: what it is usually, and how far it went. */
static void describe(fl_buf *out, const fl_picture *picture, const fl_lane *lane)
{
    char usual[FL_AMOUNT_TEXT], low[FL_AMOUNT_TEXT], high[FL_AMOUNT_TEXT];
    double least = NAN, most = NAN;
    for (size_t i = 0; i < picture->step_count; i++) {
        bool is_during =
            picture->from_ns + (int64_t)i * picture->step_ns >= picture->window.from_ns;
        least = is_during ? fmin(least, lane->values[i]) : least;
        most = is_during ? fmax(most, lane->values[i]) : most;
    }
    fl_buf_printf(out, "usually %s; during the incident %s to %s; ",
                  fl_amount(usual, lane->usual, NULL), fl_amount(low, least, NULL),
                  fl_amount(high, most, NULL));
    fl_markup_html(out, lane->why);
}

/* Bands lie under the line, and words beside it. */
void fl_svg_lane(fl_buf *out, const fl_picture *picture, size_t index)
{
    assert(index < picture->lane_count);
    const fl_lane *lane = &picture->lanes[index];
    char number[FL_AMOUNT_TEXT];
    plot p = {.picture = picture,
              .left = PLOT_LEFT,
              .right = PLOT_RIGHT,
              .top = PLOT_TOP,
              .bottom = PLOT_BOTTOM};
    scale_to(&p, lane);
    begin(out, HEIGHT);
    name_lane(out, lane);
    fl_buf_text(out, "</title><desc>");
    describe(out, picture, lane);
    fl_buf_text(out, "</desc>");
    put_times(out, &p);
    put_usual(out, &p, lane);
    put_line(out, &p, lane);
    put_label(out, PLOT_RIGHT + 6, PLOT_TOP + 8, "start", fl_amount(number, p.high, lane->unit));
    put_label(out, PLOT_RIGHT + 6, PLOT_BOTTOM, "start", fl_amount(number, p.low, lane->unit));
    put_axis(out, &p, PLOT_BOTTOM + 14);
    fl_buf_text(out, "</svg>\n");
}

/* A triangle for each event, with its sentence. */
static void put_events(fl_buf *out, const plot *p)
{
    for (size_t i = 0; i < p->picture->event_count; i++) {
        const fl_picture_event *event = &p->picture->events[i];
        double x = x_of(p, event->at_ns);
        fl_buf_printf(out,
                      "<path class=\"fl-mark fl-%s\" d=\"M%.1f 18l-4 -8h8z\""
                      " fill=\"currentColor\"><title>",
                      fl_picture_kind_name(event->kind), x);
        fl_markup_html(out, event->service);
        fl_buf_text(out, event->service != NULL ? ": " : "");
        fl_markup_html(out, event->text);
        fl_buf_text(out, "</title></path>");
    }
}

/* Names are cut to what fits beside the line: about six units a character. */
static void put_row_name(fl_buf *out, const fl_lane *lane, double y)
{
    char text[48];
    (void)snprintf(text, sizeof(text), "%.16s %.25s", lane->service, lane->name);
    put_label(out, ROW_LEFT - 6, y, "end", text);
}

/* All rows share the bands of time, which therefore go over the whole height. */
void fl_svg_overview(fl_buf *out, const fl_picture *picture, size_t most)
{
    size_t count = picture->lane_count < most ? picture->lane_count : most;
    unsigned height = (unsigned)(ROW_TOP + count * ROW_HEIGHT + 18);
    plot p = {.picture = picture,
              .left = ROW_LEFT,
              .right = WIDTH - 4,
              .top = ROW_TOP,
              .bottom = (double)(height - 18)};
    assert(height > ROW_TOP);
    begin(out, height);
    fl_buf_text(out, "The incident on one time axis</title><desc>");
    fl_buf_printf(out, "%zu of %zu series, %zu events", count, picture->lane_count,
                  picture->event_count);
    fl_buf_text(out, "</desc>");
    put_times(out, &p);
    put_events(out, &p);
    for (size_t i = 0; i < count; i++) {
        const fl_lane *lane = &picture->lanes[i];
        p.top = (double)(ROW_TOP + i * ROW_HEIGHT + 3);
        p.bottom = p.top + ROW_HEIGHT - 6;
        scale_to(&p, lane);
        put_usual(out, &p, lane);
        put_line(out, &p, lane);
        put_row_name(out, lane, p.bottom - 7);
    }
    put_axis(out, &p, (double)height - 5);
    fl_buf_text(out, "</svg>\n");
}
