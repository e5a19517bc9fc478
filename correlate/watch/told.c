/*
 * told.c - one entry for each series, and one for each sender and metric that says when it was
 * heard.
 *
 * Invariant: index maps a series' key to its place in series[]; places are dense, so that those not
 * heard for long can be let go by moving the rest together.
 */
#include "told.h"

#include <assert.h>
#include <math.h>

#include "hash.h"
#include "map.h"
#include "mem.h"

typedef struct series {
    uint64_t key;
    int64_t heard_ns, before_ns; /* the newest point, and the moment before it */
    int64_t base_ns;             /* of what the next rise is against; 0: nothing */
    double base_count, base_sum;
    int64_t count_ns, sum_ns; /* of what waits for its other half */
    double count, sum;
} series;

struct fl_told {
    fl_map *index;
    series *series;
    size_t count;
    int64_t newest_ns;
    int64_t swept_ns; /* when the newest point was so old, there was no more to let go */
    uint64_t crowded;
};

fl_status fl_told_create(fl_told **out, fl_error *err)
{
    *out = NULL;
    fl_told *made = fl_mem_calloc(1, sizeof(*made));
    if (made == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET,
                       "no memory for requests that metrics tell of");
    fl_status status = fl_map_create(&made->index, FL_MAX_TOLD_SERIES, err);
    made->series = fl_mem_calloc(FL_MAX_TOLD_SERIES, sizeof(series));
    if (status == FL_OK && made->series == NULL)
        status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for series of requests");
    if (status != FL_OK) {
        fl_told_destroy(made);
        return status;
    }
    *out = made;
    return FL_OK;
}

void fl_told_destroy(fl_told *told)
{
    if (told == NULL)
        return;
    fl_map_destroy(told->index);
    fl_mem_free(told->series);
    fl_mem_free(told);
}

uint64_t fl_told_crowded(const fl_told *told)
{
    return told->crowded;
}

/* ---- series ---- */

/* Labels in any order, by a hash that strangers cannot aim: two series that fell together would add
 * up to nonsense. */
static uint64_t key_of(const fl_told_point *in, const fl_attrs *attrs)
{
    uint64_t key = fl_hash_mix((uint64_t)in->sender << 8 | in->metric);
    if (attrs == NULL)
        return key;
    for (size_t i = 0; i < attrs->count; i++) {
        const fl_value *value = &attrs->items[i].value;
        uint64_t own =
            value->text.len > 0 ? fl_hash_keyed(value->text) : fl_hash_mix((uint64_t)value->number);
        key += fl_hash_mix(fl_hash_keyed(attrs->items[i].key) ^ fl_hash_mix(own));
    }
    return fl_hash_mix(key ^ 1);
}

/* What was not heard for as long as a rise may last would be met as a stranger anyway. */
static fl_status let_go(fl_told *told, fl_error *err)
{
    size_t kept = 0;
    for (size_t i = 0; i < told->count; i++)
        if (told->newest_ns - told->series[i].heard_ns <= FL_MAX_RISE_NS)
            told->series[kept++] = told->series[i];
    told->count = kept;
    told->swept_ns = told->newest_ns;
    fl_map_clear(told->index);
    fl_status status = FL_OK;
    for (size_t i = 0; i < kept && status == FL_OK; i++) {
        uint64_t *slot;
        status = fl_map_slot(&slot, told->index, told->series[i].key, NULL, err);
        if (status == FL_OK)
            *slot = i;
    }
    return status;
}

/* *out NULL: there is no room. */
static fl_status find(series **out, fl_told *told, uint64_t key, fl_error *err)
{
    uint64_t *slot = fl_map_find(told->index, key);
    *out = slot != NULL ? &told->series[*slot] : NULL;
    if (slot != NULL)
        return FL_OK;
    if (told->count == FL_MAX_TOLD_SERIES && told->newest_ns - told->swept_ns > FL_MAX_RISE_NS) {
        fl_status status = let_go(told, err);
        if (status != FL_OK)
            return status;
    }
    if (told->count == FL_MAX_TOLD_SERIES)
        return FL_OK;
    fl_status status = fl_map_slot(&slot, told->index, key, NULL, err);
    if (status != FL_OK)
        return status;
    *slot = told->count;
    *out = &told->series[told->count++];
    **out = (series){.key = key};
    return FL_OK;
}

/* The moments at which it was heard, so that what is new can be told to be new. */
static void hear(series *s, int64_t time_ns)
{
    if (time_ns <= s->heard_ns)
        return;
    s->before_ns = s->heard_ns;
    s->heard_ns = time_ns;
}

/* ---- rises ---- */

/* The halves of a histogram's moment. False: the other one has not come. */
static bool take_halves(series *s, const fl_told_point *in)
{
    const fl_point *point = in->point;
    bool is_half = point->kind == FL_POINT_PART;
    if (point->kind == FL_POINT_SUM) {
        s->count = point->value;
        s->sum = NAN;
        return true;
    }
    if (!is_half) {
        s->count = (double)point->count;
        s->sum = point->sum * in->ms_per_unit;
        return true;
    }
    if (point->part == FL_PART_COUNT) {
        s->count = point->value;
        s->count_ns = point->time_ns;
    } else {
        s->sum = point->value * in->ms_per_unit;
        s->sum_ns = point->time_ns;
    }
    return s->count_ns == s->sum_ns;
}

/* What came in an interval of its own, as OTLP's deltas do. */
static bool take_delta(fl_rise *rise, const series *s, const fl_point *point)
{
    *rise = (fl_rise){point->start_ns, point->time_ns, s->count, s->sum};
    return point->start_ns > 0 && point->start_ns < point->time_ns &&
           point->time_ns - point->start_ns <= FL_MAX_RISE_NS;
}

/* Against what it was; a new one of a sender that was heard before, against nothing. A point that
 * comes late was counted by the next one; where the past is told again, all begins anew. */
static bool take_total(fl_rise *rise, series *s, int64_t time_ns, int64_t since_ns)
{
    if (time_ns <= s->base_ns && s->base_ns - time_ns <= FL_MAX_RISE_NS)
        return false;
    bool is_first = s->base_ns == 0;
    int64_t from = is_first ? since_ns : s->base_ns;
    double count = is_first ? 0 : s->base_count, sum = is_first ? 0 : s->base_sum;
    if (s->count < count) /* the process began again; what it counted before that is lost */
        count = sum = 0;
    *rise = (fl_rise){from, time_ns, s->count - count, s->sum - sum};
    bool is_known = from != 0 && from < time_ns && time_ns - from <= FL_MAX_RISE_NS;
    s->base_ns = time_ns;
    s->base_count = s->count;
    s->base_sum = s->sum;
    return is_known;
}

fl_status fl_told_take(bool *is_risen, fl_rise *rise, fl_told *told, const fl_told_point *in,
                       fl_error *err)
{
    series *s, *all;
    const fl_point *point = in->point;
    int64_t time_ns = point->time_ns;
    *is_risen = false;
    told->newest_ns = time_ns > told->newest_ns ? time_ns : told->newest_ns;
    fl_status status = find(&all, told, key_of(in, NULL), err);
    /* Its place may move when the other is made: what is known of it is taken first. */
    if (status == FL_OK && all != NULL)
        hear(all, time_ns);
    int64_t since_ns = all == NULL ? 0 : all->heard_ns < time_ns ? 0 : all->before_ns;
    if (status == FL_OK)
        status = find(&s, told, key_of(in, &point->attrs), err);
    if (status != FL_OK)
        return status;
    if (s == NULL) {
        told->crowded++;
        return FL_OK;
    }
    hear(s, time_ns);
    if (!take_halves(s, in))
        return FL_OK;
    bool is_delta = point->temporality == FL_TEMPORALITY_DELTA && point->kind != FL_POINT_PART;
    *is_risen = is_delta ? take_delta(rise, s, point) : take_total(rise, s, time_ns, since_ns);
    *is_risen = *is_risen && isfinite(rise->requests) && rise->requests >= 0;
    if (*is_risen && !(rise->ms >= 0))
        rise->ms = NAN;
    return FL_OK;
}
