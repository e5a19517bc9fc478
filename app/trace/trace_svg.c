/*
 * trace_svg.c - the course of a trace as one picture: what stands out, each processor, collections,
 * assists, goroutines, delays and the heap on one axis of time.
 *
 * No script, no style, nothing from outside. Each row is a group with a title that says in words
 * what it draws, and findings stand as text below, so that nothing is said by shape alone.
 * Coordinates are whole numbers: the same trace gives the same bytes.
 *
 * Size: a row of a processor has two outlines of at most a corner or two a column, and there are
 * fewer columns where there are many processors (CELLS); collections that fall on one column are
 * one. A picture of 64 processors has at most about 150 KB, however long the trace.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>

#include "amount.h"
#include "markup.h"
#include "timestamp.h"
#include "trace_view.h"

enum {
    WIDTH = 900,
    LEFT = 150, /* names stand to the left of it */
    RIGHT = 890,
    TOP = 44,
    PROC_HEIGHT = 12,
    LANE_HEIGHT = 34,
    BAND_HEIGHT = 10,
    GAP = 6,
    TEXT_HEIGHT = 15,
    CELLS = 6144 /* processors times columns */
};

/* Told apart by lightness, too. */
#define INK        "#1f2328"
#define RUN_COLOR  "#2f6db3"
#define MARK_COLOR "#e8973a"
#define STOP_COLOR "#b3261e"
#define PALE_COLOR "#eef1f4"

struct drawing {
    fl_buf *out;
    const fl_sched_report *report;
    const fl_sched_course *course;
    size_t columns, each; /* each: steps of a column */
    int y;                /* of the next row's top */
};

/* ---- places ---- */

static int64_t span_of(const struct drawing *d)
{
    int64_t ns = d->report->to_ns - d->report->from_ns;
    return ns > 0 ? ns : 1;
}

/* What lies outside of the trace is drawn at its edge. */
static int x_of(const struct drawing *d, int64_t time_ns)
{
    double share = (double)(time_ns - d->report->from_ns) / (double)span_of(d);
    return LEFT + (int)(fmin(fmax(share, 0), 1) * (RIGHT - LEFT));
}

/* Where a column begins; the last one ends with the trace. */
static int x_of_column(const struct drawing *d, size_t column)
{
    double ns = (double)column * (double)d->each * (double)d->course->step_ns;
    return LEFT + (int)(fmin(ns / (double)span_of(d), 1) * (RIGHT - LEFT));
}

/* ---- parts ---- */

static void put_text(const struct drawing *d, int x, int y, const char *anchor, const char *text)
{
    fl_buf_printf(d->out, "<text x=\"%d\" y=\"%d\" text-anchor=\"%s\">", x, y, anchor);
    fl_markup_html(d->out, text);
    fl_buf_text(d->out, "</text>\n");
}

/* A row: its words for those who do not see it, its name beside it, what is behind it. */
static void begin_row(const struct drawing *d, const char *name, const char *words, int height)
{
    fl_buf_text(d->out, "<g role=\"img\"><title>");
    fl_markup_html(d->out, words);
    fl_buf_printf(d->out,
                  "</title><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"/>", LEFT,
                  d->y, RIGHT - LEFT, height, PALE_COLOR);
    put_text(d, LEFT - 6, d->y + (height > TEXT_HEIGHT ? 13 : (height + 8) / 2), "end", name);
}

static void end_row(struct drawing *d, int height)
{
    fl_buf_text(d->out, "</g>\n");
    d->y += height + GAP;
}

/* A filled outline over the columns: `of` says how much of the row's height is filled, 0 to 1. */
typedef double share_of(const struct drawing *d, size_t column, const void *what);

static void put_area(const struct drawing *d, const char *color, int height, share_of *of,
                     const void *what)
{
    int bottom = d->y + height, level = bottom;
    fl_buf_printf(d->out, "<path fill=\"%s\" d=\"M%d %d", color, LEFT, bottom);
    for (size_t i = 0; i < d->columns; i++) {
        double share = of(d, i, what);
        int next = bottom - (int)lround(fmin(fmax(share, 0), 1) * height);
        if (next != level)
            fl_buf_printf(d->out, "H%dV%d", x_of_column(d, i), next);
        level = next;
    }
    fl_buf_printf(d->out, "H%dV%dz\"/>", RIGHT, bottom);
}

/* ---- processors ---- */

struct use {
    size_t proc;
    bool all; /* the collector, too */
};

/* Steps of a column are as long as each other but for the last. */
static double use_of(const struct drawing *d, size_t column, const void *what)
{
    const struct use *use = what;
    const fl_sched_proc *row = &d->course->procs[use->proc * d->course->step_count];
    size_t begin = column * d->each, end = begin + d->each;
    double ns = 0;
    for (size_t i = begin; i < end && i < d->course->step_count; i++)
        ns += (double)row[i].running_ns + (use->all ? (double)row[i].marking_ns : 0);
    int64_t from = (int64_t)begin * d->course->step_ns;
    double whole = fmin((double)d->each * (double)d->course->step_ns, (double)(span_of(d) - from));
    return whole > 0 ? ns / whole : 0;
}

/* The collector's share stands on the program's. */
static void put_procs(struct drawing *d)
{
    char name[32], words[128];
    for (size_t p = 0; p < d->course->proc_count; p++) {
        const fl_sched_proc none = {0};
        const fl_sched_proc *whole = p < d->report->proc_count ? &d->report->proc_use[p] : &none;
        double span = (double)span_of(d);
        (void)snprintf(name, sizeof(name), "processor %zu", p);
        (void)snprintf(words, sizeof(words),
                       "processor %zu: %.1f %% goroutines, %.1f %% collector, %.1f %% idle", p,
                       100 * (double)whole->running_ns / span,
                       100 * (double)whole->marking_ns / span, 100 * (double)whole->idle_ns / span);
        begin_row(d, name, words, PROC_HEIGHT);
        put_area(d, MARK_COLOR, PROC_HEIGHT, use_of, &(struct use){.proc = p, .all = true});
        put_area(d, RUN_COLOR, PROC_HEIGHT, use_of, &(struct use){.proc = p});
        end_row(d, PROC_HEIGHT);
    }
}

/* ---- the collector ---- */

static void put_band(const struct drawing *d, int from, int to)
{
    int width = to > from ? to - from : 1;
    fl_buf_printf(d->out, "M%d %dh%dv%dh-%dz", from, d->y, width, BAND_HEIGHT, width);
}

/* Collections that touch on the page are one band. */
static void put_cycles(struct drawing *d)
{
    char words[96], time[FL_TRACE_DURATION];
    int64_t ns = 0;
    int from = -1, to = -1;
    for (size_t i = 0; i < d->report->cycle_count; i++) {
        const fl_sched_cycle *cycle = &d->report->cycles[i];
        ns += (cycle->end_ns != 0 ? cycle->end_ns : d->report->to_ns) - cycle->begin_ns;
    }
    (void)snprintf(words, sizeof(words), "%zu collection%s, marking for %s", d->report->cycle_count,
                   d->report->cycle_count == 1 ? "" : "s", fl_trace_duration(time, ns));
    begin_row(d, "marking", words, BAND_HEIGHT);
    fl_buf_printf(d->out, "<path fill=\"%s\" d=\"", MARK_COLOR);
    for (size_t i = 0; i < d->report->cycle_count; i++) {
        const fl_sched_cycle *cycle = &d->report->cycles[i];
        int begin = x_of(d, cycle->begin_ns);
        if (from >= 0 && begin > to) {
            put_band(d, from, to);
            from = -1;
        }
        from = from < 0 ? begin : from;
        to = x_of(d, cycle->end_ns != 0 ? cycle->end_ns : d->report->to_ns);
    }
    if (from >= 0)
        put_band(d, from, to);
    fl_buf_text(d->out, "\"/>");
    end_row(d, BAND_HEIGHT);
}

/* A stop is mostly too short to be seen: each step with one is marked. */
static void put_stops(struct drawing *d)
{
    char words[96], time[FL_TRACE_DURATION];
    int64_t ns = 0;
    uint64_t count = 0;
    for (size_t i = 0; i < d->report->stop_count; i++) {
        if (__builtin_add_overflow(ns, d->report->stops[i].total_ns, &ns))
            ns = INT64_MAX;
        count += d->report->stops[i].count;
    }
    (void)snprintf(words, sizeof(words), "the world was stopped %llu time%s, %s in all",
                   (unsigned long long)count, count == 1 ? "" : "s", fl_trace_duration(time, ns));
    begin_row(d, "world stopped", words, BAND_HEIGHT);
    fl_buf_printf(d->out, "<path fill=\"%s\" d=\"", STOP_COLOR);
    for (size_t i = 0; i < d->course->step_count; i++) {
        int64_t begin = d->report->from_ns + (int64_t)i * d->course->step_ns;
        int64_t stw = d->course->steps[i].stw_ns;
        if (stw > 0)
            put_band(d, x_of(d, begin), x_of(d, begin + stw));
    }
    fl_buf_text(d->out, "\"/>");
    end_row(d, BAND_HEIGHT);
}

/* ---- levels ---- */

/* One row of numbers: how they are joined to columns, and read. */
struct lane {
    const char *name, *unit;
    double (*value)(const fl_sched_step *step, double step_ns, double procs);
    double most;
};

static double goroutines(const fl_sched_step *step, double step_ns, double procs)
{
    (void)step_ns;
    (void)procs;
    return (double)step->goroutines;
}

static double delay(const fl_sched_step *step, double step_ns, double procs)
{
    (void)step_ns;
    (void)procs;
    return (double)step->latency_max_ns / 1e6;
}

static double heap(const fl_sched_step *step, double step_ns, double procs)
{
    (void)step_ns;
    (void)procs;
    return (double)step->heap_bytes;
}

static double assists(const fl_sched_step *step, double step_ns, double procs)
{
    return 100 * (double)step->assist_ns / (step_ns * fmax(procs, 1));
}

/* Of a column its largest: a spike of one step is seen. */
static double column_of(const struct drawing *d, const struct lane *lane, size_t column)
{
    double most = 0;
    double procs = (double)(d->report->procs > 0 ? d->report->procs : d->report->proc_count);
    size_t begin = column * d->each;
    for (size_t i = begin; i < begin + d->each && i < d->course->step_count; i++)
        most = fmax(most, lane->value(&d->course->steps[i], (double)d->course->step_ns, procs));
    return most;
}

static double lane_share(const struct drawing *d, size_t column, const void *what)
{
    const struct lane *lane = what;
    return lane->most > 0 ? column_of(d, lane, column) / lane->most : 0;
}

/* The axis begins at zero; the largest number is said. */
static void put_lane(struct drawing *d, struct lane lane)
{
    char name[96], words[128], most[FL_AMOUNT_TEXT];
    for (size_t i = 0; i < d->columns; i++)
        lane.most = fmax(lane.most, column_of(d, &lane, i));
    (void)fl_amount(most, lane.most, lane.unit);
    (void)snprintf(name, sizeof(name), "%.24s", lane.name);
    (void)snprintf(words, sizeof(words), "%s: at most %s", lane.name, most);
    begin_row(d, name, words, LANE_HEIGHT);
    put_text(d, LEFT - 6, d->y + LANE_HEIGHT - 3, "end", most);
    put_area(d, RUN_COLOR, LANE_HEIGHT, lane_share, &lane);
    end_row(d, LANE_HEIGHT);
}

static void put_lanes(struct drawing *d)
{
    put_lane(d, (struct lane){.name = "assists, % of processors", .unit = "%", .value = assists});
    put_lane(d, (struct lane){.name = "goroutines", .value = goroutines});
    put_lane(d, (struct lane){.name = "longest delay", .unit = "ms", .value = delay});
    put_lane(d, (struct lane){.name = "heap", .unit = "By", .value = heap});
}

/* ---- around them ---- */

/* Five moments, in time since the trace began. */
static void put_axis(struct drawing *d)
{
    char text[FL_TRACE_DURATION];
    for (int i = 0; i <= 4; i++) {
        int64_t at = span_of(d) / 4 * i;
        put_text(d, LEFT + (RIGHT - LEFT) * i / 4, d->y + 10,
                 i == 0   ? "start"
                 : i == 4 ? "end"
                          : "middle",
                 i == 0 ? "0" : fl_trace_duration(text, at));
    }
    d->y += TEXT_HEIGHT + GAP;
}

/* A triangle where a finding first shows; its title says in words which. */
static void put_marks(const struct drawing *d)
{
    for (size_t i = 0; i < d->report->finding_count; i++) {
        const fl_sched_finding *finding = &d->report->findings[i];
        if (finding->at_ns == 0)
            continue;
        int x = x_of(d, finding->at_ns);
        fl_buf_printf(d->out, "<path fill=\"%s\" d=\"M%d %dl-5 -8h10z\"><title>", STOP_COLOR, x,
                      TOP - 3);
        fl_markup_html(d->out, finding->signature->title);
        fl_buf_text(d->out, "</title></path>\n");
    }
}

static void put_findings(struct drawing *d)
{
    char line[512];
    if (d->report->finding_count == 0)
        put_text(d, 10, d->y + 10, "start", "nothing stands out");
    for (size_t i = 0; i < d->report->finding_count; i++) {
        const fl_sched_finding *finding = &d->report->findings[i];
        (void)snprintf(line, sizeof(line), "%.48s: %.80s", finding->signature->name,
                       finding->signature->title);
        put_text(d, 10, d->y + 10, "start", line);
        (void)snprintf(line, sizeof(line), "%s%.60s%s%.80s",
                       finding->place.function[0] != '\0' ? "in " : "", finding->place.function,
                       finding->evidence_count > 0 ? ": " : "",
                       finding->evidence_count > 0 ? finding->evidence[0] : "");
        put_text(d, 24, d->y + 10 + TEXT_HEIGHT, "start", line);
        d->y += 2 * TEXT_HEIGHT;
    }
}

/* The picture's own words: what the rows say one by one, in short. */
static void begin_picture(const struct drawing *d, const fl_trace_title *title, int height)
{
    char time[FL_TRACE_DURATION], delay_text[FL_TRACE_DURATION];
    fl_buf_printf(d->out,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\""
                  " height=\"%d\" role=\"img\" font-family=\"sans-serif\" font-size=\"11\""
                  " fill=\"%s\"><title>Execution trace ",
                  WIDTH, height, WIDTH, height, INK);
    fl_markup_html(d->out, title->name);
    fl_buf_printf(d->out,
                  "</title><desc>%s of a Go program on %zu processors: collections: %zu, 99 %% of"
                  " goroutines ran within %s, findings: %zu.</desc>\n",
                  fl_trace_duration(time, span_of(d)), d->report->proc_count,
                  d->report->cycle_count, fl_trace_duration(delay_text, d->report->latency.p99_ns),
                  d->report->finding_count);
    fl_buf_printf(d->out, "<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n", WIDTH, height);
}

/* What the colours of processors mean, and when it was. */
static void put_head(const struct drawing *d, const fl_trace_title *title)
{
    char text[FL_TIME_TEXT];
    put_text(d, 10, 16, "start", title->name);
    if (title->clock_to_wall_ns != 0)
        put_text(d, RIGHT, 16, "end",
                 fl_time_format(text, d->report->from_ns + title->clock_to_wall_ns));
    else if (title->clock_assumed)
        put_text(d, RIGHT, 16, "end", "times are right in proportion only");
    fl_buf_printf(d->out,
                  "<rect x=\"%d\" y=\"22\" width=\"10\" height=\"9\" fill=\"%s\"/>"
                  "<rect x=\"%d\" y=\"22\" width=\"10\" height=\"9\" fill=\"%s\"/>\n",
                  LEFT, RUN_COLOR, LEFT + 90, MARK_COLOR);
    put_text(d, LEFT + 14, 30, "start", "goroutines");
    put_text(d, LEFT + 104, 30, "start", "collector");
}

fl_status fl_trace_view_svg(fl_buf *out, const fl_sched_report *report, const fl_trace_title *title,
                            fl_error *err)
{
    assert(report != NULL && title != NULL && report->course != NULL);
    const fl_sched_course *course = report->course;
    size_t most = course->proc_count > 0 ? CELLS / course->proc_count : FL_SCHED_STEPS;
    struct drawing d = {.out = out, .report = report, .course = course, .y = TOP};
    d.each = (course->step_count + most - 1) / most;
    d.columns = (course->step_count + d.each - 1) / d.each;
    int rows = (int)course->proc_count * (PROC_HEIGHT + GAP) + 2 * (BAND_HEIGHT + GAP) +
               4 * (LANE_HEIGHT + GAP);
    int texts = 2 * (int)report->finding_count + 3;
    begin_picture(&d, title, TOP + rows + texts * TEXT_HEIGHT);
    put_head(&d, title);
    put_marks(&d);
    put_procs(&d);
    put_cycles(&d);
    put_stops(&d);
    put_lanes(&d);
    put_axis(&d);
    put_findings(&d);
    fl_buf_text(out, "</svg>\n");
    return fl_buf_check(out, "the picture", err);
}
