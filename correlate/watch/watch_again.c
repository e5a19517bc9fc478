/*
 * watch_again.c - a watch that begins in the middle: the past is told to it again, and breaks that
 * were open go on.
 *
 * Cells know no order, so that the newest minutes can be told first and the rest as far as there is
 * time for; only a look would take a past that is half told for one that was half as busy.
 */
#include <assert.h>
#include <math.h>

#include "slice.h"
#include "watch_priv.h"

/* Links between spans wait up to a minute for their other halves, which here are long there. */
void fl_watch_pause(fl_watch *watch, bool is_paused)
{
    bool goes_on = watch->is_paused && !is_paused;
    watch->is_paused = is_paused;
    watch->paused_ns = 0; /* the next moment that is told */
    if (!goes_on)
        return;
    fl_told_destroy(watch->told_again);
    watch->told_again = NULL;
    fl_watch_turn(watch); /* twice: both generations of spans */
    fl_watch_turn(watch);
}

/* Of everybody: a part that is missing for one service is missing for all. Steps that are not kept
 * any more, or not yet, have nothing to forget. */
void fl_watch_forget(fl_watch *watch, int64_t from_ns, int64_t to_ns)
{
    int64_t oldest = watch->head_step - WATCH_STEPS + 1;
    int64_t from = from_ns / WATCH_STEP_NS, to = (to_ns - 1) / WATCH_STEP_NS;
    assert(from_ns < to_ns);
    from = from < oldest ? oldest : from;
    to = to > watch->head_step ? watch->head_step : to;
    for (int64_t step = from; step <= to; step++) {
        size_t at = (size_t)(step % WATCH_STEPS);
        for (size_t i = 0; i < watch->operation_count; i++)
            watch->operations[i]->cells[at] = (watch_cell){0};
        watch->points[at] = 0;
        watch->spans[at] = 0;
    }
}

/* The other way round than breaks.c tells a figure: latency over its usual one, requests as what
 * they lack. */
static double unfigure(fl_sign_kind kind, double figure)
{
    if (kind == FL_SIGN_LATENCY)
        return log(fmax(figure, 1e-3));
    return kind == FL_SIGN_TRAFFIC ? -log(fmax(figure, 0) + 0.5) : figure;
}

/* `usual` and `broken` are what the end is told by: half of the way back. An entry need not be
 * known as one yet; breaks.c follows whatever is open. Another daemon's break has an onset of its
 * own, and so a key of its own: of two of a service one is followed, which is this watch's. */
fl_status fl_watch_adopt(bool *is_followed, fl_watch *watch, const fl_sign *sign, fl_error *err)
{
    uint32_t number;
    *is_followed = false;
    assert(sign->kind != FL_SIGN_ALERT && (unsigned)sign->kind < FL_SIGN_KIND_COUNT);
    if (sign->service == NULL || !isfinite(sign->value) || !isfinite(sign->baseline))
        return FL_OK;
    fl_status status = fl_watch_service(&number, watch, fl_slice_of(sign->service), err);
    if (status != FL_OK || number == FL_NO_SERVICE)
        return status;
    watch_break *b = &watch->services[number].breaks[sign->kind];
    if (b->is_open || b->onset_ns >= sign->onset_ns) {
        *is_followed = b->is_open && b->onset_ns == sign->onset_ns;
        return FL_OK;
    }
    *is_followed = sign->cleared_ns == 0;
    *b = (watch_break){.is_open = sign->cleared_ns == 0,
                       .onset_ns = sign->onset_ns,
                       .cleared_ns = sign->cleared_ns,
                       .usual = unfigure(sign->kind, sign->baseline),
                       .broken = unfigure(sign->kind, sign->value)};
    return FL_OK;
}
