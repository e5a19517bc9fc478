/*
 * report_lanes.c - which lane, how wide, and what is said beside it.
 *
 * All rows of a page have the same cells and marks, so that what stands below each other happened
 * at the same time.
 */
#include "report_lanes.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "amount.h"
#include "sparkline.h"
#include "svg_chart.h"
#include "timestamp.h"

enum {
    SENTENCE = 80,     /* columns that a sentence keeps before a row may stand beside it */
    LEAST_CELLS = 20,  /* a shorter row shows no shape */
    BELOW_CELLS = 40,  /* of a row that has its caption behind it */
    BESIDE_CELLS = 60, /* of a row on a wide page: four steps a cell at most */
    MARKS = 5,         /* columns that two edges, the onset and brackets may take */
    SPACE = 2
};

fl_report_lanes fl_report_lanes_on(const fl_page *page, const fl_picture *picture, size_t text)
{
    assert(page->style.width > 0);
    fl_report_lanes lanes = {.picture = picture, .unicode = page->style.unicode};
    size_t width = page->style.width, beside = text + SENTENCE + MARKS + SPACE;
    if (picture == NULL || picture->step_count == 0 || picture->step_ns <= 0)
        return (fl_report_lanes){0};
    if (width >= beside + LEAST_CELLS) {
        lanes.cells = width - beside;
        lanes.cells = lanes.cells < BESIDE_CELLS ? lanes.cells : BESIDE_CELLS;
        lanes.columns =
            MARKS + SPACE + (picture->step_count < lanes.cells ? picture->step_count : lanes.cells);
        return lanes;
    }
    lanes.cells = width > text + LEAST_CELLS + MARKS ? width - text - MARKS : LEAST_CELLS;
    lanes.cells = lanes.cells < BELOW_CELLS ? lanes.cells : BELOW_CELLS;
    return lanes;
}

/* The step in which a moment is; what is before the first has no mark. */
static size_t step_at(const fl_picture *picture, int64_t at_ns)
{
    assert(picture->step_ns > 0);
    if (at_ns <= picture->from_ns)
        return FL_SPARKLINE_NOWHERE;
    return (size_t)((at_ns - picture->from_ns) / picture->step_ns);
}

/* An edge that is no step's own stands behind the step that it divides: a row says that something
 * is within the window only of what is. */
static size_t edge_at(const fl_picture *picture, int64_t at_ns)
{
    size_t step = step_at(picture, at_ns);
    if (step == FL_SPARKLINE_NOWHERE)
        return step;
    return step + ((at_ns - picture->from_ns) % picture->step_ns != 0);
}

static fl_sparkline row_of(const fl_report_lanes *lanes, const fl_lane *lane)
{
    const fl_picture *picture = lanes->picture;
    assert(lanes->cells > 0 && lanes->cells <= FL_SPARKLINE_CELLS);
    return (fl_sparkline){
        .values = lane->values,
        .count = picture->step_count,
        .usual_low = lane->usual_low,
        .usual_high = lane->usual_high,
        .window_from = edge_at(picture, picture->window.from_ns),
        .window_to = edge_at(picture, picture->window.to_ns),
        .onset = picture->onset.at_ns != 0 ? step_at(picture, picture->onset.at_ns)
                                           : FL_SPARKLINE_NOWHERE,
        .most = lanes->cells,
        .unicode = lanes->unicode,
    };
}

/* How far what is usual for the lane is from what the evidence says was so before. */
static double distance(const fl_lane *lane, const fl_evidence *evidence)
{
    double far = fabs(lane->usual - evidence->baseline);
    return isfinite(far) ? far : INFINITY;
}

/* The hypothesis' own lanes first: the same series may be there for another one too. One query may
 * show several series, of which the evidence speaks of the one with its baseline. */
static bool is_better(const fl_lane *lane, const fl_lane *than, const fl_hypothesis *hypothesis,
                      const fl_evidence *evidence)
{
    bool is_own = lane->hypothesis == hypothesis->rank;
    bool was_own = than->hypothesis == hypothesis->rank;
    return is_own != was_own ? is_own : distance(lane, evidence) < distance(than, evidence);
}

const fl_lane *fl_report_lane_of(const fl_picture *picture, const fl_hypothesis *hypothesis,
                                 const fl_evidence *evidence)
{
    const fl_lane *found = NULL;
    assert(hypothesis != NULL && evidence != NULL);
    for (size_t i = 0; picture != NULL && i < picture->lane_count; i++) {
        const fl_lane *lane = &picture->lanes[i];
        if (evidence->query != NULL && lane->query != NULL &&
            strcmp(lane->query, evidence->query) == 0 &&
            (found == NULL || is_better(lane, found, hypothesis, evidence)))
            found = lane;
    }
    return found;
}

/* Any lane at all: else the marks need no word. */
static bool has_any(const fl_report_lanes *lanes, const fl_incident *incident, size_t shown)
{
    for (size_t i = 0; i < shown && i < incident->hypothesis_count; i++) {
        const fl_hypothesis *hypothesis = &incident->hypotheses[i];
        for (size_t k = 0; k < hypothesis->evidence_count; k++)
            if (fl_report_lane_of(lanes->picture, hypothesis, &hypothesis->evidence[k]) != NULL)
                return true;
    }
    return false;
}

void fl_report_lanes_key(fl_page *page, const fl_report_lanes *lanes, const fl_incident *incident,
                         size_t shown, size_t text)
{
    char from[FL_TIME_TEXT], to[FL_TIME_TEXT], each[FL_TIME_TEXT], line[4 * FL_TIME_TEXT + 128];
    if (lanes->picture == NULL || !has_any(lanes, incident, shown))
        return;
    const fl_picture *picture = lanes->picture;
    fl_sparkline any = {.count = picture->step_count, .most = lanes->cells};
    int64_t length_ns = (int64_t)picture->step_count * picture->step_ns;
    snprintf(line, sizeof(line), "%s to %s, %s a mark; %s an edge of the window, %s the onset, %s",
             fl_time_format_s(from, picture->from_ns),
             fl_time_format_s(to, picture->from_ns + length_ns),
             fl_duration_format(each, (int64_t)fl_sparkline_steps(&any) * picture->step_ns),
             lanes->unicode ? "│" : "|", lanes->unicode ? "▸" : ">",
             lanes->unicode ? "· nothing measured" : "a blank: nothing measured");
    fl_page_labelled(page, (fl_page_row){0, text}, "Rows", FL_INK_PLAIN, line);
}

static void put_row(fl_page *page, const fl_report_lanes *lanes, const fl_lane *lane)
{
    char row[FL_SPARKLINE_TEXT];
    fl_sparkline line = row_of(lanes, lane);
    fl_page_put(page, FL_INK_PLAIN, fl_sparkline_write(row, &line));
}

void fl_report_lane_before(fl_page *page, const fl_report_lanes *lanes, const fl_lane *lane)
{
    if (lanes->columns == 0)
        return;
    size_t to = page->column + lanes->columns;
    assert(lanes->picture != NULL);
    if (lane != NULL)
        put_row(page, lanes, lane);
    fl_page_pad(page, to);
}

/* The name without its attributes. */
static size_t name_length(const char *name)
{
    const char *end = strstr(name, " {");
    return end != NULL ? (size_t)(end - name) : strlen(name);
}

/* Whether the sentence has already said what is drawn. */
static bool is_said(const char *text, const char *name)
{
    size_t len = strcspn(name, ",");
    len = len < name_length(name) ? len : name_length(name);
    for (const char *at = text; at != NULL && *at != '\0' && len > 0; at++)
        if (strncmp(at, name, len) == 0)
            return true;
    return false;
}

/* Whether its query shows other series of the hypothesis as well. */
static bool is_one_of_many(const fl_picture *picture, const fl_lane *lane)
{
    for (size_t i = 0; i < picture->lane_count; i++) {
        const fl_lane *other = &picture->lanes[i];
        if (other != lane && other->hypothesis == lane->hypothesis && other->query != NULL &&
            strcmp(other->query, lane->query) == 0)
            return true;
    }
    return false;
}

/* The number of the incident's window that is farthest from what is usual; NaN: none was measured.
 */
static double farthest(const fl_picture *picture, const fl_lane *lane)
{
    double found = NAN, usual = isfinite(lane->usual) ? lane->usual : 0;
    for (size_t i = 0; i < picture->step_count; i++) {
        int64_t at_ns = picture->from_ns + (int64_t)i * picture->step_ns;
        if (at_ns + picture->step_ns <= picture->window.from_ns || at_ns >= picture->window.to_ns ||
            !isfinite(lane->values[i]))
            continue;
        if (isnan(found) || fabs(lane->values[i] - usual) > fabs(found - usual))
            found = lane->values[i];
    }
    return found;
}

/* "usual 12.4 ms, highest 1.31 s"; the unit that only counts needs its step. */
static void write_figures(fl_buf *out, const fl_picture *picture, const fl_lane *lane)
{
    char usual[FL_AMOUNT_TEXT], far[FL_AMOUNT_TEXT], step[FL_TIME_TEXT];
    double value = farthest(picture, lane);
    const char *which = value < lane->usual ? "lowest" : "highest";
    bool is_count =
        lane->kind == FL_PICTURE_LOG ||
        (lane->unit != NULL && strcmp(lane->unit, "1") == 0 && lane->kind == FL_PICTURE_TRACE);
    if (isfinite(lane->usual))
        fl_buf_printf(out, "usual %s, ", fl_amount(usual, lane->usual, lane->unit));
    if (isnan(value))
        fl_buf_text(out, "not measured in the window");
    else
        fl_buf_printf(out, "%s %s", which, fl_amount(far, value, lane->unit));
    if (is_count)
        fl_buf_printf(out, " in %s", fl_duration_format(step, picture->step_ns));
}

/* Behind the row where it has room there, else below it: it is not broken into a narrow column. */
static void put_caption(fl_page *page, const char *caption, size_t text)
{
    size_t from = page->column + SPACE;
    assert(caption != NULL);
    if (page->column > text && from + fl_page_columns(caption) > page->style.width)
        fl_page_newline(page);
    fl_page_pad(page, page->column > text ? from : text);
    fl_page_wrap(page, FL_INK_DIM, caption);
}

void fl_report_lane_below(fl_page *page, const fl_report_lanes *lanes, const fl_lane *lane,
                          const fl_evidence *evidence, size_t text)
{
    assert(evidence != NULL && (lane == NULL || lane->query != NULL));
    fl_buf caption = fl_buf_of(FL_MAX_DOCUMENT_BYTES);
    if (lane == NULL)
        return;
    fl_page_pad(page, text);
    if (lanes->columns == 0)
        put_row(page, lanes, lane);
    if (lane->name != NULL && is_one_of_many(lanes->picture, lane))
        fl_buf_printf(&caption, "%s: ", lane->name);
    else if (lane->name != NULL && !is_said(evidence->text, lane->name))
        fl_buf_printf(&caption, "%.*s: ", (int)name_length(lane->name), lane->name);
    write_figures(&caption, lanes->picture, lane);
    if (caption.status == FL_OK)
        put_caption(page, caption.ptr, text);
    else
        page->out->status = page->out->status == FL_OK ? caption.status : page->out->status;
    fl_buf_dispose(&caption);
    fl_page_newline(page);
}
