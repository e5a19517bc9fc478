/*
 * self_time.c - what a span spends itself. The union of the children's intervals is taken in one
 * pass, since they come sorted by start.
 */
#include <assert.h>
#include <math.h>

#include "streams.h"

/* Half a millisecond is added, so that a tenfold change of microseconds is small. */
#define OFFSET_MS 0.5

double fl_log_ms(double ns)
{
    assert(!(ns < 0));
    return log(OFFSET_MS + ns / 1e6);
}

int64_t fl_span_self_ns(const fl_timeline *t, const uint32_t *children, const uint32_t *first_child,
                        uint32_t span)
{
    assert(span < t->span_count && t->spans[span].duration_ns >= 0);
    const fl_span_row *row = &t->spans[span];
    int64_t end = row->start_ns + row->duration_ns, covered = row->start_ns,
            self = row->duration_ns;
    for (uint32_t i = first_child[span]; i < first_child[span + 1]; i++) {
        const fl_span_row *child = &t->spans[children[i]];
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
