/*
 * jfr_answers.c - sites put together by their own line, old objects by what holds them.
 *
 * A recorder's chain runs from the object to the root, and each step is an object with the field or
 * the place in an array by which the next one holds it:
 *
 *   byte[]            .state of
 *   Session           .val of
 *   HashMap$Node      [17 of 64] of
 *   HashMap$Node[]    .table of      <- the longest array: here it grows
 *   HashMap           .OPEN of       <- the first field of own code behind it: the holder
 *   Class (Sessions)                    a static field, since a class object has it
 *
 * Nothing here asks for more than the chain: sizes are those of the sampled objects, not of what
 * they keep, so that counts of the sample, and not bytes, say how much a holder has.
 */
#include "jfr_answers.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "faultline/limits.h"
#include "map.h"
#include "mem.h"
#include "slice.h"

enum { MAX_HOLDER_TEXT = 512 };

/* Packages of the JDK's modules, and of the libraries that languages on the JVM come with. */
bool fl_jfr_is_runtime(fl_slice name)
{
    static const char *const packages[] = {"java.",   "javax.",   "jdk.",   "sun.",    "com.sun.",
                                           "kotlin.", "kotlinx.", "scala.", "groovy.", "clojure."};
    for (size_t i = 0; i < sizeof(packages) / sizeof(packages[0]); i++)
        if (fl_slice_starts_with(name, fl_slice_of(packages[i])))
            return true;
    return false;
}

bool fl_jfr_own_frame(fl_jfr_frame *out, const fl_jfr *jfr, uint32_t stack)
{
    assert(out != NULL && jfr != NULL);
    fl_jfr_frame frame;
    bool is_first = true;
    *out = (fl_jfr_frame){.function = FL_JFR_NONE};
    for (uint32_t at = stack; at != FL_JFR_NONE; is_first = false) {
        at = fl_jfr_frame_of(&frame, jfr, at);
        if (is_first)
            *out = frame;
        if (frame.function != FL_JFR_NONE && !fl_jfr_is_runtime(fl_jfr_name(jfr, frame.function))) {
            *out = frame;
            return true;
        }
    }
    return stack != FL_JFR_NONE;
}

/* One sentence for all of this file. */
static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the answers of a recording");
}

/* ---- places ---- */

/* Amounts first; what is equal stands in the order of its frames, which is that of the file. */
static int compare_places(const void *left, const void *right)
{
    const fl_jfr_place *a = left, *b = right;
    if (a->amount != b->amount)
        return a->amount < b->amount ? 1 : -1;
    if (a->events != b->events)
        return a->events < b->events ? 1 : -1;
    if (a->frame.number != b->frame.number)
        return a->frame.number < b->frame.number ? -1 : 1;
    return a->type < b->type ? -1 : a->type > b->type;
}

fl_status fl_jfr_places_of(fl_jfr_places *out, const fl_jfr_recording *recording,
                           fl_jfr_group group, fl_arena *arena, fl_error *err)
{
    const fl_jfr_sites *sites = &recording->groups[group];
    fl_map *index;
    size_t count = 0;
    assert(group < FL_JFR_GROUP_COUNT);
    *out = (fl_jfr_places){0};
    fl_jfr_place *places = fl_arena_alloc(arena, sites->count, sizeof(*places));
    if (places == NULL && sites->count > 0)
        return no_memory(err);
    fl_status status = fl_map_create(&index, FL_MAX_JFR_SITES + 1, err);
    for (size_t i = 0; i < sites->count && status == FL_OK; i++) {
        const fl_jfr_site *site = &sites->items[i];
        fl_jfr_frame frame;
        uint64_t *slot;
        bool has_stack = fl_jfr_own_frame(&frame, recording->names, site->stack);
        uint64_t key = (uint64_t)(has_stack ? frame.number + 1 : 0) << 32 | site->type;
        status = fl_map_slot(&slot, index, key, NULL, err);
        if (status != FL_OK)
            break;
        if (*slot == 0) { /* the first is the largest: sites are sorted */
            places[count++] =
                (fl_jfr_place){.frame = frame, .type = site->type, .stack = site->stack};
            *slot = count;
        }
        places[*slot - 1].events += site->events;
        places[*slot - 1].amount = fl_profile_add(places[*slot - 1].amount, site->amount);
    }
    fl_map_destroy(index);
    if (status == FL_OK && count > 1)
        qsort(places, count, sizeof(*places), compare_places);
    *out = (fl_jfr_places){.items = places, .count = status == FL_OK ? count : 0};
    return status;
}

/* ---- holders ---- */

/* The class behind a holder: of a class object the class that it is, as its description says. */
static fl_slice owner_of(const fl_jfr_recording *recording, const fl_jfr_holder *holder,
                         bool *is_static)
{
    static const fl_slice prefix = FL_SLICE_INIT("Class Name: ");
    fl_slice type = fl_jfr_name(recording->names, holder->type);
    fl_slice description = fl_jfr_name(recording->names, holder->description);
    *is_static = fl_slice_equal(type, FL_SLICE("java.lang.Class")) &&
                 fl_slice_starts_with(description, prefix);
    return *is_static ? fl_slice_part(description, prefix.len, description.len) : type;
}

/* Where in the chain of one object what grows is held. */
struct held {
    fl_slice owner, field;
    fl_slice container; /* empty: the object itself */
    int64_t longest;
    bool found, is_static, is_own, is_recorders;
};

/* Whether an object is of a class that only the runtime's own code can name, such as a map's table:
 * own code that has it in a field has it from the collection that it extends. */
static bool is_inherited(const fl_jfr_recording *recording, const fl_jfr_holder *object)
{
    fl_slice type = fl_jfr_name(recording->names, object->type);
    return fl_jfr_is_runtime(type) && memchr(type.ptr, '$', type.len) != NULL;
}

/* The step from which on what grows is held: the longest array; without one, the last object that
 * only the runtime's own code can name, such as the node of a list; else the object itself. */
static size_t begin_of(const fl_jfr_recording *recording, const fl_jfr_holder *chain, size_t count,
                       int64_t *length)
{
    assert(length != NULL && (count == 0 || chain != NULL));
    size_t at = 0, node = 0;
    *length = -1;
    for (size_t i = 0; i < count; i++) {
        if (chain[i].index >= 0 && chain[i].length > *length) {
            *length = chain[i].length;
            at = i;
        }
        if (is_inherited(recording, &chain[i]))
            node = i;
    }
    return *length >= 0 ? at : node;
}

/* The recorder's own objects are old and many, and none of the program's: those that it holds, and
 * those that it is made of, such as the writer of a thread's events, which no chain leads to. */
static bool is_recorders(fl_slice owner)
{
    return fl_slice_starts_with(owner, FL_SLICE("jdk.jfr."));
}

/* The chain of an object; NULL where it has none, and perhaps no object has. */
static const fl_jfr_holder *chain_of(const fl_jfr_recording *recording, const fl_jfr_old *old)
{
    assert(old->holder_at + (size_t)old->holder_count <= recording->holder_count);
    return old->holder_count > 0 ? &recording->holders[old->holder_at] : NULL;
}

/* Outward from what grows: a field of own code ends the search, a static one of the runtime is kept
 * in case there is none. */
static struct held held_by(const fl_jfr_recording *recording, const fl_jfr_old *old)
{
    const fl_jfr_holder *chain = chain_of(recording, old);
    struct held out = {.longest = -1,
                       .is_recorders = is_recorders(fl_jfr_name(recording->names, old->type))};
    size_t begin = begin_of(recording, chain, old->holder_count, &out.longest);
    for (size_t i = 0; i + 1 < old->holder_count; i++) {
        bool is_static;
        fl_slice owner = owner_of(recording, &chain[i + 1], &is_static);
        out.is_recorders |= is_recorders(owner);
        if (chain[i].field == FL_JFR_NONE || (out.found && out.is_own))
            continue;
        bool is_own = !fl_jfr_is_runtime(owner) && !is_inherited(recording, &chain[i]);
        if (i < begin || (out.found && !is_own && !is_static))
            continue;
        out.found = true;
        out.is_own = is_own;
        out.is_static = is_static;
        out.owner = owner;
        out.field = fl_jfr_name(recording->names, chain[i].field);
        out.container = i > 0 ? fl_jfr_name(recording->names, chain[i].type) : FL_SLICE("");
    }
    return out;
}

/* Sums of one holder while they are made. */
struct sums {
    fl_jfr_holding *items;
    size_t count;
    fl_arena *arena;
    const fl_jfr_recording *recording;
};

/* The row of a holder and of what it holds, new where there is none; NULL: no memory. */
static fl_jfr_holding *row_of(struct sums *sums, const struct held *held, fl_slice type)
{
    assert(sums->count <= sums->recording->old_count);
    char holder[MAX_HOLDER_TEXT];
    if (held->found)
        snprintf(
            holder, sizeof(holder), "%.*s.%.*s",
            (int)(held->owner.len < 250 ? held->owner.len : 250), (const char *)held->owner.ptr,
            (int)(held->field.len < 250 ? held->field.len : 250), (const char *)held->field.ptr);
    else
        snprintf(holder, sizeof(holder), "%s", "");
    for (size_t i = 0; i < sums->count; i++) {
        bool is_same = strcmp(sums->items[i].holder, holder) == 0 &&
                       (held->found || fl_slice_equal(fl_slice_of(sums->items[i].type), type));
        if (is_same)
            return &sums->items[i];
    }
    fl_jfr_holding *made = &sums->items[sums->count];
    *made = (fl_jfr_holding){.holder = fl_arena_printf(sums->arena, "%s", holder),
                             .type = fl_arena_cstr(sums->arena, type),
                             .is_static = held->is_static,
                             .is_own = held->is_own,
                             .longest = -1};
    if (held->container.len > 0)
        made->container = fl_arena_cstr(sums->arena, held->container);
    bool whole = made->holder != NULL && made->type != NULL &&
                 (held->container.len == 0 || made->container != NULL);
    sums->count += whole;
    return whole ? made : NULL;
}

/* The first object of a holder, which is the oldest, is the example. */
static fl_status add_old(struct sums *sums, fl_jfr_holdings *out, size_t at, fl_error *err)
{
    assert(at < sums->recording->old_count);
    const fl_jfr_recording *recording = sums->recording;
    const fl_jfr_old *old = &recording->olds[at];
    struct held held = held_by(recording, old);
    if (held.is_recorders)
        return FL_OK;
    out->objects++;
    out->unchained += old->holder_count < 2;
    fl_jfr_holding *row = row_of(sums, &held, fl_jfr_name(recording->names, old->type));
    if (row == NULL)
        return no_memory(err);
    if (row->objects++ == 0) {
        row->first_ns = old->allocated_ns;
        row->stack = old->stack;
        row->example = at;
    }
    row->last_ns = old->allocated_ns;
    row->bytes = fl_profile_add(row->bytes, old->bytes);
    if (held.longest > row->longest)
        row->longest = held.longest;
    return FL_OK;
}

/* Own code first: that is what can be changed. Then by how much of the sample it keeps. */
static int compare_holdings(const void *left, const void *right)
{
    const fl_jfr_holding *a = left, *b = right;
    if (a->is_own != b->is_own)
        return a->is_own ? -1 : 1;
    if (a->objects != b->objects)
        return a->objects < b->objects ? 1 : -1;
    int order = strcmp(a->holder, b->holder);
    return order != 0 ? order : strcmp(a->type, b->type);
}

fl_status fl_jfr_holdings_of(fl_jfr_holdings *out, const fl_jfr_recording *recording,
                             fl_arena *arena, fl_error *err)
{
    assert(out != NULL && recording->old_count <= FL_MAX_JFR_OLD_OBJECTS);
    *out = (fl_jfr_holdings){0};
    struct sums sums = {.arena = arena, .recording = recording};
    sums.items = fl_arena_alloc(arena, recording->old_count, sizeof(*sums.items));
    if (sums.items == NULL && recording->old_count > 0)
        return no_memory(err);
    fl_status status = FL_OK;
    for (size_t i = 0; i < recording->old_count && status == FL_OK; i++)
        status = add_old(&sums, out, i, err);
    if (sums.count > 1)
        qsort(sums.items, sums.count, sizeof(*sums.items), compare_holdings);
    out->items = sums.items;
    out->count = sums.count;
    return status;
}

const char *fl_jfr_chain_text(const fl_jfr_recording *recording, size_t old, size_t most,
                              fl_arena *arena)
{
    assert(old < recording->old_count);
    const fl_jfr_old *of = &recording->olds[old];
    const fl_jfr_holder *chain = chain_of(recording, of);
    const char *text =
        of->root != FL_JFR_NONE
            ? fl_arena_printf(arena, "%.*s", FL_SLICE_ARG(fl_jfr_name(recording->names, of->root)))
            : "";
    size_t shown = 0;
    for (size_t i = of->holder_count; i > 0 && text != NULL; i--) {
        const fl_jfr_holder *step = &chain[i - 1];
        bool is_static;
        fl_slice owner = owner_of(recording, step, &is_static);
        if (i > 1 && ++shown > most && i > 2)
            continue;
        const char *gap = text[0] != '\0' ? " > " : "";
        text = fl_arena_printf(arena, "%s%s%s%.*s", text, gap,
                               shown > most && i == 2 ? "... > " : "", FL_SLICE_ARG(owner));
        const fl_jfr_holder *held = i > 1 ? &chain[i - 2] : NULL;
        if (text == NULL || held == NULL)
            continue;
        if (held->index >= 0)
            text = fl_arena_printf(arena, "%s[%lld of %lld]", text, (long long)held->index,
                                   (long long)held->length);
        else if (held->field != FL_JFR_NONE)
            text = fl_arena_printf(arena, "%s.%.*s", text,
                                   FL_SLICE_ARG(fl_jfr_name(recording->names, held->field)));
    }
    return text;
}
