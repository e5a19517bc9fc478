/*
 * class_growth.c - each class of the last histogram, looked up in those before.
 */
#include "class_growth.h"

#include <assert.h>

#include "search.h"

static uint64_t class_of_cell(const void *cells, size_t i)
{
    return ((const fl_class_cell *)cells)[i].class_id;
}

/* The class at one moment; nothing of it where it is missing. */
static fl_class_cell cell_of(const fl_class_snapshot *snapshot, uint32_t class_id)
{
    size_t low = fl_search_first(snapshot->cells, snapshot->count, class_of_cell, class_id);
    if (low < snapshot->count && snapshot->cells[low].class_id == class_id)
        return snapshot->cells[low];
    return (fl_class_cell){.class_id = class_id};
}

/* Most steps go up, and what was reached by two thirds of the series is passed by its end. */
static bool rises_to_the_end(fl_class_growth *growth, const fl_class_snapshot *series, size_t count)
{
    uint64_t before = 0, late = 0;
    assert(count >= 2);
    for (size_t i = 0; i < count; i++) {
        uint64_t now = cell_of(&series[i], growth->class_id).instances;
        growth->rises += i > 0 && now > before;
        if (i + 1 < count && i <= 2 * (count - 1) / 3)
            late = now > late ? now : late;
        before = now;
    }
    return (double)growth->rises >= FL_CLASS_GROWTH_RISES * (double)(count - 1) && before > late;
}

/* A class that grew by itself, or with `lead`, whose growth is large (NULL: there is none). */
static bool take(fl_class_growth *out, const fl_class_snapshot *series, size_t count,
                 const fl_class_cell *last, const fl_class_growth *lead)
{
    fl_class_cell first = cell_of(&series[0], last->class_id);
    double risen = (double)last->bytes - (double)first.bytes;
    *out = (fl_class_growth){.class_id = last->class_id,
                             .first_instances = first.instances,
                             .last_instances = last->instances,
                             .first_bytes = first.bytes,
                             .last_bytes = last->bytes};
    double more = (double)last->instances - (double)first.instances;
    double led = lead != NULL ? (double)lead->last_instances - (double)lead->first_instances : 0;
    bool is_large = risen >= FL_CLASS_GROWTH_SHARE * (double)series[count - 1].bytes;
    bool is_company = led > 0 && more >= FL_CLASS_GROWTH_COMPANY * led;
    return (is_large || is_company) &&
           (double)last->bytes >= FL_CLASS_GROWTH_RATIO * (double)first.bytes &&
           rises_to_the_end(out, series, count);
}

static uint64_t rise(const fl_class_growth *growth)
{
    return growth->last_bytes - growth->first_bytes;
}

/* Into the order of rises; of equal ones the class that came first stays in front. */
static size_t put(fl_class_growth *out, size_t most, size_t found, const fl_class_growth *here)
{
    size_t at = found;
    while (at > 0 && rise(&out[at - 1]) < rise(here))
        at--;
    if (at == most)
        return found;
    size_t end = found < most ? found + 1 : most;
    for (size_t i = end - 1; i > at; i--)
        out[i] = out[i - 1];
    out[at] = *here;
    return end;
}

size_t fl_class_growth_find(fl_class_growth *out, size_t most, const fl_class_snapshot *series,
                            size_t count)
{
    assert(count >= 2 && most > 0);
    const fl_class_snapshot *last = &series[count - 1];
    fl_class_growth here, lead;
    size_t found = 0;
    bool has_lead = false;
    for (size_t i = 0; i < last->count; i++)
        if (take(&here, series, count, &last->cells[i], NULL) &&
            (!has_lead || rise(&here) > rise(&lead))) {
            lead = here;
            has_lead = true;
        }
    for (size_t i = 0; has_lead && i < last->count; i++)
        if (take(&here, series, count, &last->cells[i], &lead))
            found = put(out, most, found, &here);
    return found;
}
