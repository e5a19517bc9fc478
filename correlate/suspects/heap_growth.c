/*
 * heap_growth.c - rows of the last dump, each with its row in the dumps before; what rose, and what
 * was filled by it.
 */
#include "heap_growth.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

/* The dumps that are compared, and where each row of the last one stands in those before. */
typedef struct compare {
    const fl_heap_paths *const *series;
    size_t count;      /* of dumps */
    size_t rows;       /* of the last */
    uint32_t *matched; /* [dump][row]; FL_HEAP_NONE: it is not there */
} compare;

/* A row of the last dump, which all others are compared with. */
static const fl_heap_path *last_at(const compare *c, size_t row)
{
    return fl_heap_paths_at(c->series[c->count - 1], row);
}

/* The same row in an earlier dump; NULL: it is not there. */
static const fl_heap_path *earlier_at(const compare *c, size_t dump, size_t row)
{
    assert(dump < c->count && row < c->rows);
    if (dump == c->count - 1)
        return last_at(c, row);
    uint32_t at = c->matched[dump * c->rows + row];
    return at != FL_HEAP_NONE ? fl_heap_paths_at(c->series[dump], at) : NULL;
}

/* How many rows before this one have its parent and its label: classes of one name have several
 * loaders. */
static size_t twins_before(const fl_heap_paths *paths, size_t row)
{
    const fl_heap_path *here = fl_heap_paths_at(paths, row);
    size_t twins = 0;
    for (size_t i = 0; i < row; i++) {
        const fl_heap_path *other = fl_heap_paths_at(paths, i);
        twins += other->parent == here->parent && strcmp(other->label, here->label) == 0;
    }
    return twins;
}

/* Of twins the one with the same number. A class is itself wherever it hangs: on its loader, or on
 * the roots where it stands in for those of a cut dump. */
uint32_t fl_heap_growth_match(const fl_heap_paths *before, uint32_t parent,
                              const fl_heap_paths *last, size_t at)
{
    size_t count = fl_heap_paths_count(before), twins = twins_before(last, at);
    const fl_heap_path *row = fl_heap_paths_at(last, at);
    for (size_t i = parent + (size_t)1; i < count && parent != FL_HEAP_NONE; i++) {
        const fl_heap_path *other = fl_heap_paths_at(before, i);
        if (other->parent == parent && strcmp(other->label, row->label) == 0 && twins-- == 0)
            return (uint32_t)i;
    }
    for (size_t i = 1; i < count && row->meant != FL_HEAP_NONE; i++) {
        const fl_heap_path *other = fl_heap_paths_at(before, i);
        if (other->meant != FL_HEAP_NONE && other->parent != parent &&
            strcmp(other->label, row->label) == 0)
            return (uint32_t)i;
    }
    return FL_HEAP_NONE;
}

/* Parents come first: their rows are known when those of their children are asked for. */
static void match_all(compare *c)
{
    for (size_t dump = 0; dump + 1 < c->count; dump++) {
        uint32_t *matched = c->matched + dump * c->rows;
        for (size_t row = 1; row < c->rows; row++)
            matched[row] = fl_heap_growth_match(c->series[dump], matched[last_at(c, row)->parent],
                                                c->series[c->count - 1], row);
    }
}

/* By how much more a row retains than in the first dump; all of it where it is new. */
static double rise_of(const compare *c, size_t row)
{
    const fl_heap_path *was = earlier_at(c, 0, row);
    return (double)last_at(c, row)->retained_bytes -
           (was != NULL ? (double)was->retained_bytes : 0);
}

/* Whether most of a row's rise is that of one row below, which then tells more. */
static bool is_below(const compare *c, size_t row)
{
    double rise = rise_of(c, row);
    for (size_t i = row + 1; i < c->rows; i++)
        if (last_at(c, i)->parent == row && rise_of(c, i) >= FL_HEAP_PATHS_DROP * rise)
            return true;
    return false;
}

/* Upwards to the first row of which there are as many as before: what is filled, not what fills.
 * Where that is the whole heap, what hangs on the roots is it if each of its objects is a root by
 * nature (threads), or it is known who refers to it. */
static size_t container_of(bool *is_crowd, const compare *c, size_t row)
{
    size_t top = row;
    *is_crowd = false;
    while (last_at(c, row)->depth > 0) {
        const fl_heap_path *was = earlier_at(c, 0, row);
        if (was != NULL && last_at(c, row)->objects <= was->objects)
            return row;
        top = row;
        row = last_at(c, row)->parent;
    }
    *is_crowd = true;
    return last_at(c, top)->is_thread || last_at(c, top)->holder != NULL ? top : 0;
}

/* Whether the container kept more in each dump than in the one before. */
static bool grows_always(fl_heap_growth *growth, const compare *c)
{
    for (size_t dump = 0; dump < c->count; dump++) {
        const fl_heap_path *here = earlier_at(c, dump, growth->container);
        growth->bytes[dump] = here != NULL ? here->retained_bytes : 0;
        if (dump > 0 && growth->bytes[dump] <= growth->bytes[dump - 1])
            return false;
    }
    return true;
}

/* What a row says of its container: at least so much of the heap more, in each dump more. */
static bool take_growth(fl_heap_growth *out, const compare *c, size_t row)
{
    double risen = rise_of(c, row);
    double least = FL_HEAP_GROWTH_SHARE * (double)last_at(c, 0)->retained_bytes;
    if (risen < least || is_below(c, row))
        return false;
    const fl_heap_path *was = earlier_at(c, 0, row);
    *out = (fl_heap_growth){
        .row = row,
        .before_objects = was != NULL ? was->objects : 0,
        .after_objects = last_at(c, row)->objects,
        .rise_bytes = (uint64_t)risen,
    };
    out->container = container_of(&out->is_crowd, c, row);
    if (out->container == 0 || !grows_always(out, c))
        return false;
    out->before_bytes = out->bytes[0];
    out->after_bytes = out->bytes[c->count - 1];
    return (double)out->after_bytes >= FL_HEAP_GROWTH_RATIO * (double)out->before_bytes;
}

/* Of the container; it grew, or there would be no growth. */
static uint64_t rise(const fl_heap_growth *growth)
{
    return growth->after_bytes - growth->before_bytes;
}

/* The largest first, then in the order of the rows: one order for one series. */
static int by_rise(const void *a, const void *b)
{
    const fl_heap_growth *left = a, *right = b;
    if (rise(left) != rise(right))
        return rise(left) < rise(right) ? 1 : -1;
    return (left->row > right->row) - (left->row < right->row);
}

/* In place of a smaller one of the same container, or of the smallest where there is no room. */
static size_t keep(fl_heap_growth *out, size_t most, size_t found, const fl_heap_growth *here)
{
    size_t least = 0;
    for (size_t i = 0; i < found; i++)
        if (out[i].container == here->container) {
            if (out[i].rise_bytes < here->rise_bytes)
                out[i] = *here;
            return found;
        }
    if (found < most) {
        out[found] = *here;
        return found + 1;
    }
    for (size_t i = 1; i < found; i++)
        if (rise(&out[i]) < rise(&out[least]))
            least = i;
    if (rise(&out[least]) < rise(here))
        out[least] = *here;
    return found;
}

fl_status fl_heap_growth_find(size_t *found, fl_heap_growth *out, size_t most,
                              const fl_heap_paths *const *series, size_t count, fl_error *err)
{
    assert(most > 0 && count >= 2 && count <= FL_HEAP_MAX_DUMPS);
    compare c = {.series = series, .count = count};
    c.rows = fl_heap_paths_count(series[count - 1]);
    c.matched = fl_mem_calloc((count - 1) * c.rows, sizeof(*c.matched));
    *found = 0;
    if (c.matched == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for what grew in the heap");
    match_all(&c);
    for (size_t row = 1; row < c.rows; row++) {
        fl_heap_growth here;
        if (take_growth(&here, &c, row))
            *found = keep(out, most, *found, &here);
    }
    fl_mem_free(c.matched);
    if (*found > 1)
        qsort(out, *found, sizeof(*out), by_rise);
    return FL_OK;
}

/* Where statics of one class hold something together, the one that keeps most besides. */
static const char *heaviest_static(const fl_heap_paths *last, size_t row)
{
    const fl_heap_path *best = NULL;
    if (fl_heap_paths_at(last, row)->meant == FL_HEAP_NONE)
        return NULL;
    for (size_t i = row + 1; i < fl_heap_paths_count(last); i++) {
        const fl_heap_path *here = fl_heap_paths_at(last, i);
        if (here->parent == row && here->holder != NULL &&
            (best == NULL || here->retained_bytes > best->retained_bytes))
            best = here;
    }
    return best != NULL ? best->holder : NULL;
}

/* A field below the container is one of those that fill it, and stands in for none above. */
const char *fl_heap_growth_holder(const char **field, const fl_heap_paths *last,
                                  const fl_heap_growth *growth)
{
    const char *nearest = NULL, *below = NULL, *holder = fl_heap_paths_holder(last, growth->row);
    bool is_above = false, has_static = false;
    for (size_t row = growth->row; row != FL_HEAP_NONE; row = fl_heap_paths_at(last, row)->parent) {
        const fl_heap_path *here = fl_heap_paths_at(last, row);
        is_above |= row == growth->container;
        if (here->field != NULL && is_above && nearest == NULL)
            nearest = here->field;
        else if (here->field != NULL && !is_above)
            below = here->field;
        has_static |= here->holder != NULL;
        if (has_static)
            break;
    }
    *field = has_static ? nearest : NULL;
    const char *together = has_static ? NULL : heaviest_static(last, growth->container);
    if (together != NULL)
        return together;
    if (has_static)
        return holder;
    return nearest != NULL ? nearest : below != NULL ? below : holder;
}
