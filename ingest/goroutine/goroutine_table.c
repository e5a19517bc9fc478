/*
 * goroutine_table.c - distinct frames, distinct stacks, and how long each waits.
 *
 * Invariants:
 *   (1) frames[i] and groups[i] never move once added, and each is in its map under its hash, or
 *       under one of the hashes that follow it where two share one; what is found is compared, so
 *       that equal hashes merge nothing;
 *   (2) a group's row in `waits` is (group << WAIT_BITS | bucket) -> goroutines, for waits of a
 *       minute and more only;
 *   (3) the tables hold at most FL_MAX_GO_FRAMES and FL_MAX_GO_STACKS: what is more is FL_GO_NONE
 *       and the caller counts it.
 *
 * Waits up to 63 minutes have a bucket each; beyond, 16 buckets a doubling, so that a median is off
 * by at most one part in 16. Cost: two hashes and two comparisons of text a frame.
 */
#include <assert.h>
#include <string.h>

#include "faultline/limits.h"
#include "goroutine_priv.h"
#include "hash.h"
#include "mem.h"
#include "number.h"
#include "slice.h"
#include "sort.h"

enum { FEW_IDS = 4 }; /* what a group has room for at first: most are small */
enum { WAIT_BITS = 10, EXACT_MINUTES = 64, EXACT_BITS = 6, STEP_BITS = 4 };
_Static_assert(FL_MAX_GO_STACKS *(sizeof(fl_gogroup) + sizeof(uint32_t)) < FL_MAX_GO_TEXT_BYTES / 2,
               "what finish makes fits into its half");
_Static_assert((1u << EXACT_BITS) == EXACT_MINUTES,
               "the first doubling begins behind the exact ones");
_Static_assert(EXACT_MINUTES + ((32 - EXACT_BITS) << STEP_BITS) <= 1 << WAIT_BITS,
               "each wait of 32 bits has a bucket");

/* Two places in one function are two frames. */
typedef struct go_frame {
    fl_goframe frame;
    fl_slice location; /* "file:line" as it was written */
} go_frame;

/* The public view of a group, and what it is compared by. */
typedef struct go_group {
    fl_gogroup group;
    const uint32_t *frames; /* of the stack, as numbers */
    uint32_t created_by;
    uint64_t *ids;       /* the sample, and room for FEW_IDS or FL_GO_SAMPLE */
    uint64_t worst_hash; /* the largest of a full sample */
} go_group;

struct fl_gotable {
    fl_arena arena;
    go_frame **frames;
    size_t frame_count, frame_cap;
    go_group **groups;
    size_t group_count, group_cap;
    fl_map *frame_of, *group_of, *waits;
    uint64_t total, newest_id;
};

fl_status fl_gotable_create(fl_gotable **out, fl_error *err)
{
    fl_gotable *table = fl_mem_calloc(1, sizeof(*table));
    if (table == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for goroutines");
    table->arena =
        fl_arena_of(2 * FL_MAX_GO_TEXT_BYTES); /* the half is for what is made at the end */
    fl_status status = fl_map_create(&table->frame_of, FL_MAX_GO_FRAMES, err);
    if (status == FL_OK)
        status = fl_map_create(&table->group_of, FL_MAX_GO_STACKS, err);
    if (status == FL_OK)
        status = fl_map_create(&table->waits, FL_MAX_GO_WAITS, err);
    if (status != FL_OK) {
        fl_gotable_destroy(table);
        return status;
    }
    *out = table;
    return FL_OK;
}

void fl_gotable_destroy(fl_gotable *table)
{
    if (table == NULL)
        return;
    fl_map_destroy(table->frame_of);
    fl_map_destroy(table->group_of);
    fl_map_destroy(table->waits);
    fl_mem_free(table->frames);
    fl_mem_free(table->groups);
    fl_arena_dispose(&table->arena);
    fl_mem_free(table);
}

fl_arena *fl_gotable_arena(fl_gotable *table)
{
    assert(table != NULL);
    return &table->arena;
}

/* Room for one more pointer; `list` is one of the two lists of pointers. */
static fl_status grow(void *list, size_t *cap, size_t count, fl_error *err)
{
    void **items;
    assert(count <= *cap);
    if (count < *cap)
        return FL_OK;
    memcpy(&items, list, sizeof(items));
    size_t more = *cap == 0 ? 64 : *cap * 2;
    void **grown = fl_mem_realloc(items, more, sizeof(*grown));
    if (grown == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for goroutines");
    memcpy(list, &grown, sizeof(grown));
    *cap = more;
    return FL_OK;
}

/* Split "file:line"; a location without a line is all file. */
static void split_location(fl_goframe *out, fl_slice location)
{
    size_t colon = location.len;
    while (colon > 0 && location.ptr[colon - 1] != ':')
        colon--;
    uint64_t line = 0;
    fl_slice digits = {.ptr = location.ptr + colon, .len = location.len - colon};
    bool has_line = colon > 0 && fl_parse_u64(digits, &line) && line <= UINT32_MAX;
    out->file = has_line ? (fl_slice){.ptr = location.ptr, .len = colon - 1} : location;
    out->line = has_line ? (uint32_t)line : 0;
}

/* A full arena is a full table. */
static fl_status add_frame(uint32_t *out, fl_gotable *table, fl_slice function, fl_slice location,
                           fl_error *err)
{
    fl_status status = grow(&table->frames, &table->frame_cap, table->frame_count, err);
    if (status != FL_OK)
        return status;
    go_frame *frame = fl_arena_alloc(&table->arena, 1, sizeof(*frame));
    if (frame == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for goroutines");
    frame->frame.function = fl_arena_copy(&table->arena, function);
    frame->location = fl_arena_copy(&table->arena, location);
    if (frame->frame.function.ptr == NULL || frame->location.ptr == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for goroutines");
    split_location(&frame->frame, frame->location);
    *out = (uint32_t)table->frame_count;
    table->frames[table->frame_count++] = frame;
    return FL_OK;
}

/* Whether the budget has room for a text and what is kept beside it; else the table is full. */
static bool has_room(const fl_gotable *table, size_t bytes)
{
    return table->arena.used_bytes + bytes + sizeof(go_group) < FL_MAX_GO_TEXT_BYTES;
}

fl_status fl_gotable_frame(uint32_t *out, fl_gotable *table, fl_slice function, fl_slice location,
                           fl_error *err)
{
    uint64_t hash = fl_hash_mix(fl_hash_keyed(function)) ^ fl_hash_keyed(location);
    for (;; hash++) {
        const uint64_t *found = fl_map_find(table->frame_of, hash);
        if (found == NULL)
            break;
        const go_frame *frame = table->frames[*found];
        if (fl_slice_equal(frame->frame.function, function) &&
            fl_slice_equal(frame->location, location)) {
            *out = (uint32_t)*found;
            return FL_OK;
        }
    }
    *out = FL_GO_NONE;
    if (table->frame_count == FL_MAX_GO_FRAMES || !has_room(table, function.len + location.len))
        return FL_OK;
    uint64_t *slot;
    fl_status status = add_frame(out, table, function, location, err);
    if (status == FL_OK)
        status = fl_map_slot(&slot, table->frame_of, hash, NULL, err);
    if (status == FL_OK)
        *slot = *out;
    return status;
}

/* Over numbers of frames, which the process gave in the order of the input; never leaves it. */
static uint64_t hash_stack(const fl_gostack *stack)
{
    uint64_t hash = fl_hash_mix(stack->created_by) + stack->is_leaked + 2u * stack->is_elided;
    for (size_t i = 0; i < stack->count; i++)
        hash = fl_hash_mix(hash ^ stack->frames[i]);
    return fl_hash_mix(hash ^ fl_hash_keyed(stack->state));
}

/* Field by field: equal hashes are no proof. */
static bool same_stack(const go_group *group, const fl_gostack *stack)
{
    const fl_gogroup *is = &group->group;
    return is->stack_count == stack->count && group->created_by == stack->created_by &&
           is->is_leaked == stack->is_leaked && is->is_elided == stack->is_elided &&
           (stack->count == 0 ||
            memcmp(group->frames, stack->frames, stack->count * sizeof(uint32_t)) == 0) &&
           fl_slice_equal(is->state, stack->state);
}

/* Frames do not move, so that groups point to them. */
static const fl_goframe *frame_at(const fl_gotable *table, uint32_t frame)
{
    assert(frame < table->frame_count);
    return &table->frames[frame]->frame;
}

/* A copy of the stack, as numbers and as pointers to its frames. */
static fl_status add_group(fl_gotable *table, const fl_gostack *stack, fl_error *err)
{
    fl_status status = grow(&table->groups, &table->group_cap, table->group_count, err);
    if (status != FL_OK)
        return status;
    go_group *group = fl_arena_alloc(&table->arena, 1, sizeof(*group));
    uint32_t *frames = fl_arena_alloc(&table->arena, stack->count + 1, sizeof(*frames));
    const fl_goframe **shown =
        fl_arena_alloc(&table->arena, stack->count + 1, sizeof(const void *));
    fl_slice state = fl_arena_copy(&table->arena, stack->state);
    if (group == NULL || frames == NULL || shown == NULL || state.ptr == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for goroutines");
    for (size_t i = 0; i < stack->count; i++) {
        frames[i] = stack->frames[i];
        shown[i] = frame_at(table, frames[i]);
    }
    *group = (go_group){.frames = frames, .created_by = stack->created_by};
    group->group = (fl_gogroup){.stack = shown,
                                .stack_count = stack->count,
                                .state = state,
                                .is_leaked = stack->is_leaked,
                                .is_elided = stack->is_elided};
    if (stack->created_by != FL_GO_NONE)
        group->group.created_by = frame_at(table, stack->created_by);
    table->groups[table->group_count++] = group;
    return FL_OK;
}

fl_status fl_gotable_group(uint32_t *out, fl_gotable *table, const fl_gostack *stack, fl_error *err)
{
    uint64_t hash = hash_stack(stack);
    for (;; hash++) {
        const uint64_t *found = fl_map_find(table->group_of, hash);
        if (found == NULL)
            break;
        *out = (uint32_t)*found;
        if (same_stack(table->groups[*found], stack))
            return FL_OK;
    }
    *out = FL_GO_NONE;
    size_t bytes = stack->count * (sizeof(uint32_t) + sizeof(void *)) + stack->state.len;
    if (table->group_count == FL_MAX_GO_STACKS || !has_room(table, bytes))
        return FL_OK;
    uint64_t *slot;
    fl_status status = add_group(table, stack, err);
    if (status == FL_OK)
        status = fl_map_slot(&slot, table->group_of, hash, NULL, err);
    if (status != FL_OK)
        return status;
    *out = (uint32_t)(table->group_count - 1);
    *slot = *out;
    return FL_OK;
}

/* Rises with the minutes; see the head of the file. */
static uint32_t bucket_of(uint64_t minutes)
{
    assert(minutes <= UINT32_MAX);
    if (minutes < EXACT_MINUTES)
        return (uint32_t)minutes;
    uint32_t bits = EXACT_BITS;
    while (minutes >> (bits + 1) != 0)
        bits++;
    uint32_t step = (uint32_t)(minutes >> (bits - STEP_BITS)) & ((1u << STEP_BITS) - 1);
    return EXACT_MINUTES + ((bits - EXACT_BITS) << STEP_BITS) + step;
}

/* The shortest wait of a bucket. */
static uint32_t minutes_of(uint32_t bucket)
{
    assert(bucket < 1u << WAIT_BITS);
    if (bucket < EXACT_MINUTES)
        return bucket;
    uint32_t bits = EXACT_BITS + ((bucket - EXACT_MINUTES) >> STEP_BITS);
    uint32_t step = (bucket - EXACT_MINUTES) & ((1u << STEP_BITS) - 1);
    return (1u << bits) + (step << (bits - STEP_BITS));
}

/* Waits beyond the budget of distinct ones still reach the minimum and maximum. */
static fl_status count_wait(fl_gotable *table, uint32_t group, uint64_t minutes, fl_error *err)
{
    uint64_t key = (uint64_t)group << WAIT_BITS | bucket_of(minutes), *slot;
    if (fl_map_count(table->waits) == FL_MAX_GO_WAITS && fl_map_find(table->waits, key) == NULL)
        return FL_OK;
    fl_status status = fl_map_slot(&slot, table->waits, key, NULL, err);
    if (status == FL_OK)
        ++*slot;
    return status;
}

/* The largest hash of a full sample, and where it stands. */
static size_t worst_of(go_group *group)
{
    size_t worst = 0;
    group->worst_hash = 0;
    for (size_t i = 0; i < FL_GO_SAMPLE; i++) {
        uint64_t hash = fl_hash_mix(group->ids[i]);
        if (hash >= group->worst_hash) {
            group->worst_hash = hash;
            worst = i;
        }
    }
    return worst;
}

/* Keep the ids whose hash is smallest: whatever the order, the same ones. Without room the sample
 * stays empty, which tells nothing. */
static void sample_id(fl_gotable *table, go_group *group, uint64_t id)
{
    fl_gogroup *to = &group->group;
    if (to->id_count == FL_GO_SAMPLE) {
        if (fl_hash_mix(id) >= group->worst_hash)
            return;
        group->ids[worst_of(group)] = id;
        worst_of(group);
        return;
    }
    if (to->id_count == 0 || to->id_count == FEW_IDS) {
        size_t cap = to->id_count == 0 ? FEW_IDS : FL_GO_SAMPLE;
        bool is_whole = to->id_count + 1 == to->count; /* no id was lost before */
        uint64_t *ids = has_room(table, cap * sizeof(*ids)) && is_whole
                            ? fl_arena_alloc(&table->arena, cap, sizeof(*ids))
                            : NULL;
        if (ids == NULL) {
            to->id_count = 0;
            return;
        }
        for (size_t i = 0; i < to->id_count; i++)
            ids[i] = group->ids[i];
        group->ids = ids;
        to->ids = ids;
    }
    group->ids[to->id_count++] = id;
    if (to->id_count == FL_GO_SAMPLE)
        worst_of(group);
}

fl_status fl_gotable_count(fl_gotable *table, uint32_t group, uint64_t count,
                           const fl_goheader *header, fl_error *err)
{
    assert(group < table->group_count && (header == NULL || count == 1));
    fl_gogroup *to = &table->groups[group]->group;
    to->count += count;
    table->total += count;
    if (header == NULL)
        return FL_OK;
    uint32_t minutes = (uint32_t)header->minutes;
    if (to->count == count || minutes < to->wait_min)
        to->wait_min = minutes;
    if (minutes > to->wait_max)
        to->wait_max = minutes;
    if (to->example_id == 0 || header->id < to->example_id)
        to->example_id = header->id;
    sample_id(table, table->groups[group], header->id);
    if (header->id > table->newest_id)
        table->newest_id = header->id;
    to->locked_count += header->is_locked;
    if (minutes == 0)
        return FL_OK;
    to->waiting_count++;
    return count_wait(table, group, minutes, err);
}

/* The lower median of each group: those without a wait come first. */
static void find_medians(fl_gotable *table, const fl_keyed *waits, const uint64_t *counts,
                         size_t wait_count)
{
    for (size_t i = 0; i < wait_count;) {
        uint32_t at = (uint32_t)(waits[i].key >> WAIT_BITS);
        fl_gogroup *group = &table->groups[at]->group;
        uint64_t before = group->count - group->waiting_count;
        bool is_found = before > (group->count - 1) / 2;
        for (; i < wait_count && waits[i].key >> WAIT_BITS == at; i++) {
            before += counts[waits[i].index];
            if (is_found || before <= (group->count - 1) / 2)
                continue;
            uint32_t minutes = minutes_of((uint32_t)waits[i].key & ((1u << WAIT_BITS) - 1));
            group->wait_median = minutes < group->wait_min ? group->wait_min : minutes;
            is_found = true;
        }
    }
}

/* The map's rows by group, then by wait; scratch memory of the waits' number. */
static fl_status sort_waits(fl_gotable *table, fl_error *err)
{
    size_t count = fl_map_count(table->waits), cursor = 0, i = 0;
    fl_keyed *waits = fl_mem_alloc(count * 2 * sizeof(*waits));
    uint64_t *counts = fl_mem_alloc(count * sizeof(*counts));
    if (waits != NULL && counts != NULL) {
        while (fl_map_next(table->waits, &cursor, &waits[i].key, &counts[i])) {
            waits[i].index = (uint32_t)i;
            waits[i].group = 0;
            if (++i == count)
                break;
        }
        fl_sort_keyed(waits, waits + count, count);
        find_medians(table, waits, counts, count);
    }
    bool is_done = waits != NULL && counts != NULL;
    fl_mem_free(waits);
    fl_mem_free(counts);
    return is_done ? FL_OK : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for goroutines");
}

/* Rows of the sort: a group and its number before. */
typedef struct go_row {
    fl_gogroup group;
    uint32_t before;
} go_row;
_Static_assert(sizeof(go_row) <= FL_MAX_SORT_ROW_BYTES, "rows are small enough to sort");

/* By what a person reads. */
static int compare_frames(const fl_goframe *a, const fl_goframe *b)
{
    int order = fl_slice_compare(a->function, b->function);
    if (order == 0)
        order = fl_slice_compare(a->file, b->file);
    return order != 0 ? order : (a->line > b->line) - (a->line < b->line);
}

/* Groups differ in one of these, so no two are equal. */
static int compare_groups(const void *a, const void *b)
{
    const fl_gogroup *x = &((const go_row *)a)->group, *y = &((const go_row *)b)->group;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    int order = 0;
    for (size_t i = 0; order == 0 && i < x->stack_count && i < y->stack_count; i++)
        order = x->stack[i] == y->stack[i] ? 0 : compare_frames(x->stack[i], y->stack[i]);
    if (order == 0)
        order = (x->stack_count > y->stack_count) - (x->stack_count < y->stack_count);
    if (order == 0)
        order = fl_slice_compare(x->state, y->state);
    if (order == 0 && x->created_by != NULL && y->created_by != NULL)
        order = compare_frames(x->created_by, y->created_by);
    if (order == 0)
        order = (x->created_by != NULL) - (y->created_by != NULL);
    int x_flags = x->is_leaked + 2 * x->is_elided, y_flags = y->is_leaked + 2 * y->is_elided;
    return order != 0 ? order : x_flags - y_flags;
}

/* The most numerous first. */
static uint64_t by_count(const void *row)
{
    return ~((const go_row *)row)->group.count;
}

fl_status fl_gotable_finish(fl_gotable *table, fl_goroutines *out, uint32_t **moved, fl_error *err)
{
    static const fl_row_order order = {.numbers = {by_count}, .compare = compare_groups};
    size_t count = table->group_count;
    fl_status status = fl_map_count(table->waits) > 0 ? sort_waits(table, err) : FL_OK;
    if (status != FL_OK)
        return status;
    go_row *rows = fl_mem_alloc((count + 1) * sizeof(*rows));
    fl_gogroup *groups = fl_arena_alloc(&table->arena, count + 1, sizeof(*groups));
    *moved = fl_arena_alloc(&table->arena, count + 1, sizeof(**moved));
    if (rows == NULL || groups == NULL || *moved == NULL) {
        fl_mem_free(rows);
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for goroutines");
    }
    for (size_t i = 0; i < count; i++)
        rows[i] = (go_row){.group = table->groups[i]->group, .before = (uint32_t)i};
    fl_sort_rows(rows, count, sizeof(*rows), &order);
    for (size_t i = 0; i < count; i++) {
        groups[i] = rows[i].group;
        (*moved)[rows[i].before] = (uint32_t)i;
    }
    fl_mem_free(rows);
    out->groups = groups;
    out->group_count = count;
    out->total = table->total;
    out->newest_id = table->newest_id;
    return FL_OK;
}
