/*
 * profile_build.c - the tables behind a profile's view.
 *
 * Invariants:
 *   (1) the view is the first member, so that a profile's address is its builder's, and its const
 *       pointers are those of the tables: whoever grows a table writes the pointer to both;
 *   (2) a table holds at most its budget of items, so that indexes fit 32 bits;
 *   (3) values holds sample_count rows, and one more while a sample is open.
 *
 * Tables double. The C library moves large blocks by remapping them, and pages that were never
 * written cost nothing, so that doubling does not double what is resident.
 */
#include "profile_build.h"

#include <assert.h>

#include "faultline/limits.h"
#include "hash.h"
#include "mem.h"
#include "slice.h"

enum {
    FIRST_ITEMS = 64,
    EXPECTED_BYTES = 64 << 20,
    LABEL_CACHE_BITS = 8, /* Go's heap profiles have one label set for each of 68 size classes */
    LABEL_CACHE = 1 << LABEL_CACHE_BITS
};

/* What one of the view's arrays is kept in. */
typedef struct table {
    void *items;
    size_t cap;
} table;

/* A label set that was seen, and where it stands. */
typedef struct label_place {
    uint32_t at, count; /* count 0: none */
} label_place;

typedef struct builder {
    fl_profile view;
    fl_arena arena;
    fl_stream_block bytes; /* the input */
    table types, comments, mappings, functions, frames, stack, labels, samples, values;
    fl_profile_sample open; /* the sample between begin and end */
    bool is_open;
    bool is_shared; /* its labels are another sample's */
    label_place places[LABEL_CACHE];
} builder;

/* By invariant (1). */
static builder *of(fl_profile *profile)
{
    assert(profile != NULL);
    return (builder *)profile;
}

fl_status fl_profile_create(fl_profile **out, fl_error *err)
{
    assert(out != NULL);
    builder *made = fl_mem_calloc(1, sizeof(*made));
    *out = NULL;
    if (made == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a profile");
    made->arena = fl_arena_of(FL_MAX_PROFILE_ARENA_BYTES);
    *out = &made->view;
    return FL_OK;
}

/* The arena and the input go last: texts point into them. */
void fl_profile_destroy(fl_profile *profile)
{
    if (profile == NULL)
        return;
    builder *b = of(profile);
    table *tables[] = {&b->types, &b->comments, &b->mappings, &b->functions, &b->frames,
                       &b->stack, &b->labels,   &b->samples,  &b->values};
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        fl_mem_free(tables[i]->items);
    fl_arena_dispose(&b->arena);
    fl_mem_free(b->bytes.ptr);
    fl_mem_free(b);
}

/* What stays is memory alone: tables keep their items' room, the arena its newest block. */
void fl_profile_begin(fl_profile *profile)
{
    builder *b = of(profile);
    fl_arena_reset(&b->arena);
    memset(b->places, 0, sizeof(b->places));
    b->is_open = false;
    b->view = (fl_profile){.types = b->types.items,
                           .mappings = b->mappings.items,
                           .functions = b->functions.items,
                           .frames = b->frames.items,
                           .stack = b->stack.items,
                           .labels = b->labels.items,
                           .samples = b->samples.items,
                           .values = b->values.items,
                           .comments = b->comments.items};
}

fl_arena *fl_profile_arena(fl_profile *profile)
{
    return &of(profile)->arena;
}

/* --- the input --- */

fl_status fl_profile_load(fl_slice *out, fl_profile *profile, fl_stream *in, fl_error *err)
{
    assert(out != NULL && in != NULL);
    builder *b = of(profile);
    fl_status status = fl_stream_read_all(out, &b->bytes, in, FL_MAX_PROFILE_BYTES, err);
    if (status != FL_OK)
        return status;
    if (out->len > FL_MAX_PROFILE_BYTES)
        return fl_fail(err, FL_E_LIMIT, out->len, "a profile is larger than %u bytes",
                       FL_MAX_PROFILE_BYTES);
    b->view.input_bytes = out->len;
    return FL_OK;
}

/* --- tables --- */

/* What is asked of a table. */
typedef struct wanted {
    size_t count, more; /* items there are, items wanted */
    size_t size;        /* of an item */
    size_t max;
    const char *what;
} wanted;

/* Room for `cap` items at least, of which those that are there stay. */
static bool resize(table *t, size_t cap, size_t size)
{
    void *items = fl_mem_realloc(t->items, cap, size);
    if (items == NULL)
        return false;
    fl_mem_expect_fill(items, cap * size);
    t->items = items;
    t->cap = cap;
    return true;
}

/* Where the next item goes; NULL with `err` set where there is no room. */
static void *room_for(table *t, const wanted *want, fl_error *err)
{
    assert(want->count <= want->max && want->size > 0);
    if (want->more > want->max - want->count) {
        fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "a profile has more than %zu %s", want->max,
                want->what);
        return NULL;
    }
    size_t needed = want->count + want->more;
    if (needed > t->cap) {
        size_t cap = t->cap < FIRST_ITEMS ? FIRST_ITEMS : t->cap * 2;
        cap = cap < needed ? needed : cap;
        if (!resize(t, cap, want->size)) {
            fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for %zu %s", cap, want->what);
            return NULL;
        }
    }
    return (unsigned char *)t->items + want->count * want->size;
}

/* room_for() sets it; this gives it to the caller, who may have passed no error. */
static fl_status why(const wanted *want)
{
    return want->more > want->max - want->count ? FL_E_LIMIT : FL_E_NOMEM;
}

/* Types come first: a row of values has one for each. */
fl_status fl_profile_add_type(fl_profile *profile, fl_slice name, fl_slice unit, fl_error *err)
{
    builder *b = of(profile);
    assert(b->view.sample_count == 0);
    wanted want = {b->view.type_count, 1, sizeof(fl_profile_type), FL_MAX_PROFILE_TYPES,
                   "sample types"};
    fl_profile_type *item = room_for(&b->types, &want, err);
    if (item == NULL)
        return why(&want);
    *item = (fl_profile_type){.name = name, .unit = unit};
    b->view.types = b->types.items;
    b->view.type_count++;
    return FL_OK;
}

fl_status fl_profile_add_comment(fl_profile *profile, fl_slice text, fl_error *err)
{
    builder *b = of(profile);
    wanted want = {b->view.comment_count, 1, sizeof(text), FL_MAX_PROFILE_TABLE, "comments"};
    fl_slice *item = room_for(&b->comments, &want, err);
    if (item == NULL)
        return why(&want);
    *item = text;
    b->view.comments = b->comments.items;
    b->view.comment_count++;
    return FL_OK;
}

fl_status fl_profile_add_mapping(fl_profile *profile, const fl_profile_mapping *mapping,
                                 fl_error *err)
{
    builder *b = of(profile);
    wanted want = {b->view.mapping_count, 1, sizeof(*mapping), FL_MAX_PROFILE_TABLE, "mappings"};
    fl_profile_mapping *item = room_for(&b->mappings, &want, err);
    if (item == NULL)
        return why(&want);
    *item = *mapping;
    b->view.mappings = b->mappings.items;
    b->view.mapping_count++;
    return FL_OK;
}

fl_status fl_profile_add_function(fl_profile *profile, const fl_profile_function *function,
                                  fl_error *err)
{
    builder *b = of(profile);
    wanted want = {b->view.function_count, 1, sizeof(*function), FL_MAX_PROFILE_TABLE, "functions"};
    fl_profile_function *item = room_for(&b->functions, &want, err);
    if (item == NULL)
        return why(&want);
    *item = *function;
    b->view.functions = b->functions.items;
    b->view.function_count++;
    return FL_OK;
}

/* Its indexes must hold already: readers of the view do not check them. */
fl_status fl_profile_add_frame(fl_profile *profile, const fl_profile_frame *frame, fl_error *err)
{
    builder *b = of(profile);
    assert(frame->function == FL_PROFILE_NONE || frame->function < b->view.function_count);
    assert(frame->mapping == FL_PROFILE_NONE || frame->mapping < b->view.mapping_count);
    wanted want = {b->view.frame_count, 1, sizeof(*frame), FL_MAX_PROFILE_TABLE, "frames"};
    fl_profile_frame *item = room_for(&b->frames, &want, err);
    if (item == NULL)
        return why(&want);
    *item = *frame;
    b->view.frames = b->frames.items;
    b->view.frame_count++;
    return FL_OK;
}

fl_profile_frame *fl_profile_last_frames(fl_profile *profile, size_t count)
{
    builder *b = of(profile);
    assert(count <= b->view.frame_count);
    return (fl_profile_frame *)b->frames.items + (b->view.frame_count - count);
}

/* --- samples --- */

/* Grows an empty table; a count out of input may be a lie, so there is an end to it. */
static void expect(table *t, size_t count, size_t size)
{
    size_t most = EXPECTED_BYTES / size;
    if (count > most)
        count = most;
    if (count > t->cap && count > FIRST_ITEMS)
        (void)resize(t, count, size);
}

void fl_profile_expect(fl_profile *profile, size_t samples, size_t frames)
{
    builder *b = of(profile);
    size_t types = b->view.type_count;
    assert(b->view.sample_count == 0 && b->view.stack_count == 0);
    expect(&b->samples, samples, sizeof(fl_profile_sample));
    expect(&b->values, samples < SIZE_MAX / FL_MAX_PROFILE_TYPES ? samples * types : 0,
           sizeof(int64_t));
    expect(&b->stack, frames, sizeof(uint32_t));
}

void fl_profile_expect_frames(fl_profile *profile, size_t functions, size_t locations)
{
    builder *b = of(profile);
    assert(b->view.function_count == 0 && b->view.frame_count == 0);
    expect(&b->functions, functions, sizeof(fl_profile_function));
    expect(&b->frames, locations < SIZE_MAX / 2 ? locations + locations / 2 : 0,
           sizeof(fl_profile_frame));
}

/* Of one more sample: its place and its row, which is returned. */
static int64_t *room_for_row(builder *b, fl_error *err)
{
    size_t count = b->view.sample_count, types = b->view.type_count;
    wanted want = {count, 1, sizeof(fl_profile_sample), FL_MAX_PROFILE_SAMPLES, "samples"};
    if (room_for(&b->samples, &want, err) == NULL)
        return NULL;
    wanted row = {count * types, types, sizeof(int64_t),
                  (size_t)FL_MAX_PROFILE_SAMPLES * FL_MAX_PROFILE_TYPES, "values"};
    int64_t *values = room_for(&b->values, &row, err);
    b->view.samples = b->samples.items;
    b->view.values = b->values.items;
    return values;
}

/* A row of zeros by invariant (3); the sample counts from its end on. */
fl_status fl_profile_sample_begin(fl_profile *profile, fl_error *err)
{
    builder *b = of(profile);
    size_t types = b->view.type_count;
    assert(!b->is_open && types > 0);
    int64_t *values = room_for_row(b, err);
    if (values == NULL)
        return b->view.sample_count >= FL_MAX_PROFILE_SAMPLES ? FL_E_LIMIT : FL_E_NOMEM;
    for (size_t i = 0; i < types; i++)
        values[i] = 0;
    b->open = (fl_profile_sample){.stack_at = (uint32_t)b->view.stack_count,
                                  .label_at = (uint32_t)b->view.label_count};
    b->is_open = true;
    b->is_shared = false;
    return FL_OK;
}

uint32_t *fl_profile_stack_room(fl_profile *profile, size_t count, fl_error *err)
{
    builder *b = of(profile);
    wanted want = {b->view.stack_count, count, sizeof(uint32_t), FL_MAX_PROFILE_STACK,
                   "frames in its stacks"};
    uint32_t *room = room_for(&b->stack, &want, err);
    b->view.stack = b->stack.items;
    return room;
}

void fl_profile_stack_take(fl_profile *profile, size_t used)
{
    builder *b = of(profile);
    assert(b->is_open && used <= b->stack.cap - b->view.stack_count);
    b->view.stack_count += used;
    b->open.stack_count += (uint32_t)used;
}

fl_status fl_profile_push_stack(fl_profile *profile, uint32_t frame, fl_error *err)
{
    assert(frame < profile->frame_count);
    uint32_t *item = fl_profile_stack_room(profile, 1, err);
    if (item == NULL)
        return profile->stack_count >= FL_MAX_PROFILE_STACK ? FL_E_LIMIT : FL_E_NOMEM;
    *item = frame;
    fl_profile_stack_take(profile, 1);
    return FL_OK;
}

void fl_profile_set_value(fl_profile *profile, size_t type, int64_t value)
{
    builder *b = of(profile);
    assert(b->is_open && type < b->view.type_count);
    int64_t *row = (int64_t *)b->values.items + b->view.sample_count * b->view.type_count;
    if (value > FL_PROFILE_VALUE_MAX || value < -FL_PROFILE_VALUE_MAX) {
        value = value > 0 ? FL_PROFILE_VALUE_MAX : -FL_PROFILE_VALUE_MAX;
        b->view.clamped_values++;
    }
    row[type] = value;
}

int64_t *fl_profile_open_values(fl_profile *profile)
{
    builder *b = of(profile);
    assert(b->is_open);
    return (int64_t *)b->values.items + b->view.sample_count * b->view.type_count;
}

void fl_profile_share_labels(fl_profile *profile, const fl_profile_sample *with)
{
    builder *b = of(profile);
    assert(b->is_open && b->open.label_count == 0);
    assert((size_t)with->label_at + with->label_count <= b->view.label_count);
    b->open.label_at = with->label_at;
    b->open.label_count = with->label_count;
    b->is_shared = true;
}

fl_status fl_profile_push_label(fl_profile *profile, const fl_profile_label *label, fl_error *err)
{
    builder *b = of(profile);
    assert(b->is_open && !b->is_shared);
    wanted want = {b->view.label_count, 1, sizeof(*label), FL_MAX_PROFILE_TABLE, "labels"};
    fl_profile_label *item = room_for(&b->labels, &want, err);
    if (item == NULL)
        return why(&want);
    *item = *label;
    b->view.labels = b->labels.items;
    b->view.label_count++;
    b->open.label_count++;
    return FL_OK;
}

/* Texts are compared and not their places: a decoder may copy them. */
static bool same_labels(const fl_profile_label *a, const fl_profile_label *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (a[i].number != b[i].number || !fl_slice_equal(a[i].key, b[i].key) ||
            !fl_slice_equal(a[i].text, b[i].text) || !fl_slice_equal(a[i].unit, b[i].unit))
            return false;
    return true;
}

/* Keep the labels of the open sample once where an equal set is at hand. Stable hashes: where a set
 * stands must not depend on addresses. */
static void share_labels(builder *b)
{
    fl_profile_label *all = b->labels.items, *mine = all + b->open.label_at;
    uint64_t hash = b->open.label_count;
    for (size_t i = 0; i < b->open.label_count; i++) {
        uint64_t text = mine[i].text.len > 0 ? fl_hash_stable(mine[i].text) : 0;
        hash = fl_hash_mix(hash ^ (uint64_t)mine[i].number ^ text);
    }
    label_place *place = &b->places[hash >> (64 - LABEL_CACHE_BITS)];
    if (place->count == b->open.label_count && same_labels(all + place->at, mine, place->count)) {
        b->view.label_count = b->open.label_at;
        b->open.label_at = place->at;
        return;
    }
    *place = (label_place){.at = b->open.label_at, .count = b->open.label_count};
}

void fl_profile_sample_end(fl_profile *profile)
{
    builder *b = of(profile);
    assert(b->is_open);
    if (b->open.label_count == 0)
        b->open.label_at = 0;
    else if (!b->is_shared)
        share_labels(b);
    ((fl_profile_sample *)b->samples.items)[b->view.sample_count++] = b->open;
    b->is_open = false;
}

bool fl_profile_add_sample(fl_profile *profile, size_t used, const int64_t *values,
                           const fl_profile_sample *labels)
{
    builder *b = of(profile);
    size_t types = b->view.type_count;
    const fl_profile_sample none = {0};
    if (labels == NULL)
        labels = &none;
    const fl_profile_sample sample = {.stack_at = (uint32_t)b->view.stack_count,
                                      .stack_count = (uint32_t)used,
                                      .label_at = labels->label_at,
                                      .label_count = labels->label_count};
    assert(!b->is_open && types > 0 && used <= b->stack.cap - b->view.stack_count);
    int64_t *row = room_for_row(b, NULL);
    if (row == NULL)
        return false;
    memcpy(row, values, types * sizeof(*row));
    b->view.stack_count += used;
    ((fl_profile_sample *)b->samples.items)[b->view.sample_count++] = sample;
    return true;
}

/* What it had pushed is what stands last in its tables. */
void fl_profile_sample_drop(fl_profile *profile)
{
    builder *b = of(profile);
    assert(b->is_open);
    b->view.stack_count = b->open.stack_at;
    if (!b->is_shared)
        b->view.label_count -= b->open.label_count;
    b->is_open = false;
}

/* --- the end: kind and default type --- */

/* Names are those of runtime/pprof, of gperftools and of Node.js. */
static bool has_type(const fl_profile *profile, const char *name)
{
    return fl_profile_type_find(profile, fl_slice_of(name)) != FL_PROFILE_NONE;
}

/* Who releases a lock is innermost in a mutex profile: the time is what others waited for it. */
static bool is_release(fl_slice name)
{
    return fl_slice_ends_with(name, FL_SLICE("Unlock")) ||
           fl_slice_ends_with(name, FL_SLICE(".unlock")) ||
           fl_slice_ends_with(name, FL_SLICE(".unlock2")) ||
           fl_slice_find(name, FL_SLICE("LostContendedRuntimeLock")) < name.len;
}

/* Go's block and mutex profiles have the same types: the innermost frames decide, by majority. */
static fl_profile_kind kind_of_contention(const fl_profile *profile)
{
    size_t releases = 0;
    for (size_t i = 0; i < profile->sample_count; i++) {
        const fl_profile_sample *sample = &profile->samples[i];
        if (sample->stack_count == 0)
            continue;
        const fl_profile_function *function =
            fl_profile_function_of(profile, profile->stack[sample->stack_at]);
        releases += function != NULL && is_release(function->name);
    }
    return releases > profile->sample_count / 2 ? FL_PROFILE_MUTEX : FL_PROFILE_BLOCK;
}

/* The first of the rules that holds, the most telling ones first. */
static fl_profile_kind kind_of(const fl_profile *profile, fl_slice default_type)
{
    static const struct {
        const char *type;
        fl_profile_kind kind;
    } by_type[] = {
        {"goroutine", FL_PROFILE_GOROUTINE},
        {"goroutineleak", FL_PROFILE_GOROUTINE_LEAK},
        {"threadcreate", FL_PROFILE_THREAD_CREATE},
        {"cpu", FL_PROFILE_CPU},
        {"wall", FL_PROFILE_WALL},
        {"space", FL_PROFILE_HEAP}, /* Node.js */
    };
    if (has_type(profile, "inuse_space") || has_type(profile, "inuse_objects"))
        return fl_slice_starts_with(default_type, FL_SLICE("alloc")) ? FL_PROFILE_ALLOCS
                                                                     : FL_PROFILE_HEAP;
    if (has_type(profile, "contentions"))
        return kind_of_contention(profile);
    for (size_t i = 0; i < sizeof(by_type) / sizeof(by_type[0]); i++)
        if (has_type(profile, by_type[i].type))
            return by_type[i].kind;
    return FL_PROFILE_OTHER;
}

void fl_profile_set_default(fl_profile *profile, fl_slice name)
{
    builder *b = of(profile);
    uint32_t found = name.len > 0 ? fl_profile_type_find(profile, name) : FL_PROFILE_NONE;
    /* Without a default the last type is meant, as in every reader of this format. */
    size_t last = b->view.type_count > 0 ? b->view.type_count - 1 : 0;
    b->view.default_type = found != FL_PROFILE_NONE ? found : last;
}

void fl_profile_finish(fl_profile *profile, fl_slice default_type, fl_profile_kind named)
{
    builder *b = of(profile);
    assert(!b->is_open && (size_t)named < FL_PROFILE_KIND_COUNT);
    fl_profile_set_default(profile, default_type);
    b->view.kind = named != FL_PROFILE_OTHER ? named : kind_of(profile, default_type);
}

/* --- names --- */

/* The offset behind the bracket that closes the one at `at`; text.len where none does. */
static size_t bracket_end(fl_slice text, size_t at)
{
    size_t depth = 0;
    for (; at < text.len; at++) {
        depth += text.ptr[at] == '[';
        depth -= text.ptr[at] == ']' && depth > 0;
        if (depth == 0)
            return at + 1;
    }
    return text.len;
}

fl_status fl_profile_normalise_name(fl_slice *out, fl_profile *profile, fl_slice name,
                                    fl_error *err)
{
    static const fl_slice shape = FL_SLICE_INIT("go.shape."), dots = FL_SLICE_INIT("[...]");
    assert(out != NULL);
    *out = name;
    if (fl_slice_find(name, shape) == name.len)
        return FL_OK;
    /* A bracket holds at least "go.shape.", which is longer than the dots: it only gets shorter. */
    unsigned char *text = fl_arena_bytes(fl_profile_arena(profile), name.len);
    if (text == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a function's name");
    size_t len = 0;
    for (size_t at = 0; at < name.len;) {
        size_t end = name.ptr[at] == '[' ? bracket_end(name, at) : at + 1;
        fl_slice part = {name.ptr + at, end - at};
        if (name.ptr[at] == '[' && fl_slice_find(part, shape) < part.len)
            part = dots;
        memcpy(text + len, part.ptr, part.len);
        len += part.len;
        at = end;
    }
    *out = (fl_slice){text, len};
    return FL_OK;
}
