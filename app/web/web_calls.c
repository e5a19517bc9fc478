/*
 * web_calls.c - who calls whom around the cause, and what changed of it.
 *
 * The cause's service stands in the middle, its callers to the left by how far they are, its
 * callees to the right; a service that is both stands where it is nearer, as a caller where that is
 * the same. Two calls away are enough to see where trouble comes from and where it goes. What
 * changed most stands first in the picture, and so from the top. The table below says the same in
 * words and has all calls.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "amount.h"
#include "page.h"
#include "svg_chart.h"
#include "web_priv.h"

enum {
    HOPS = 2,
    COLUMNS = 2 * HOPS + 1,
    PER_COLUMN = 10, /* boxes that one sees at a glance */
    MOST_BOXES = COLUMNS * PER_COLUMN,
    BOX_WIDTH = 150,
    BOX_HEIGHT = 34,
    COLUMN_WIDTH = 260, /* room for "15.4 ms → 2.35 s" between two boxes */
    ROW_HEIGHT = 58,
    TOP = 20,
    LABEL_TEXT = 128,
    PLACE_TEXT = 24
};

/* Medians of some dozen calls, whose p99 is several times their median, wander by a fifth or so. */
#define SLOWER 1.5
/* Two shares that differ by chance alone do so by as much once in 740 times. */
#define SURE_Z 3.0

typedef struct box {
    const char *service;
    int column; /* below 0: a caller */
    unsigned row;
} box;

typedef struct drawing {
    const fl_picture *picture;
    box boxes[MOST_BOXES];
    size_t count;
    bool is_cut; /* a column was full */
    unsigned rows[COLUMNS];
    int first, last; /* columns that are used */
} drawing;

/* What changed of a call; the first that holds. */
typedef enum change { ERRORS, SLOW, NETWORK, GONE, NEW, SAME } change;
static const char *const change_names[] = {"errors", "slow", "network", "gone", "new", "same"};

/* 0 where there were no calls. */
static double error_share(const fl_picture_side *side)
{
    return side->calls > 0 ? (double)side->errors / (double)side->calls : 0;
}

/* Two proportions, pooled. */
static bool has_more_errors(const fl_picture_call *call)
{
    const fl_picture_side *a = &call->before, *b = &call->during;
    if (b->errors == 0)
        return false;
    if (a->calls == 0)
        return true;
    double n = (double)a->calls, m = (double)b->calls;
    double pooled = (double)(a->errors + b->errors) / (n + m);
    double spread = sqrt(pooled * (1 - pooled) * (1 / n + 1 / m));
    return spread > 0 && (error_share(b) - error_share(a)) / spread > SURE_Z;
}

/* Errors first: they are what users meet. */
static change change_of(const fl_picture_call *call)
{
    const fl_picture_side *a = &call->before, *b = &call->during;
    assert(call->caller != NULL && call->callee != NULL);
    if (!call->is_traced)
        return SAME;
    if (has_more_errors(call))
        return ERRORS;
    if (a->calls > 0 && b->calls == 0)
        return GONE;
    if (a->calls == 0)
        return b->calls > 0 ? NEW : SAME;
    if (!(b->p50_ms > SLOWER * a->p50_ms))
        return SAME;
    /* Most of what came on top was spent on the way. */
    return b->gap_ms - a->gap_ms > (b->p50_ms - a->p50_ms) / 2 ? NETWORK : SLOW;
}

/* NULL: it is not drawn. */
static box *find_box(drawing *d, const char *service)
{
    for (size_t i = 0; i < d->count; i++)
        if (strcmp(d->boxes[i].service, service) == 0)
            return &d->boxes[i];
    return NULL;
}

/* Where there is room. */
static void add_box(drawing *d, const char *service, int column)
{
    assert(service != NULL && column >= -HOPS && column <= HOPS);
    unsigned *row = &d->rows[column + HOPS];
    if (find_box(d, service) != NULL)
        return;
    if (*row == PER_COLUMN) {
        d->is_cut = true;
        return;
    }
    assert(d->count < MOST_BOXES);
    d->boxes[d->count++] = (box){.service = service, .column = column, .row = (*row)++};
    d->first = column < d->first ? column : d->first;
    d->last = column > d->last ? column : d->last;
}

/* One ring after the other, so that each service is where it is nearest. */
static void place_all(drawing *d, const char *cause)
{
    const fl_picture *picture = d->picture;
    add_box(d, cause, 0);
    for (int hop = 1; hop <= HOPS; hop++) {
        size_t known = d->count; /* those of this ring are not stepped from */
        for (size_t i = 0; i < picture->call_count; i++) {
            const fl_picture_call *call = &picture->calls[i];
            const box *to = find_box(d, call->callee), *from = find_box(d, call->caller);
            bool is_caller = to != NULL && to < d->boxes + known && to->column == 1 - hop;
            bool is_callee = from != NULL && from < d->boxes + known && from->column == hop - 1;
            if (is_caller && from == NULL)
                add_box(d, call->caller, -hop);
            else if (is_callee && to == NULL)
                add_box(d, call->callee, hop);
        }
    }
}

/* The first column that is used is at the left edge. */
static double left_of(const drawing *d, const box *b)
{
    return (double)(b->column - d->first) * COLUMN_WIDTH + 4;
}

/* Columns are centred, so that a lonely box is beside the middle of the others. */
static double middle_of(const drawing *d, const box *b)
{
    unsigned most = 1, own = d->rows[b->column + HOPS];
    for (size_t i = 0; i < COLUMNS; i++)
        most = d->rows[i] > most ? d->rows[i] : most;
    double off = (double)(most - own) * ROW_HEIGHT / 2;
    return TOP + off + b->row * ROW_HEIGHT + BOX_HEIGHT / 2.0;
}

/* What there is to say of the change, in few words. */
static void label_of(char out[LABEL_TEXT], const fl_picture_call *call, change what)
{
    char before[FL_AMOUNT_TEXT], during[FL_AMOUNT_TEXT];
    out[0] = '\0';
    if (what == ERRORS)
        (void)snprintf(out, LABEL_TEXT, "%.0f %% \xE2\x86\x92 %.0f %% errors",
                       100 * error_share(&call->before), 100 * error_share(&call->during));
    else if (what == SLOW || what == NETWORK)
        (void)snprintf(out, LABEL_TEXT, "%s \xE2\x86\x92 %s",
                       fl_amount(before, call->before.p50_ms, "ms"),
                       fl_amount(during, call->during.p50_ms, "ms"));
    else if (what == GONE || what == NEW)
        (void)snprintf(out, LABEL_TEXT, "%s", what == GONE ? "no calls any more" : "new");
}

/* From the right side of the caller to the left of the callee; back, a little below that; in one
 * column, around the right. */
static void put_edge(fl_buf *out, drawing *d, const fl_picture_call *call)
{
    const box *from = find_box(d, call->caller), *to = find_box(d, call->callee);
    char label[LABEL_TEXT];
    if (from == NULL || to == NULL || from == to)
        return;
    change what = change_of(call);
    bool is_back = to->column < from->column, is_beside = to->column == from->column;
    double x = left_of(d, from) + (is_back ? 0 : BOX_WIDTH), y = middle_of(d, from);
    double u = left_of(d, to) + (is_back || is_beside ? BOX_WIDTH + 5 : -5);
    double v = middle_of(d, to), sag = is_back ? 12 : 0;
    double bend = is_back ? -40 : 50, bend_to = is_back || is_beside ? -50 : 50;
    fl_buf_printf(out,
                  "<path class=\"call %s\" marker-end=\"url(#head-%s)\" "
                  "d=\"M%.0f %.0fC%.0f %.0f %.0f %.0f %.0f %.0f\"/>",
                  change_names[what], change_names[what], x, y + sag, x + bend, y + sag,
                  u - bend_to, v + sag, u, v + sag);
    label_of(label, call, what);
    fl_buf_printf(out, "<text class=\"%s\" x=\"%.0f\" y=\"%.0f\">", change_names[what], (x + u) / 2,
                  (y + v) / 2 + (is_back ? sag + 12 : 4));
    fl_html(out, "$</text>\n", label);
}

/* The cause has a border of its own. */
static void put_box(fl_buf *out, const drawing *d, const box *b)
{
    char shown[LABEL_TEXT];
    double x = left_of(d, b), y = middle_of(d, b) - BOX_HEIGHT / 2.0;
    /* About seven units a letter; a cut in the middle of one is shown as such by the writer. */
    (void)snprintf(shown, sizeof(shown), strlen(b->service) > 21 ? "%.20s\xE2\x80\xA6" : "%s",
                   b->service);
    fl_buf_printf(
        out,
        "<rect class=\"box%s\" x=\"%.0f\" y=\"%.0f\" width=\"%d\" height=\"%d\" rx=\"4\"/>"
        "<text class=\"service\" x=\"%.0f\" y=\"%.0f\"><title>",
        b->column == 0 ? " cause" : "", x, y, BOX_WIDTH, BOX_HEIGHT, x + BOX_WIDTH / 2.0,
        y + BOX_HEIGHT / 2.0 + 4);
    fl_html(out, "$</title>$</text>\n", b->service, shown);
}

/* Arrow heads have a colour of their own, as lines do. */
static void put_drawing(fl_buf *out, drawing *d)
{
    unsigned most = 1;
    for (size_t i = 0; i < COLUMNS; i++)
        most = d->rows[i] > most ? d->rows[i] : most;
    int width = (d->last - d->first) * COLUMN_WIDTH + BOX_WIDTH + 8;
    fl_html(
        out,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Picture of the calls "
        "around $\">",
        d->boxes[0].service);
    fl_buf_printf(out,
                  "<svg class=\"calls\" width=\"%d\" height=\"%u\" viewBox=\"0 0 %d %u\" "
                  "aria-hidden=\"true\" focusable=\"false\"><defs>",
                  width, 2 * TOP + most * ROW_HEIGHT, width, 2 * TOP + most * ROW_HEIGHT);
    for (size_t i = 0; i < sizeof(change_names) / sizeof(change_names[0]); i++)
        fl_html(out,
                "<marker id=\"head-$\" class=\"$\" viewBox=\"0 0 8 8\" refX=\"6\" refY=\"4\" "
                "markerWidth=\"7\" markerHeight=\"7\" markerUnits=\"userSpaceOnUse\" "
                "orient=\"auto\"><path d=\"M0 0l8 4l-8 4z\"/></marker>",
                change_names[i], change_names[i]);
    fl_buf_text(out, "</defs>\n");
    for (size_t i = d->picture->call_count; i-- > 0;) /* what changed most lies on top */
        put_edge(out, d, &d->picture->calls[i]);
    for (size_t i = 0; i < d->count; i++)
        put_box(out, d, &d->boxes[i]);
    fl_buf_text(out, "</svg></div>\n");
}

/* A cell of before and during. */
static void put_pair(fl_buf *out, double before, double during, const char *unit)
{
    char a[FL_AMOUNT_TEXT], b[FL_AMOUNT_TEXT];
    fl_html(out, "<td>$ \xE2\x86\x92 $</td>", fl_amount(a, before, unit),
            fl_amount(b, during, unit));
}

/* For those who do not see the picture, and for numbers. */
static void put_table(fl_buf *out, const fl_picture *picture)
{
    char count[FL_COUNT_TEXT];
    fl_html(
        out,
        "<details><summary>All $ calls as a table</summary><div class=\"scroll\" tabindex=\"0\" "
        "role=\"region\" aria-label=\"Table of calls\"><table class=\"call-table\">"
        "<thead><tr><th scope=\"col\">Caller</th><th scope=\"col\">Callee</th>"
        "<th scope=\"col\">What changed</th><th scope=\"col\">Calls a minute</th>"
        "<th scope=\"col\">Errors, %</th><th scope=\"col\">p50</th><th scope=\"col\">p99</th>"
        "<th scope=\"col\">On the way</th></tr></thead><tbody>\n",
        fl_page_count(count, picture->call_count));
    for (size_t i = 0; i < picture->call_count; i++) {
        const fl_picture_call *call = &picture->calls[i];
        const fl_picture_side *a = &call->before, *b = &call->during;
        const char *name = change_names[change_of(call)];
        fl_html(out, "<tr><td>$</td><td>$</td><td class=\"$\">$</td>", call->caller, call->callee,
                name, call->is_traced ? name : "not traced");
        put_pair(out, a->per_minute, b->per_minute, NULL);
        put_pair(out, 100 * error_share(a), 100 * error_share(b), NULL);
        put_pair(out, a->p50_ms, b->p50_ms, "ms");
        put_pair(out, a->p99_ms, b->p99_ms, "ms");
        put_pair(out, a->gap_ms, b->gap_ms, "ms");
        fl_buf_text(out, "</tr>\n");
    }
    fl_buf_text(out, "</tbody></table></div></details>\n");
}

/* Around the first hypothesis; without one there is nothing to stand in the middle. */
void web_put_calls(fl_buf *out, const web_case *of)
{
    const fl_incident *incident = of->incident;
    drawing d = {.picture = of->picture};
    if (of->picture == NULL || of->picture->call_count == 0 || incident->hypothesis_count == 0 ||
        incident->hypotheses[0].service == NULL)
        return;
    place_all(&d, incident->hypotheses[0].service);
    fl_buf_text(out, "<section aria-labelledby=\"calls\"><h2 id=\"calls\">Calls around the cause"
                     "</h2>\n");
    if (d.count > 1)
        put_drawing(out, &d);
    if (d.is_cut)
        fl_buf_text(out, "<p class=\"dim\">Some services are not drawn; the table has all calls."
                         "</p>\n");
    put_table(out, of->picture);
    fl_buf_text(out, "</section>\n");
}
