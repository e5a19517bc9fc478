/*
 * web_timeline.c - the picture of an incident: lanes below each other on one time axis.
 *
 * A lane is a row: whose it is and why it is here, its line, what it was and what it is usually.
 * The line is SVG whose horizontal unit is one step, drawn to the width that there is; so a script
 * zooms by changing the part that is shown, the same in all lanes, and nothing is drawn anew. The
 * numbers are in the row's text: the line is for the eye alone.
 *
 * Lanes come in the picture's order, entry services and evidence first. Some are shown, the others
 * open below them.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "amount.h"
#include "page.h"
#include "svg_chart.h"
#include "timestamp.h"
#include "web_priv.h"

enum {
    FIRST_LANES = 12, /* what is seen at once beside the verdict */
    FIRST_EVENTS = 20,
    HEIGHT = 100, /* of a lane, in its own units */
    TICKS = 5,
    NUMBER_TEXT = 32
};

/* The numbers at a lane's lower and upper edge. */
typedef struct axis {
    double low, high;
} axis;

/* In steps from the left, within what is drawn. */
static double step_of(const fl_picture *picture, int64_t at_ns)
{
    assert(picture->step_ns > 0);
    double step = (double)(at_ns - picture->from_ns) / (double)picture->step_ns;
    return fmin(fmax(step, 0), (double)picture->step_count);
}

/* From 0 where the line is not far above it: a rise is to look like one (as in svg_chart.c). */
static axis axis_of(const fl_picture *picture, const fl_lane *lane)
{
    assert(lane->values != NULL);
    axis out = {.low = INFINITY, .high = -INFINITY};
    for (size_t i = 0; i < picture->step_count; i++) {
        out.low = fmin(out.low, isfinite(lane->values[i]) ? lane->values[i] : out.low);
        out.high = fmax(out.high, isfinite(lane->values[i]) ? lane->values[i] : out.high);
    }
    if (isfinite(lane->usual_low) && isfinite(lane->usual_high)) {
        out.low = fmin(out.low, lane->usual_low);
        out.high = fmax(out.high, lane->usual_high);
    }
    if (!(out.low <= out.high))
        return (axis){0, 1}; /* nothing was measured */
    if (out.low > 0 && out.low < 0.7 * out.high)
        out.low = 0;
    return out;
}

/* Whole units: a pixel is two of them. A constant lies in the middle. */
static int y_of(axis a, double value)
{
    assert(isfinite(value) && a.low <= a.high);
    double share = a.high > a.low ? (value - a.low) / (a.high - a.low) : 0.5;
    return (int)lround(HEIGHT - 4 - fmin(fmax(share, 0), 1) * (HEIGHT - 8));
}

/* Relative, step by step, which is short; a gap in the numbers is a gap in the line. */
static void put_line(fl_buf *out, const fl_picture *picture, const fl_lane *lane, axis a)
{
    bool is_down = false;
    int y = 0;
    fl_buf_text(out, "<path class=\"line\" d=\"");
    for (size_t i = 0; i < picture->step_count; i++) {
        bool is_there = isfinite(lane->values[i]);
        int to = is_there ? y_of(a, lane->values[i]) : 0;
        if (is_there && is_down)
            fl_buf_printf(out, to < y ? "1%d" : "1 %d", to - y);
        else if (is_there)
            fl_buf_printf(out, "M%zu.5 %dl", i, to);
        if (is_there && !is_down)
            fl_buf_text(out, "0 0"); /* a number between two gaps is a dot */
        if (is_there)
            fl_buf_char(out, ' ');
        is_down = is_there;
        y = to;
    }
    fl_buf_text(out, "\"/>");
}

/* From top to bottom; one that is too short to be seen is made as long as can be. */
static void put_band(fl_buf *out, const char *class, double from, double to)
{
    fl_buf_printf(out, "<rect class=\"%s\" x=\"%.2f\" width=\"%.2f\" height=\"%d\"/>", class, from,
                  fmax(to - from, 0.05), HEIGHT);
}

/* The same in every lane: the window, and the onset as far as it is known. */
static void put_times(fl_buf *out, const fl_picture *picture)
{
    const fl_onset *onset = &picture->onset;
    put_band(out, "window", step_of(picture, picture->window.from_ns),
             step_of(picture, picture->window.to_ns));
    if (onset->at_ns == 0)
        return;
    put_band(out, "onset", step_of(picture, onset->low_ns), step_of(picture, onset->high_ns));
    fl_buf_printf(out, "<path class=\"onset-at\" d=\"M%.2f 0v%d\"/>",
                  step_of(picture, onset->at_ns), HEIGHT);
}

/* Drawn to whatever width there is, so that it has no text in it. */
static void begin_plot(fl_buf *out, const fl_picture *picture)
{
    fl_buf_printf(out,
                  "<svg class=\"plot\" viewBox=\"0 0 %zu %d\" preserveAspectRatio=\"none\" "
                  "aria-hidden=\"true\" focusable=\"false\">",
                  picture->step_count, HEIGHT);
}

/* The number of the window that is farthest from what is usual; NaN: nothing was measured. */
static double worst_of(const fl_picture *picture, const fl_lane *lane)
{
    double worst = NAN, usual = isfinite(lane->usual) ? lane->usual : 0;
    for (size_t i = 0; i < picture->step_count; i++) {
        int64_t at_ns = picture->from_ns + (int64_t)i * picture->step_ns;
        bool is_during = at_ns >= picture->window.from_ns && at_ns < picture->window.to_ns;
        if (is_during && isfinite(lane->values[i]) &&
            (isnan(worst) || fabs(lane->values[i] - usual) > fabs(worst - usual)))
            worst = lane->values[i];
    }
    return worst;
}

/* Name and reason, line, numbers: in this order also where there is no room beside each other. */
static void put_lane(fl_buf *out, const web_case *of, size_t index)
{
    const fl_picture *picture = of->picture;
    const fl_lane *lane = &picture->lanes[index];
    char worst[FL_AMOUNT_TEXT], usual[FL_AMOUNT_TEXT], number[NUMBER_TEXT];
    axis a = axis_of(picture, lane);
    assert(index < picture->lane_count);
    (void)snprintf(number, sizeof(number), "%zu", index);
    fl_html(out,
            "<li id=\"lane-$\" class=\"lane $\"><span class=\"name\"><b>$</b> $</span>"
            "<span class=\"why\">$",
            number, fl_picture_kind_name(lane->kind), lane->service, lane->name, lane->why);
    web_put_lane_link(out, of, lane);
    fl_buf_text(out, "</span>");
    begin_plot(out, picture);
    put_times(out, picture);
    if (isfinite(lane->usual_low) && isfinite(lane->usual_high)) {
        int top = y_of(a, lane->usual_high), bottom = y_of(a, lane->usual_low);
        fl_buf_printf(out, "<rect class=\"usual\" y=\"%d\" width=\"%zu\" height=\"%d\"/>", top,
                      picture->step_count, bottom > top ? bottom - top : 1);
    }
    put_line(out, picture, lane, a);
    fl_html(out,
            "</svg><span class=\"value\">$</span><span class=\"usually\">usually $</span></li>\n",
            fl_amount(worst, worst_of(picture, lane), lane->unit),
            fl_amount(usual, lane->usual, lane->unit));
}

/* A stroke for each event; what it was stands in the list below, and where the pointer rests. */
/* When, what kind, whose, what, and how to see it again. */
static void put_event_lane(fl_buf *out, const fl_picture *picture)
{
    if (picture->event_count == 0)
        return;
    fl_buf_text(out, "<li class=\"lane marks\"><span class=\"name\"><b>Events</b></span>");
    begin_plot(out, picture);
    put_times(out, picture);
    for (size_t i = 0; i < picture->event_count; i++) {
        const fl_picture_event *event = &picture->events[i];
        double at = step_of(picture, event->at_ns);
        if (event->until_ns > event->at_ns)
            fl_buf_printf(out, "<path class=\"lasts\" d=\"M%.2f 50H%.2f\"/>", at,
                          step_of(picture, event->until_ns));
        fl_buf_printf(out, "<path class=\"mark %s\" d=\"M%.2f 15v70\"><title>",
                      fl_picture_kind_name(event->kind), at);
        fl_html(out, "$ $</title></path>", event->service, event->text);
    }
    fl_buf_text(out, "</svg></li>\n");
}

/* "00:06", with the day where the picture spans more than one, with seconds where it is short. */
static void put_tick(fl_buf *out, int64_t at_ns, int64_t span_ns)
{
    char text[FL_TIME_TEXT];
    fl_time_format_s(text, at_ns);
    text[10] = ' ';
    text[19] = '\0';
    if (span_ns >= 10 * 60 * FL_NS_PER_S)
        text[16] = '\0';
    fl_html(out, "<span>$</span>", span_ns > 86400 * FL_NS_PER_S ? text + 5 : text + 11);
}

/* At the beginning, the end and between. A script writes those of what it shows. */
static void put_axis(fl_buf *out, const fl_picture *picture)
{
    int64_t span_ns = (int64_t)picture->step_count * picture->step_ns;
    fl_buf_text(out, "<div class=\"axis\"><span class=\"tools\" hidden></span>"
                     "<div class=\"ticks\" aria-hidden=\"true\">");
    for (int i = 0; i < TICKS; i++)
        put_tick(out, picture->from_ns + span_ns / (TICKS - 1) * i, span_ns);
    fl_buf_text(out, "</div></div>\n");
}

/* What is closed is in the page: it is searched and printed. */
static void put_lanes(fl_buf *out, const web_case *of)
{
    const fl_picture *picture = of->picture;
    char count[FL_COUNT_TEXT];
    size_t first = picture->lane_count < FIRST_LANES ? picture->lane_count : FIRST_LANES;
    fl_buf_text(out, "<ul class=\"lanes\">\n");
    put_event_lane(out, picture);
    for (size_t i = 0; i < first; i++)
        put_lane(out, of, i);
    fl_buf_text(out, "</ul>\n");
    if (picture->lane_count == first)
        return;
    fl_html(out, "<details><summary>$ more series that stand out</summary><ul class=\"lanes\">\n",
            fl_page_count(count, picture->lane_count - first));
    for (size_t i = first; i < picture->lane_count; i++)
        put_lane(out, of, i);
    fl_buf_text(out, "</ul></details>\n");
    if (picture->lanes_left_out > 0)
        fl_html(out, "<p class=\"dim\">$ series stood out too and are not drawn.</p>\n",
                fl_page_count(count, picture->lanes_left_out));
}

static void put_event(fl_buf *out, const fl_picture_event *event)
{
    fl_buf_text(out, "<li>");
    web_time(out, event->at_ns);
    fl_html(out, " <span class=\"modality\">$</span> <b>$</b> $", fl_picture_kind_name(event->kind),
            event->service, event->text);
    web_query(out, event->query);
    fl_buf_text(out, "</li>\n");
}

/* All of them; the first are seen at once. */
void web_put_events(fl_buf *out, const fl_picture *picture)
{
    char count[FL_COUNT_TEXT];
    fl_buf_text(out, "<section aria-labelledby=\"events\"><h2 id=\"events\">Events</h2>\n"
                     "<ol class=\"events\">\n");
    for (size_t i = 0; i < picture->event_count && i < FIRST_EVENTS; i++)
        put_event(out, &picture->events[i]);
    fl_buf_text(out, "</ol>\n");
    if (picture->event_count > FIRST_EVENTS) {
        fl_html(out, "<details><summary>$ more</summary><ol class=\"events\">\n",
                fl_page_count(count, picture->event_count - FIRST_EVENTS));
        for (size_t i = FIRST_EVENTS; i < picture->event_count; i++)
            put_event(out, &picture->events[i]);
        fl_buf_text(out, "</ol></details>\n");
    }
    fl_buf_text(out, "</section>\n");
}

/* The script needs the axis; numbers at the pointer it asks for when there is one. */
void web_put_timeline(fl_buf *out, const web_case *of)
{
    const fl_picture *picture = of->picture;
    if (picture == NULL || picture->step_count == 0 || picture->step_ns <= 0)
        return;
    fl_buf_printf(out,
                  "<section class=\"timeline\" aria-labelledby=\"timeline\" data-from-ms=\"%lld\" "
                  "data-step-ms=\"%.6g\" data-steps=\"%zu\">\n",
                  (long long)(picture->from_ns / FL_NS_PER_MS), (double)picture->step_ns / 1e6,
                  picture->step_count);
    fl_buf_text(out, "<h2 id=\"timeline\">Timeline</h2>\n<p class=\"legend dim\">"
                     "<span class=\"key usual\"></span>usual, nine steps in ten "
                     "<span class=\"key window\"></span>window "
                     "<span class=\"key onset\"></span>onset, 90 %</p>\n");
    put_axis(out, picture);
    put_lanes(out, of);
    fl_buf_text(out, "</section>\n");
}
