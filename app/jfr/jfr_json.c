/*
 * jfr_json.c - a recording as schemas/json/jfr.schema.json describes it.
 *
 * Stacks are texts, innermost first. What is not known is null; lists are empty and not null.
 */
#include <assert.h>
#include <math.h>

#include "jfr_view.h"
#include "json_put.h"
#include "slice.h"

enum { ARENA_BYTES = 256 << 20, CHAIN_STEPS = 64, STACK_FRAMES = 64 };

struct writing {
    fl_put put;
    const fl_jfr_shown *shown;
    const fl_jfr_recording *recording;
    fl_arena *arena;
    fl_error *err;
};

/* How many of a list are told; the lists are sorted, so that these are the largest. */
static size_t rows_of(const struct writing *w, size_t count)
{
    size_t most = w->shown->rows;
    return most == 0 || count < most ? count : most;
}

/* null for none. */
static void put_name(struct writing *w, json_t *object, const char *key, uint32_t name)
{
    assert(key != NULL);
    const char *text = NULL;
    if (name != FL_JFR_NONE) {
        text = fl_arena_cstr(w->arena, fl_jfr_name(w->recording->names, name));
        if (text == NULL)
            w->put.status = FL_E_NOMEM;
    }
    fl_put_text(&w->put, object, key, text);
}

/* A count that is -1 where it is not known. */
static void put_known(struct writing *w, json_t *object, const char *key, int64_t value)
{
    if (value < 0)
        fl_put_value(&w->put, object, key, json_null());
    else
        fl_put_count(&w->put, object, key, (uint64_t)value);
}

/* Seconds as a fraction, whatever the ticks of the recording were. */
static void put_seconds(struct writing *w, json_t *object, const char *key, int64_t ns)
{
    fl_put_number(&w->put, object, key, (double)ns / 1e9);
}

/* "Leaky.handle:9", innermost first. */
static json_t *stack_of(struct writing *w, uint32_t stack)
{
    json_t *array = json_array();
    fl_jfr_frame frame;
    for (size_t i = 0; stack != FL_JFR_NONE && i < STACK_FRAMES; i++) {
        stack = fl_jfr_frame_of(&frame, w->recording->names, stack);
        const char *text = fl_arena_printf(
            w->arena, "%.*s:%u", FL_SLICE_ARG(fl_jfr_name(w->recording->names, frame.function)),
            frame.line);
        fl_put_item(&w->put, array, fl_put_text_of(text));
    }
    return array;
}

/* A site by its own line, with the stack of the largest of those that it stands for. */
static json_t *place_of(struct writing *w, const fl_jfr_place *place, bool has_amount,
                        bool is_bytes)
{
    json_t *object = json_object();
    put_name(w, object, "function", place->frame.function);
    put_known(w, object, "line", place->frame.line > 0 ? (int64_t)place->frame.line : -1);
    put_name(w, object, "class", place->type);
    fl_put_count(&w->put, object, "events", place->events);
    put_known(w, object, "bytes", is_bytes ? place->amount : -1);
    fl_put_number(&w->put, object, "seconds",
                  has_amount && !is_bytes ? (double)place->amount / 1e9 : (double)NAN);
    fl_put_value(&w->put, object, "stack", stack_of(w, place->stack));
    return object;
}

/* One of the groups of sites; its sums are of all its sites, told or not. */
static fl_status put_group(struct writing *w, json_t *answer, fl_jfr_group group)
{
    assert(group < FL_JFR_GROUP_COUNT);
    const fl_jfr_sites *all = &w->recording->groups[group];
    bool is_bytes = group == FL_JFR_ALLOCATIONS;
    fl_jfr_places places;
    fl_status status = fl_jfr_places_of(&places, w->recording, group, w->arena, w->err);
    if (status != FL_OK)
        return status;
    json_t *object = json_object(), *sites = json_array();
    fl_put_count(&w->put, object, "events", all->events);
    put_known(w, object, "bytes", is_bytes ? all->amount : -1);
    fl_put_number(&w->put, object, "seconds",
                  all->amount > 0 && !is_bytes ? (double)all->amount / 1e9 : (double)NAN);
    for (size_t i = 0; i < rows_of(w, places.count); i++)
        fl_put_item(&w->put, sites, place_of(w, &places.items[i], all->amount > 0, is_bytes));
    fl_put_value(&w->put, object, "sites", sites);
    fl_put_value(&w->put, answer, fl_jfr_group_name(group), object);
    return FL_OK;
}

/* The sums are of all collections, the items in the order of time. */
static void put_collections(struct writing *w, json_t *answer)
{
    fl_jfr_gc_totals totals = fl_jfr_gc_totals_of(w->recording);
    json_t *object = json_object(), *items = json_array();
    fl_put_count(&w->put, object, "collections", totals.collections);
    put_seconds(w, object, "pause_seconds", totals.pauses_ns);
    put_seconds(w, object, "longest_seconds", totals.longest_ns);
    fl_put_rounded(&w->put, object, "pause_ratio", totals.pause_ratio);
    for (size_t i = 0; i < rows_of(w, w->recording->gc_count); i++) {
        const fl_jfr_gc *gc = &w->recording->gcs[i];
        json_t *item = json_object();
        fl_put_moment(&w->put, item, "at", gc->time_ns);
        put_known(w, item, "number", gc->number);
        put_name(w, item, "collector", gc->name);
        put_name(w, item, "cause", gc->cause);
        put_seconds(w, item, "pause_seconds", gc->pauses_ns);
        put_known(w, item, "before_bytes", gc->before_bytes);
        put_known(w, item, "after_bytes", gc->after_bytes);
        put_known(w, item, "committed_bytes", gc->committed_bytes);
        fl_put_item(&w->put, items, item);
    }
    fl_put_value(&w->put, object, "items", items);
    fl_put_value(&w->put, answer, "gc", object);
}

/* Fractions of the machine, as the recorder writes them. */
static void put_loads(struct writing *w, json_t *answer)
{
    json_t *items = json_array();
    for (size_t i = 0; i < rows_of(w, w->recording->load_count); i++) {
        const fl_jfr_load *load = &w->recording->loads[i];
        json_t *item = json_object();
        fl_put_moment(&w->put, item, "at", load->time_ns);
        fl_put_rounded(&w->put, item, "user", load->user);
        fl_put_rounded(&w->put, item, "system", load->system);
        fl_put_rounded(&w->put, item, "machine", load->machine);
        fl_put_item(&w->put, items, item);
    }
    fl_put_value(&w->put, answer, "load", items);
}

/* A holder with the whole chain of the first object that it was found with. */
static json_t *holding_of(struct writing *w, const fl_jfr_holding *holding)
{
    assert(holding->example < w->recording->old_count);
    json_t *object = json_object();
    fl_put_text(&w->put, object, "holder", holding->holder[0] != '\0' ? holding->holder : NULL);
    fl_put_text(&w->put, object, "container", holding->container);
    fl_put_text(&w->put, object, "class", holding->type[0] != '\0' ? holding->type : NULL);
    fl_put_value(&w->put, object, "own", json_boolean(holding->is_own));
    fl_put_value(&w->put, object, "static", json_boolean(holding->is_static));
    fl_put_count(&w->put, object, "objects", holding->objects);
    put_known(w, object, "bytes", holding->bytes > 0 ? holding->bytes : -1);
    put_known(w, object, "longest_array", holding->longest);
    fl_put_moment(&w->put, object, "first_allocated", holding->first_ns);
    fl_put_moment(&w->put, object, "last_allocated", holding->last_ns);
    fl_put_text(&w->put, object, "chain",
                fl_jfr_chain_text(w->recording, holding->example, CHAIN_STEPS, w->arena));
    fl_put_value(&w->put, object, "stack", stack_of(w, holding->stack));
    return object;
}

/* Objects that stayed, by holder; those without a chain have none. */
static fl_status put_old(struct writing *w, json_t *answer)
{
    fl_jfr_holdings holdings;
    fl_status status = fl_jfr_holdings_of(&holdings, w->recording, w->arena, w->err);
    if (status != FL_OK)
        return status;
    json_t *object = json_object(), *items = json_array();
    fl_put_count(&w->put, object, "objects", holdings.objects);
    fl_put_count(&w->put, object, "without_chain", holdings.unchained);
    for (size_t i = 0; i < rows_of(w, holdings.count); i++)
        fl_put_item(&w->put, items, holding_of(w, &holdings.items[i]));
    fl_put_value(&w->put, object, "holders", items);
    fl_put_value(&w->put, answer, "old_objects", object);
    return FL_OK;
}

/* Live objects at the first and at the last count: what grew is their difference. */
static void put_objects(struct writing *w, json_t *answer)
{
    json_t *items = json_array();
    for (size_t i = 0; i < rows_of(w, w->recording->live_count); i++) {
        const fl_jfr_live *live = &w->recording->lives[i];
        json_t *item = json_object();
        put_name(w, item, "class", live->type);
        put_known(w, item, "first_count", live->first_count);
        put_known(w, item, "first_bytes", live->first_bytes);
        put_known(w, item, "last_count", live->last_count);
        put_known(w, item, "last_bytes", live->last_bytes);
        fl_put_item(&w->put, items, item);
    }
    fl_put_value(&w->put, answer, "live_objects", items);
}

/* All of them, whatever --rows says: they are few, and what a reader checks completeness by. */
static void put_events(struct writing *w, json_t *answer)
{
    json_t *items = json_array();
    for (size_t i = 0; i < w->recording->totals.count_count; i++) {
        const fl_jfr_count *kind = &w->recording->counts[i];
        json_t *item = json_object();
        fl_put_text(&w->put, item, "name", fl_arena_cstr(w->arena, kind->name));
        fl_put_count(&w->put, item, "events", kind->events);
        fl_put_count(&w->put, item, "bytes", kind->bytes);
        fl_put_item(&w->put, items, item);
    }
    fl_put_value(&w->put, answer, "events", items);
}

/* What recording it is, and what could not be read of it. */
static void put_head(struct writing *w, json_t *answer)
{
    const fl_jfr_recording *recording = w->recording;
    const fl_jfr_totals *totals = &recording->totals;
    json_t *warnings = json_array();
    fl_put_text(&w->put, answer, "schema", "faultline.jfr/1");
    fl_put_text(&w->put, answer, "file", w->shown->name);
    put_name(w, answer, "machine", recording->machine);
    put_name(w, answer, "machine_version", recording->version);
    put_name(w, answer, "arguments", recording->arguments);
    fl_put_moment(&w->put, answer, "from", totals->from_ns);
    fl_put_moment(&w->put, answer, "to", totals->to_ns);
    fl_put_count(&w->put, answer, "chunks", totals->chunks);
    fl_put_count(&w->put, answer, "unfinished_chunks", totals->unfinished_chunks);
    fl_put_count(&w->put, answer, "event_count", totals->events);
    fl_put_count(&w->put, answer, "unresolved", totals->unresolved);
    fl_put_count(&w->put, answer, "dropped", recording->dropped);
    fl_put_count(&w->put, answer, "lost_bytes", recording->lost_bytes);
    for (size_t i = 0; i < totals->warning_count; i++)
        fl_put_item(&w->put, warnings, fl_put_text_of(totals->warnings[i]));
    fl_put_value(&w->put, answer, "warnings", warnings);
    if (w->shown->report != NULL)
        fl_put_text(&w->put, answer, "verdict", fl_leak_verdict_name(w->shown->report->verdict));
    else
        fl_put_value(&w->put, answer, "verdict", json_null());
}

fl_status fl_jfr_view_json(fl_buf *out, const fl_jfr_shown *shown, fl_error *err)
{
    assert(out != NULL && shown->recording != NULL);
    fl_arena arena = fl_arena_of(ARENA_BYTES);
    struct writing w = {.shown = shown, .recording = shown->recording, .arena = &arena, .err = err};
    json_t *answer = json_object();
    fl_status status = FL_OK;
    put_head(&w, answer);
    put_collections(&w, answer);
    put_loads(&w, answer);
    for (int i = 0; i < FL_JFR_GROUP_COUNT && status == FL_OK; i++)
        status = put_group(&w, answer, (fl_jfr_group)i);
    if (status == FL_OK)
        status = put_old(&w, answer);
    put_objects(&w, answer);
    put_events(&w, answer);
    if (status == FL_OK)
        status = fl_put_document(out, &w.put, answer, err);
    else
        json_decref(answer);
    fl_arena_dispose(&arena);
    return status;
}
