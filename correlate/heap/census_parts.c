/*
 * census_parts.c - a census out of the parts of a dump, several at once by each thread.
 *
 * Names and classes come first and are read by one. Then each thread has as many parts in hand as
 * its source reads in turns, and takes the next one when it is through with one. It counts into
 * tallies of its own, which are added up at the end: sums and smallest distances do not depend on
 * who counted what. What does depend on the order is kept for each part: roots, dumps of classes,
 * votes, and its first and last object, since what the last one tells by its distance to the first
 * one of the next part is made up for at the end. A dump that has a class in its objects' part
 * which was not named before is read again, by one thread.
 *
 * Memory: 144 bytes a class and thread, 24 a root.
 */
#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "census_priv.h"
#include "mem.h"
#include "parallel.h"

/* Many, so that all threads end together; the last ones are not read in turns. */
enum { MOST_PARTS = 64, BATCH = 16 };
/* A thread is started in some 30 us, in which one that runs reads 100 KB. */
#define LEAST_PART_BYTES (UINT64_C(1) << 20)

/* What is of one part. */
typedef struct kept {
    fl_census census;
    fl_census_reading reading;
    fl_status status;
    fl_error err;
} kept;

/* A thread: its tallies and the parts that it has in hand. */
typedef struct worker {
    fl_census_counts counts;
    fl_heap_lane *lanes[FL_HEAP_LANES]; /* of `room`, in any order */
    size_t parts[FL_HEAP_LANES];        /* of lanes[i] */
    size_t count;
    fl_heap_lane room[FL_HEAP_LANES];
} worker;

typedef struct counting {
    fl_census *whole;
    fl_heap_source parts[MOST_PARTS];
    size_t part_count;
    atomic_size_t next; /* part that nobody has taken; part 0 has the names */
    kept *kept;         /* [part_count] */
    worker *workers[FL_MAX_PARALLEL];
    fl_status status[FL_MAX_PARALLEL]; /* of a worker that could not begin */
} counting;

/* A part shares the maps of the whole, which nobody changes meanwhile. */
static bool take_part(counting *c, worker *w, size_t lane)
{
    size_t part = atomic_fetch_add(&c->next, 1);
    if (part >= c->part_count)
        return false;
    const fl_heap_source *source = &c->parts[part];
    fl_census *census = &c->kept[part].census;
    census->is_part = true;
    census->id_bytes = c->whole->id_bytes;
    census->by_id = c->whole->by_id;
    census->count = c->whole->count;
    source->rewind(source->payload);
    w->parts[lane] = part;
    w->lanes[lane]->payload = source->payload;
    w->lanes[lane]->count = 0;
    w->lanes[lane]->is_stopped = true; /* a part begins with a record's head */
    return true;
}

/* What stopped a lane, read in the other way. False at the end of the part, and where it failed. */
static bool step_over(counting *c, worker *w, size_t lane)
{
    fl_heap_item items[BATCH];
    const fl_heap_source *source = &c->parts[w->parts[lane]];
    kept *to = &c->kept[w->parts[lane]];
    size_t count = source->read(source->payload, items, BATCH);
    if (count == 0)
        return false;
    to->status = fl_census_take(&to->census, &w->counts, &to->reading, items, count, &to->err);
    return to->status == FL_OK;
}

/* The last lane takes the place of one that has no part any more. */
static void drop_lane(worker *w, size_t lane)
{
    assert(lane < w->count);
    size_t last = --w->count;
    fl_heap_lane *dropped = w->lanes[lane];
    w->lanes[lane] = w->lanes[last];
    w->parts[lane] = w->parts[last];
    w->lanes[last] = dropped;
}

static void run(counting *c, worker *w)
{
    while (w->count < FL_HEAP_LANES && take_part(c, w, w->count))
        w->count++;
    while (w->count > 0) {
        for (size_t i = w->count; i-- > 0;)
            if (w->lanes[i]->is_stopped && !step_over(c, w, i) && !take_part(c, w, i))
                drop_lane(w, i);
        if (w->count == 0)
            return;
        c->parts[0].skim(w->lanes, w->count);
        for (size_t i = 0; i < w->count; i++) {
            kept *to = &c->kept[w->parts[i]];
            fl_census_count_lane(&to->census, &w->counts, &to->reading, w->lanes[i]);
        }
    }
}

/* A thread that comes when all parts are taken needs no memory. */
static void count_parts(void *payload, size_t index)
{
    counting *c = payload;
    if (atomic_load(&c->next) >= c->part_count)
        return;
    worker *w = c->workers[index] = fl_mem_calloc(1, sizeof(*w));
    c->status[index] = w == NULL ? FL_E_NOMEM : FL_OK;
    if (w != NULL)
        c->status[index] = fl_census_counts_grow(&w->counts, c->whole, NULL);
    if (c->status[index] != FL_OK)
        return;
    for (size_t i = 0; i < FL_HEAP_LANES; i++)
        w->lanes[i] = &w->room[i];
    run(c, w);
}

/* Nothing is added before all parts are known to be good. */
static fl_status check(const counting *c, fl_error *err)
{
    for (size_t i = 0; i < FL_MAX_PARALLEL; i++)
        if (c->status[i] != FL_OK)
            return fl_fail(err, c->status[i], FL_NO_OFFSET, "out of memory");
    for (size_t i = 1; i < c->part_count; i++)
        if (c->kept[i].status != FL_OK) {
            if (err != NULL && c->kept[i].status != FL_E_NOTFOUND)
                *err = c->kept[i].err;
            return c->kept[i].status;
        }
    return FL_OK;
}

/* In the order of the dump. */
static fl_status add_parts(counting *c, fl_error *err)
{
    fl_census *whole = c->whole;
    const fl_census_reading *before = NULL;
    fl_status status = FL_OK;
    for (size_t i = 1; i < c->part_count && status == FL_OK; i++) {
        const fl_census_reading *reading = &c->kept[i].reading;
        if (!reading->has_items)
            continue;
        if (before != NULL && reading->begins_with_object)
            fl_census_compare(&whole->counts, &whole->votes, before, reading->first_id);
        before = reading;
        whole->votes.count += reading->votes.count;
        for (int layout = 0; layout < FL_HEAP_LAYOUT_COUNT; layout++)
            whole->votes.of[layout] += reading->votes.of[layout];
        whole->last_offset = reading->last_offset;
        status = fl_census_adopt(whole, &c->kept[i].census, err);
    }
    for (size_t i = 0; i < FL_MAX_PARALLEL && status == FL_OK; i++)
        if (c->workers[i] != NULL)
            fl_census_counts_add(&whole->counts, &c->workers[i]->counts);
    return status;
}

static fl_status read_apart(counting *c, fl_error *err)
{
    fl_parallel_run(FL_MAX_PARALLEL, count_parts, c);
    fl_status status = check(c, err);
    if (status == FL_OK)
        status = add_parts(c, err);
    for (size_t i = 0; i < c->part_count; i++) {
        fl_mem_free(c->kept[i].census.roots);
        fl_mem_free(c->kept[i].census.late);
    }
    for (size_t i = 0; i < FL_MAX_PARALLEL; i++) {
        if (c->workers[i] != NULL)
            fl_census_counts_dispose(&c->workers[i]->counts);
        fl_mem_free(c->workers[i]);
    }
    return status;
}

fl_status fl_census_read_parts(fl_census *census, const fl_heap_source *source, fl_error *err)
{
    counting c = {.whole = census, .next = 1};
    if (source->split != NULL)
        c.part_count = source->split(source->payload, c.parts, MOST_PARTS, LEAST_PART_BYTES);
    assert(c.part_count <= MOST_PARTS);
    if (c.part_count < 2) /* names, and objects */
        return fl_census_read(census, source, err);
    fl_status status = fl_census_read(census, &c.parts[0], err);
    if (status != FL_OK)
        return status;
    c.kept = fl_mem_calloc(c.part_count, sizeof(*c.kept));
    if (c.kept == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
    status = read_apart(&c, err);
    fl_mem_free(c.kept);
    /* names and classes that were taken already are the same ones */
    return status == FL_E_NOTFOUND ? fl_census_read(census, source, err) : status;
}
