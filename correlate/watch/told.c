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

/* A total at a moment; 0: none. */
typedef struct total {
    int64_t at_ns;
    double count, ms;
} total;

typedef struct series {
    uint64_t key;
    int64_t heard_ns, before_ns; /* the newest point, and the moment before it */
    total counted, timed;        /* what the next rises are against */
    int64_t count_ns, sum_ns;    /* of halves that wait for one another */
    double count, ms;
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
    key ^= fl_hash_mix((uint64_t)in->point->start_ns);
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

/* What came in an interval of its own, as OTLP's deltas do. */
static void take_delta(fl_told_rises *out, const fl_told_point *in)
{
    const fl_point *point = in->point;
    bool is_total = point->kind == FL_POINT_SUM;
    double count = is_total ? point->value : (double)point->count;
    double ms = is_total ? NAN : point->sum * in->ms_per_unit;
    bool is_known = point->start_ns > 0 && point->start_ns < point->time_ns &&
                    point->time_ns - point->start_ns <= FL_MAX_RISE_NS && isfinite(count) &&
                    count >= 0;
    out->counted = out->timed = (fl_rise){point->start_ns, point->time_ns, count, ms};
    out->is_counted = is_known;
    out->is_timed = is_known && isfinite(ms) && ms >= 0;
}

/* Against what it was; a new one of a sender that was heard before, against nothing. A point that
 * comes late was counted by the next one; where the past is told again, all begins anew. */
static bool rise(fl_rise *out, total *base, total now, int64_t since_ns)
{
    if (now.at_ns <= base->at_ns && base->at_ns - now.at_ns <= FL_MAX_RISE_NS)
        return false;
    total from = base->at_ns != 0 ? *base : (total){.at_ns = since_ns};
    if (now.count < from.count) /* the process began again; what it counted before that is lost */
        from = (total){.at_ns = from.at_ns};
    *out = (fl_rise){from.at_ns, now.at_ns, now.count - from.count, now.ms - from.ms};
    *base = now;
    return from.at_ns > 0 && from.at_ns < now.at_ns && now.at_ns - from.at_ns <= FL_MAX_RISE_NS &&
           isfinite(out->requests) && out->requests >= 0;
}

/* A count tells at once; of the time it took only what both halves of a moment tell. */
static void take_total(fl_told_rises *out, series *s, const fl_told_point *in, int64_t since_ns)
{
    const fl_point *point = in->point;
    int64_t at_ns = point->time_ns;
    bool is_part = point->kind == FL_POINT_PART, is_sum = is_part && point->part == FL_PART_SUM;
    if (!is_sum) {
        bool is_number = is_part || point->kind == FL_POINT_SUM;
        s->count = is_number ? point->value : (double)point->count;
        s->count_ns = at_ns;
        out->is_counted = rise(&out->counted, &s->counted, (total){at_ns, s->count, 0}, since_ns);
    }
    if (is_sum || (!is_part && point->kind != FL_POINT_SUM)) {
        s->ms = (is_sum ? point->value : point->sum) * in->ms_per_unit;
        s->sum_ns = at_ns;
    }
    if (s->count_ns != at_ns || s->sum_ns != at_ns)
        return;
    out->is_timed = rise(&out->timed, &s->timed, (total){at_ns, s->count, s->ms}, since_ns) &&
                    isfinite(out->timed.ms) && out->timed.ms >= 0;
}

/* Since when a series that is new has counted: since its sender was heard last, or as it says. 0:
 * that is not known. */
static int64_t since(const series *all, const fl_point *point)
{
    int64_t heard_ns = all == NULL ? 0 : all->heard_ns < point->time_ns ? 0 : all->before_ns;
    return heard_ns != 0 ? heard_ns : point->start_ns;
}

fl_status fl_told_take(fl_told_rises *out, fl_told *told, const fl_told_point *in, fl_error *err)
{
    series *s, *all;
    const fl_point *point = in->point;
    *out = (fl_told_rises){0};
    assert(point->time_ns > 0 && in->ms_per_unit >= 0);
    if (point->temporality == FL_TEMPORALITY_DELTA && point->kind != FL_POINT_PART) {
        take_delta(out, in);
        return FL_OK;
    }
    told->newest_ns = point->time_ns > told->newest_ns ? point->time_ns : told->newest_ns;
    fl_status status = find(&all, told, key_of(in, NULL), err);
    /* Its place may move when the other is made: what is known of it is taken first. */
    if (status == FL_OK && all != NULL)
        hear(all, point->time_ns);
    int64_t since_ns = status == FL_OK ? since(all, point) : 0;
    if (status == FL_OK)
        status = find(&s, told, key_of(in, &point->attrs), err);
    if (status != FL_OK)
        return status;
    if (s == NULL) {
        told->crowded++;
        return FL_OK;
    }
    hear(s, point->time_ns);
    take_total(out, s, in, since_ns);
    return FL_OK;
}
