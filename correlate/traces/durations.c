/*
 * durations.c - time as logarithms, a median per window: self time per operation, wire time per
 * pair of services. Streams that the budget has no room for are left out, the shortest first.
 * Half a millisecond is added, so that a tenfold change of microseconds is small.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "faultline/limits.h"
#include "lbf.h"
#include "streams_priv.h"

#define OFFSET_MS 0.5

struct measure {
    uint64_t
        stream; /* SELF: operation; TOTAL: 1 << 62 | it; WIRE: 1 << 63 | caller << 32 | callee */
    uint32_t window;
    double value;
};

#define WIRE_BIT  (UINT64_C(1) << 63)
#define TOTAL_BIT (UINT64_C(1) << 62)

static double log_ms(int64_t ns)
{
    return log(OFFSET_MS + (double)(ns > 0 ? ns : 0) / 1e6);
}

/* Duration without the union of the children's intervals, which come sorted by start. */
static int64_t self_ns(const struct forest *forest, uint32_t span)
{
    assert(forest->timeline->spans[span].duration_ns >= 0);
    const fl_timeline *t = forest->timeline;
    const fl_span_row *row = &t->spans[span];
    int64_t end = row->start_ns + row->duration_ns, covered = row->start_ns,
            self = row->duration_ns;
    for (uint32_t i = forest->first_child[span]; i < forest->first_child[span + 1]; i++) {
        const fl_span_row *child = &t->spans[forest->children[i]];
        if (child->duration_ns < 0)
            continue;
        int64_t from = child->start_ns > covered ? child->start_ns : covered;
        int64_t to = child->start_ns + child->duration_ns;
        to = to < end ? to : end;
        if (to > from) {
            self -= to - from;
            covered = to;
        }
    }
    return self;
}

static size_t measure_spans(struct measure *out, const struct forest *forest)
{
    const fl_timeline *t = forest->timeline;
    size_t count = 0;
    for (uint32_t i = 0; i < t->span_count; i++) {
        const fl_span_row *row = &t->spans[i];
        uint32_t server = fl_forest_server_of(forest, i);
        if (row->duration_ns < 0)
            continue;
        if (server != FL_NO_INDEX && t->spans[server].duration_ns >= 0)
            out[count++] = (struct measure){
                .stream = WIRE_BIT | (uint64_t)fl_service_of(t, i) << 32 | fl_service_of(t, server),
                .window = row->window,
                .value = log_ms(row->duration_ns - t->spans[server].duration_ns)};
        if (server != FL_NO_INDEX || forest->is_client[row->operation] != 0)
            continue;
        out[count++] = (struct measure){
            .stream = row->operation, .window = row->window, .value = log_ms(self_ns(forest, i))};
        if (forest->first_child[i] != forest->first_child[i + 1])
            out[count++] = (struct measure){.stream = TOTAL_BIT | row->operation,
                                            .window = row->window,
                                            .value = log_ms(row->duration_ns)};
    }
    return count;
}

static int compare_measures(const void *left, const void *right)
{
    const struct measure *a = left, *b = right;
    if (a->stream != b->stream)
        return a->stream < b->stream ? -1 : 1;
    if (a->window != b->window)
        return a->window < b->window ? -1 : 1;
    return (a->value > b->value) - (a->value < b->value);
}

static double median_of_sorted(const struct measure *m, size_t count)
{
    assert(count > 0);
    return count % 2 == 1 ? m[count / 2].value : (m[count / 2 - 1].value + m[count / 2].value) / 2;
}

/* One stream out of m[0..count), all of it the same stream. */
static fl_status fold(fl_value_stream *out, const struct measure *m, size_t count, size_t windows,
                      fl_arena *arena, fl_error *err)
{
    assert(count > 0);
    double *values, *counts;
    fl_status status = FL_STREAMS_NEW(arena, values, windows, "windows", err);
    if (status == FL_OK)
        status = FL_STREAMS_NEW(arena, counts, windows, "windows", err);
    if (status != FL_OK)
        return status;
    for (size_t w = 0; w < windows; w++)
        values[w] = NAN;
    for (size_t i = 0; i < count;) {
        size_t same = 1;
        while (i + same < count && m[i + same].window == m[i].window)
            same++;
        values[m[i].window] = median_of_sorted(&m[i], same);
        counts[m[i].window] = (double)same;
        i += same;
    }
    bool wire = (m[0].stream & WIRE_BIT) != 0;
    bool total = !wire && (m[0].stream & TOTAL_BIT) != 0;
    *out = (fl_value_stream){.kind = wire    ? FL_STREAM_WIRE
                                     : total ? FL_STREAM_TOTAL
                                             : FL_STREAM_SELF,
                             .operation = wire ? FL_NO_INDEX : (uint32_t)m[0].stream,
                             .caller =
                                 wire ? (uint32_t)((m[0].stream & ~WIRE_BIT) >> 32) : FL_NO_INDEX,
                             .callee = wire ? (uint32_t)m[0].stream : FL_NO_INDEX,
                             .values = values,
                             .counts = counts};
    return FL_OK;
}

static int compare_descending(const void *left, const void *right)
{
    size_t a = *(const size_t *)left, b = *(const size_t *)right;
    return (a < b) - (a > b);
}

/* How many measures a stream must have to be among the `most` longest of `distinct` ones, for which
 * sizes[] has room; all that are as long as the first that does not fit stay out with it. */
static size_t fewest_measures(size_t *sizes, const struct measure *m, size_t count, size_t distinct,
                              size_t most)
{
    size_t at = 0;
    if (distinct <= most)
        return 1;
    for (size_t i = 0; i < count; i++) {
        at += i > 0 && m[i - 1].stream != m[i].stream;
        sizes[at]++;
    }
    assert(at + 1 == distinct);
    qsort(sizes, distinct, sizeof(*sizes), compare_descending);
    return sizes[most] + 1;
}

fl_status fl_streams_values(fl_streams *out, const struct forest *forest, fl_arena *arena,
                            fl_error *err)
{
    const fl_timeline *t = forest->timeline;
    struct measure *m;
    fl_value_stream *streams;
    size_t *sizes;
    fl_status status = FL_STREAMS_NEW(arena, m, 2 * t->span_count, "durations", err);
    if (status != FL_OK)
        return status;
    size_t count = measure_spans(m, forest), distinct = 0, at = 0;
    qsort(m, count, sizeof(*m), compare_measures);
    for (size_t i = 0; i < count; i++)
        distinct += i == 0 || m[i - 1].stream != m[i].stream;
    status = FL_STREAMS_NEW(arena, streams, distinct, "durations", err);
    if (status == FL_OK)
        status = FL_STREAMS_NEW(arena, sizes, distinct, "durations", err);
    if (status != FL_OK)
        return status;
    size_t most = FL_MAX_STREAM_CELLS / (t->window_count > 0 ? t->window_count : 1);
    size_t fewest = fewest_measures(sizes, m, count, distinct, most);
    for (size_t i = 0; i < count && status == FL_OK;) {
        size_t same = 1;
        while (i + same < count && m[i + same].stream == m[i].stream)
            same++;
        if (same >= fewest)
            status = fold(&streams[at++], &m[i], same, t->window_count, arena, err);
        i += same;
    }
    out->values = streams;
    out->value_count = at;
    return status;
}
