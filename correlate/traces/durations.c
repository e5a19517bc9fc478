/*
 * durations.c - time as logarithms, a median per window: self time per operation, wire time per
 * pair of services. Streams that the budget has no room for are left out, the shortest first.
 * Half a millisecond is added, so that a tenfold change of microseconds is small.
 *
 * Each (stream, window) is a cell. The spans are read three times: to see how long each stream is,
 * to count each cell's durations, and to put them side by side, where the median is selected; only
 * medians become logarithms.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/limits.h"
#include "sort.h"
#include "streams_priv.h"

enum kind { SELF, TOTAL, WIRE, KINDS };

/* What of a span is measured, kept small since it is read three times. */
struct measured {
    uint32_t streams[KINDS], window;
};

/* All streams that there could be are numbered in the order in which they are listed: the self
 * times by operation, the totals likewise, then the wires by edge. */
struct cells {
    const struct forest *forest;
    size_t stream_count;
    struct measured *spans;
    uint32_t *place; /* of a stream among those that are kept, or FL_NO_INDEX */
    size_t kept;
    uint32_t *counts; /* kept x windows; then where each cell ends in `values` */
    double *values;   /* ns, by cell */
    fl_arena scratch;
};

/* The streams that a span has a duration for, by kind; FL_NO_INDEX where it has none. A client's
 * time is its wire and its server's. */
static void streams_of(uint32_t out[KINDS], const struct cells *c, uint32_t span)
{
    const struct forest *forest = c->forest;
    const fl_timeline *t = forest->timeline;
    const fl_span_row *row = &t->spans[span];
    uint32_t server = forest->server[span], operations = (uint32_t)t->operation_count;
    out[SELF] = out[TOTAL] = out[WIRE] = FL_NO_INDEX;
    if (row->duration_ns < 0)
        return;
    if (server != FL_NO_INDEX && t->spans[server].duration_ns >= 0) {
        assert(forest->edge_of[server] < forest->edge_count);
        out[WIRE] = 2 * operations + forest->edge_of[server];
    }
    if (server != FL_NO_INDEX || forest->is_client[row->operation] != 0)
        return;
    out[SELF] = row->operation;
    if (forest->first_child[span] != forest->first_child[span + 1])
        out[TOTAL] = operations + row->operation;
}

/* Never below 0, though the clock of a server may have run faster than its client's. */
static int64_t duration_ns(const struct cells *c, enum kind kind, uint32_t span)
{
    const fl_span_row *spans = c->forest->timeline->spans;
    int64_t elsewhere = kind == WIRE ? spans[c->forest->server[span]].duration_ns : 0;
    int64_t ns = kind == SELF ? fl_span_self_ns(c->forest->timeline, c->forest->children,
                                                c->forest->first_child, span)
                              : spans[span].duration_ns - elsewhere;
    return ns > 0 ? ns : 0;
}

static int compare_descending(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a < b) - (a > b);
}

/* How many durations a stream must have to be among the `most` longest; all that are as long as the
 * first that does not fit stay out with it. Reorders `sizes`. */
static uint32_t fewest_durations(uint32_t *sizes, size_t count, size_t most)
{
    qsort(sizes, count, sizeof(*sizes), compare_descending);
    return most < count ? sizes[most] + 1 : 1;
}

/* Keep the streams that have durations, as far as there is room for their cells. */
static fl_status choose_streams(struct cells *c, fl_error *err)
{
    const fl_timeline *t = c->forest->timeline;
    uint32_t *sizes;
    size_t most = FL_MAX_STREAM_CELLS / (t->window_count > 0 ? t->window_count : 1);
    fl_status status = FL_STREAMS_NEW(&c->scratch, c->place, c->stream_count, "durations", err);
    if (status == FL_OK)
        status = FL_STREAMS_NEW(&c->scratch, sizes, c->stream_count, "durations", err);
    if (status == FL_OK)
        status = FL_STREAMS_NEW(&c->scratch, c->spans, t->span_count, "spans", err);
    if (status != FL_OK)
        return status;
    for (uint32_t i = 0; i < t->span_count; i++) {
        struct measured *m = &c->spans[i];
        streams_of(m->streams, c, i);
        m->window = t->spans[i].window;
        for (size_t k = 0; k < KINDS; k++)
            if (m->streams[k] != FL_NO_INDEX)
                c->place[m->streams[k]]++;
    }
    memcpy(sizes, c->place, c->stream_count * sizeof(*sizes));
    uint32_t fewest = fewest_durations(sizes, c->stream_count, most);
    for (size_t i = 0; i < c->stream_count; i++)
        c->place[i] = c->place[i] >= fewest ? (uint32_t)c->kept++ : FL_NO_INDEX;
    return FL_OK;
}

/* Count the durations of each cell, or put them there. */
static void visit_cells(struct cells *c, bool put)
{
    const fl_timeline *t = c->forest->timeline;
    for (uint32_t i = 0; i < t->span_count; i++) {
        const struct measured *m = &c->spans[i];
        for (size_t k = 0; k < KINDS; k++) {
            if (m->streams[k] == FL_NO_INDEX || c->place[m->streams[k]] == FL_NO_INDEX)
                continue;
            uint32_t *cell = &c->counts[c->place[m->streams[k]] * t->window_count + m->window];
            if (put)
                c->values[*cell] = (double)duration_ns(c, (enum kind)k, i);
            ++*cell;
        }
    }
}

/* Counts become places: first where each cell begins, and when all is put where it ends. */
static fl_status fill_cells(struct cells *c, fl_error *err)
{
    size_t cells = c->kept * c->forest->timeline->window_count;
    uint32_t count = 0;
    fl_status status = FL_STREAMS_NEW(&c->scratch, c->counts, cells, "durations", err);
    if (status != FL_OK)
        return status;
    visit_cells(c, false);
    for (size_t i = 0; i < cells; i++) {
        uint32_t here = c->counts[i];
        c->counts[i] = count;
        count += here;
    }
    status = FL_STREAMS_NEW(&c->scratch, c->values, count, "durations", err);
    if (status == FL_OK)
        visit_cells(c, true);
    return status;
}

static double log_median(double *ns, size_t count)
{
    double upper = fl_log_ms(fl_select(ns, count, count / 2));
    if (count % 2 == 1)
        return upper;
    double below = ns[0];
    for (size_t i = 1; i < count / 2; i++)
        below = ns[i] > below ? ns[i] : below;
    return (fl_log_ms(below) + upper) / 2;
}

static void describe(fl_value_stream *out, const struct cells *c, size_t stream)
{
    size_t operations = c->forest->timeline->operation_count;
    *out =
        (fl_value_stream){.operation = FL_NO_INDEX, .caller = FL_NO_INDEX, .callee = FL_NO_INDEX};
    if (stream < 2 * operations) {
        out->kind = stream < operations ? FL_STREAM_SELF : FL_STREAM_TOTAL;
        out->operation = (uint32_t)(stream % operations);
        return;
    }
    out->kind = FL_STREAM_WIRE;
    out->caller = (uint32_t)(c->forest->edges[stream - 2 * operations] >> 32);
    out->callee = (uint32_t)c->forest->edges[stream - 2 * operations];
}

/* The medians of one stream, whose cells begin at *first of the values; leaves *first behind them.
 */
static fl_status fold(fl_value_stream *out, struct cells *c, size_t stream, uint32_t *first,
                      fl_arena *arena, fl_error *err)
{
    size_t windows = c->forest->timeline->window_count;
    const uint32_t *ends = c->counts + c->place[stream] * windows;
    double *values, *counts;
    fl_status status = FL_STREAMS_NEW(arena, values, windows, "windows", err);
    if (status == FL_OK)
        status = FL_STREAMS_NEW(arena, counts, windows, "windows", err);
    if (status != FL_OK)
        return status;
    for (size_t w = 0; w < windows; w++) {
        uint32_t count = ends[w] - *first;
        counts[w] = count;
        values[w] = count > 0 ? log_median(c->values + *first, count) : NAN;
        *first = ends[w];
    }
    describe(out, c, stream);
    out->values = values;
    out->counts = counts;
    return FL_OK;
}

fl_status fl_streams_values(fl_streams *out, const struct forest *forest, fl_arena *arena,
                            fl_error *err)
{
    struct cells c = {.forest = forest,
                      .stream_count = 2 * forest->timeline->operation_count + forest->edge_count,
                      .scratch = fl_arena_of(FL_MAX_STREAMS_BYTES)};
    fl_value_stream *streams;
    uint32_t first = 0;
    fl_status status = choose_streams(&c, err);
    if (status == FL_OK)
        status = fill_cells(&c, err);
    if (status == FL_OK)
        status = FL_STREAMS_NEW(arena, streams, c.kept, "durations", err);
    for (size_t i = 0; i < c.stream_count && status == FL_OK; i++)
        if (c.place[i] != FL_NO_INDEX)
            status = fold(&streams[c.place[i]], &c, i, &first, arena, err);
    fl_arena_dispose(&c.scratch);
    if (status != FL_OK)
        return status;
    out->values = streams;
    out->value_count = c.kept;
    return FL_OK;
}
