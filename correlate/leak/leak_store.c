/*
 * leak_store.c - profiles to snapshots: stacks, sites and cells, with a bound on what is kept.
 *
 * Of many snapshots those stay whose time has the smallest hash, and always the earliest and the
 * latest: whatever the order in which they came, the same ones stay. A snapshot that was given up
 * could not have become one of them again: the hashes of those that stay only get smaller.
 *
 * Cost of a snapshot: one look-up for each of its functions, frames hashed once, and one look-up
 * for each stack and each site; nothing is allocated for what was seen before but its cells.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "buf.h"
#include "bytes.h"
#include "faultline/limits.h"
#include "hash.h"
#include "leak_priv.h"
#include "mem.h"
#include "slice.h"

enum { MIN_SNAPSHOTS = 8 }; /* what a trend needs, however large they are */

fl_status fl_leak_grow(void **rows, size_t *cap, size_t need, size_t size, fl_error *err)
{
    assert(size > 0);
    if (need <= *cap)
        return FL_OK;
    size_t larger = *cap < 16 ? 16 : *cap * 2;
    while (larger < need)
        larger *= 2;
    void *moved = fl_mem_realloc(*rows, larger, size);
    if (moved == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for stacks");
    *rows = moved;
    *cap = larger;
    return FL_OK;
}

/* Number a function by its name and file. Files tell functions of one name apart: two packages
 * called main in one series, or closures of two builds. */
static fl_status function_of(uint32_t *out, fl_leak *leak, fl_slice name_text, fl_slice file_text,
                             fl_error *err)
{
    fl_sym name = 0, file = 0;
    fl_status status = fl_intern_put(&name, leak->texts, name_text, err);
    if (status == FL_OK)
        status = fl_intern_put(&file, leak->texts, file_text, err);
    uint64_t *slot = NULL;
    bool added = false;
    if (status == FL_OK)
        status = fl_map_slot(&slot, leak->function_ids, (uint64_t)name << 32 | file, &added, err);
    if (status == FL_OK && added) {
        void *rows = leak->functions;
        status = fl_leak_grow(&rows, &leak->function_cap, leak->function_count + 1,
                              sizeof(*leak->functions), err);
        leak->functions = rows;
        if (status == FL_OK) {
            leak->functions[leak->function_count] =
                (leak_function){.name = name, .file = file, .next = NO_ID};
            *slot = leak->function_count++;
        }
    }
    if (status == FL_OK)
        *out = (uint32_t)*slot;
    return status;
}

/* Whether a guess is right; NO_ID is none. */
static bool is_function(const fl_leak *leak, uint32_t guess, const fl_profile_function *function)
{
    if (guess == NO_ID)
        return false;
    assert(guess < leak->function_count);
    const leak_function *known = &leak->functions[guess];
    return fl_slice_equal(fl_intern_text(leak->texts, known->name), function->name) &&
           fl_slice_equal(fl_intern_text(leak->texts, known->file), function->file);
}

/* Our numbers for a profile's functions, so that each name is looked up once a profile and not
 * once a frame. Profiles of one program list them in much the same order: comparing a text with
 * the one that followed last time costs a tenth of looking it up. */
static fl_status map_functions(fl_leak *leak, const fl_profile *profile, fl_error *err)
{
    void *rows = leak->map_room;
    fl_status status = fl_leak_grow(&rows, &leak->map_cap, profile->function_count + 1,
                                    sizeof(*leak->map_room), err);
    leak->map_room = rows;
    uint32_t before = NO_ID;
    for (size_t i = 0; i < profile->function_count && status == FL_OK; i++) {
        const fl_profile_function *from = &profile->functions[i];
        uint32_t *to = &leak->map_room[i];
        *to = before != NO_ID ? leak->functions[before].next : NO_ID;
        if (!is_function(leak, *to, from))
            status = function_of(to, leak, from->name, from->file, err);
        if (status == FL_OK && before != NO_ID)
            leak->functions[before].next = *to;
        before = *to;
    }
    return status;
}

/* Hashes may meet: the frames decide. */
static bool same_frames(const fl_leak *leak, uint32_t stack, const leak_frame *frames, size_t count)
{
    const leak_stack *s = &leak->stacks[stack];
    return s->frame_count == count &&
           memcmp(&leak->frames[s->frame_at], frames, count * sizeof(*frames)) == 0;
}

static fl_status add_stack(uint32_t *out, fl_leak *leak, const leak_frame *frames, size_t count,
                           fl_error *err)
{
    void *rows = leak->stacks, *all = leak->frames;
    fl_status status =
        fl_leak_grow(&rows, &leak->stack_cap, leak->stack_count + 1, sizeof(*leak->stacks), err);
    leak->stacks = rows;
    if (status == FL_OK)
        status = fl_leak_grow(&all, &leak->frame_cap, leak->frame_count + count,
                              sizeof(*leak->frames), err);
    leak->frames = all;
    if (status != FL_OK)
        return status;
    memcpy(&leak->frames[leak->frame_count], frames, count * sizeof(*frames));
    leak->stacks[leak->stack_count] = (leak_stack){
        .frame_at = (uint32_t)leak->frame_count, .frame_count = (uint32_t)count, .user = NO_ID};
    leak->frame_count += count;
    *out = (uint32_t)leak->stack_count++;
    return FL_OK;
}

/* Number the frames; NO_ID where there are none or too many stacks. */
static fl_status number_stack(uint32_t *out, fl_leak *leak, const leak_frame *frames, size_t count,
                              fl_error *err)
{
    *out = NO_ID;
    if (count == 0 || leak->stack_count >= FL_MAX_LEAK_STACKS)
        return FL_OK;
    uint64_t hash = fl_hash_stable(
        (fl_slice){.ptr = (const unsigned char *)frames, .len = count * sizeof(*frames)});
    for (;; hash++) {
        uint64_t *slot = NULL;
        bool added = false;
        fl_status status = fl_map_slot(&slot, leak->stack_ids, hash, &added, err);
        if (status != FL_OK)
            return status;
        if (added) {
            *slot = NO_ID;
            status = add_stack(out, leak, frames, count, err);
            if (status == FL_OK)
                *slot = *out;
            return status;
        }
        *out = (uint32_t)*slot;
        if (*out < leak->stack_count && same_frames(leak, *out, frames, count))
            return FL_OK;
    }
}

static fl_status stack_of(uint32_t *out, fl_leak *leak, const fl_profile *profile, size_t sample,
                          fl_error *err)
{
    const fl_profile_sample *s = &profile->samples[sample];
    leak_frame frames[MAX_FRAMES];
    size_t count = s->stack_count < MAX_FRAMES ? s->stack_count : MAX_FRAMES;
    for (size_t k = 0; k < count; k++) {
        const fl_profile_frame *frame = &profile->frames[profile->stack[s->stack_at + k]];
        bool named = frame->function != FL_PROFILE_NONE;
        frames[k].function = named ? leak->map_room[frame->function] : NO_ID;
        /* Without a name the address tells frames apart; it stands in the line's place. */
        frames[k].line = named ? (uint32_t)frame->line : (uint32_t)frame->address;
    }
    return number_stack(out, leak, frames, count, err);
}

static fl_status group_stack(uint32_t *out, fl_leak *leak, const fl_gogroup *group, fl_error *err)
{
    leak_frame frames[MAX_FRAMES];
    size_t count = group->stack_count < MAX_FRAMES ? group->stack_count : MAX_FRAMES;
    fl_status status = FL_OK;
    for (size_t k = 0; k < count && status == FL_OK; k++) {
        const fl_goframe *frame = group->stack[k];
        frames[k].line = frame->line;
        status = function_of(&frames[k].function, leak, frame->function, frame->file, err);
    }
    *out = NO_ID;
    return status == FL_OK ? number_stack(out, leak, frames, count, err) : status;
}

/* Number a stack and block size. Over the limit, new ones are counted and left out; known ones
 * go on. */
static fl_status site_of(uint32_t *out, fl_leak *leak, uint32_t stack, uint64_t block_bytes,
                         fl_error *err)
{
    uint64_t *slot = NULL;
    bool added = false;
    uint64_t key = fl_hash_mix((uint64_t)stack << 32 ^ fl_hash_mix(block_bytes));
    *out = NO_ID;
    if (leak->site_count >= FL_MAX_LEAK_SITES && fl_map_find(leak->site_ids, key) == NULL) {
        leak->dropped_sites++;
        return FL_OK;
    }
    fl_status status = fl_map_slot(&slot, leak->site_ids, key, &added, err);
    if (status == FL_OK && added) {
        void *rows = leak->sites, *cells = leak->cell_of;
        status =
            fl_leak_grow(&rows, &leak->site_cap, leak->site_count + 1, sizeof(*leak->sites), err);
        leak->sites = rows;
        if (status == FL_OK)
            status = fl_leak_grow(&cells, &leak->cell_of_cap, leak->site_count + 1,
                                  sizeof(*leak->cell_of), err);
        leak->cell_of = cells;
        if (status != FL_OK)
            return status;
        leak->sites[leak->site_count] = (leak_site){.stack = stack, .block_bytes = block_bytes};
        leak->cell_of[leak->site_count] = NO_ID;
        *slot = leak->site_count++;
    }
    if (status == FL_OK)
        *out = (uint32_t)*slot;
    return status;
}

/* The column of that name, or type_count. */
static size_t type_named(const fl_profile *profile, const char *name)
{
    for (size_t t = 0; t < profile->type_count; t++) {
        if (fl_slice_equal(profile->types[t].name, fl_slice_of(name)))
            return t;
    }
    return profile->type_count;
}

/* Which columns of a profile become which values; type_count: there is none. */
static bool columns_of(size_t columns[VALUE_COUNT], const fl_profile *profile, leak_set_kind set)
{
    for (size_t v = 0; v < VALUE_COUNT; v++)
        columns[v] = profile->type_count;
    if (set == SET_HEAP) {
        columns[V_ALLOC_OBJECTS] = type_named(profile, "alloc_objects");
        columns[V_ALLOC_BYTES] = type_named(profile, "alloc_space");
        columns[V_OBJECTS] = type_named(profile, "inuse_objects");
        columns[V_BYTES] = type_named(profile, "inuse_space");
        if (columns[V_BYTES] == profile->type_count) { /* other runtimes: one live heap */
            columns[V_OBJECTS] = type_named(profile, "objects");
            columns[V_BYTES] = type_named(profile, "space");
        }
        return columns[V_BYTES] < profile->type_count;
    }
    columns[V_COUNT] = 0;
    if (set == SET_MUTEX || set == SET_BLOCK)
        columns[V_DELAY] = type_named(profile, "delay");
    if (set == SET_CPU)
        columns[V_DELAY] = type_named(profile, "cpu");
    return profile->type_count > 0;
}

/* The block size of a heap sample: its label, else what the values say. */
static uint64_t block_of(const fl_profile *profile, size_t sample, const double *value)
{
    const fl_profile_sample *s = &profile->samples[sample];
    for (uint32_t k = 0; k < s->label_count; k++) {
        const fl_profile_label *label = &profile->labels[s->label_at + k];
        if (fl_slice_equal(label->key, FL_SLICE("bytes")) && label->number > 0)
            return (uint64_t)label->number;
    }
    if (value[V_ALLOC_OBJECTS] > 0)
        return (uint64_t)llround(value[V_ALLOC_BYTES] / value[V_ALLOC_OBJECTS]);
    return value[V_OBJECTS] > 0 ? (uint64_t)llround(value[V_BYTES] / value[V_OBJECTS]) : 0;
}

/* The cell of a site in the snapshot that is being built. */
static fl_status cell_of(leak_cell **out, leak_snapshot *snapshot, size_t *cap, fl_leak *leak,
                         uint32_t site, fl_error *err)
{
    if (leak->cell_of[site] == NO_ID) {
        void *rows = snapshot->cells;
        fl_status status =
            fl_leak_grow(&rows, cap, snapshot->cell_count + 1, sizeof(leak_cell), err);
        snapshot->cells = rows;
        if (status != FL_OK)
            return status;
        leak->cell_of[site] = (uint32_t)snapshot->cell_count;
        snapshot->cells[snapshot->cell_count++] = (leak_cell){.site = site};
    }
    *out = &snapshot->cells[leak->cell_of[site]];
    return FL_OK;
}

/* Forget the cells' places, for the next snapshot. */
static void seal(leak_snapshot *snapshot, fl_leak *leak)
{
    for (size_t i = 0; i < snapshot->cell_count; i++)
        leak->cell_of[snapshot->cells[i].site] = NO_ID;
}

/* Fill `snapshot` with one cell for each site. */
static fl_status fill(leak_snapshot *snapshot, fl_leak *leak, const fl_profile *profile,
                      leak_set_kind set, fl_error *err)
{
    size_t columns[VALUE_COUNT], cap = 0;
    fl_status status = FL_OK;
    if (!columns_of(columns, profile, set))
        return FL_OK;
    for (size_t i = 0; i < profile->sample_count && status == FL_OK; i++) {
        double value[VALUE_COUNT] = {0};
        uint32_t stack = NO_ID, site = NO_ID;
        leak_cell *cell = NULL;
        double sum = 0;
        for (size_t v = 0; v < VALUE_COUNT; v++) {
            if (columns[v] < profile->type_count)
                value[v] = fmax((double)profile->values[i * profile->type_count + columns[v]], 0);
            sum += value[v];
        }
        /* Go lists a stack before the collection that counts it: all zero, and no news. */
        if (sum <= 0)
            continue;
        status = stack_of(&stack, leak, profile, i, err);
        if (status == FL_OK && stack != NO_ID)
            status =
                site_of(&site, leak, stack, set == SET_HEAP ? block_of(profile, i, value) : 0, err);
        if (status != FL_OK || site == NO_ID)
            continue;
        status = cell_of(&cell, snapshot, &cap, leak, site, err);
        for (size_t v = 0; v < VALUE_COUNT && status == FL_OK; v++)
            cell->value[v] += value[v];
    }
    seal(snapshot, leak);
    return status;
}

/* Equal for equal cells in whatever order. */
static uint64_t print_of(const leak_snapshot *snapshot)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < snapshot->cell_count; i++) {
        const leak_cell *cell = &snapshot->cells[i];
        uint64_t hash = fl_hash_mix(cell->site + 1);
        for (size_t v = 0; v < VALUE_COUNT; v++) {
            hash = fl_hash_mix(hash ^ fl_bits_of(cell->value[v]));
        }
        sum += hash;
    }
    return sum;
}

/* The snapshot to give up: of those between the earliest and the latest the one with the largest
 * rank. */
static size_t spare_of(const leak_set *set)
{
    size_t first = 0, last = 0, spare = SIZE_MAX;
    for (size_t i = 1; i < set->count; i++) {
        if (set->snapshots[i].time_ns < set->snapshots[first].time_ns)
            first = i;
        if (set->snapshots[i].time_ns > set->snapshots[last].time_ns)
            last = i;
    }
    for (size_t i = 0; i < set->count; i++) {
        bool is_end = i == first || i == last;
        if (!is_end && (spare == SIZE_MAX || set->snapshots[i].rank > set->snapshots[spare].rank))
            spare = i;
    }
    return spare;
}

static void thin_out(leak_set *set)
{
    for (;;) {
        bool too_large = set->cell_count > FL_MAX_LEAK_CELLS && set->count > MIN_SNAPSHOTS;
        if (too_large) /* and from now on so many at most */
            set->keep = set->count - 1;
        if (set->count <= set->keep)
            return;
        size_t spare = spare_of(set);
        assert(spare < set->count);
        set->cell_count -= set->snapshots[spare].cell_count;
        fl_mem_free(set->snapshots[spare].cells);
        set->snapshots[spare] = set->snapshots[--set->count];
    }
}

/* Take ownership of a finished snapshot, then give up what is over the limits. */
static fl_status keep(leak_set *set, leak_snapshot *snapshot, fl_error *err)
{
    void *rows = set->snapshots;
    fl_status status = fl_leak_grow(&rows, &set->cap, set->count + 1, sizeof(*snapshot), err);
    set->snapshots = rows;
    if (status != FL_OK)
        return status;
    void *fitted = fl_mem_realloc(snapshot->cells, snapshot->cell_count + 1, sizeof(leak_cell));
    if (fitted != NULL) /* else the larger block stays */
        snapshot->cells = fitted;
    set->snapshots[set->count++] = *snapshot;
    set->cell_count += snapshot->cell_count;
    thin_out(set);
    return FL_OK;
}

static bool set_of(leak_set_kind *set, unsigned *from, fl_profile_kind kind)
{
    static const struct {
        fl_profile_kind kind;
        leak_set_kind set;
        fl_leak_source source;
    } rows[] = {
        {FL_PROFILE_HEAP, SET_HEAP, FL_LEAK_FROM_HEAP},
        {FL_PROFILE_ALLOCS, SET_HEAP, FL_LEAK_FROM_ALLOCS},
        {FL_PROFILE_GOROUTINE, SET_GOROUTINES, FL_LEAK_FROM_GOROUTINE},
        {FL_PROFILE_GOROUTINE_LEAK, SET_LEAKED, FL_LEAK_FROM_GOROUTINE},
        {FL_PROFILE_MUTEX, SET_MUTEX, FL_LEAK_FROM_MUTEX},
        {FL_PROFILE_BLOCK, SET_BLOCK, FL_LEAK_FROM_BLOCK},
        {FL_PROFILE_CPU, SET_CPU, FL_LEAK_FROM_CPU},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].kind == kind) {
            *set = rows[i].set;
            *from = 1u << rows[i].source;
            return true;
        }
    }
    return false;
}

/* Without its folders, and without what Linux puts behind the name of a file that is gone. */
static fl_slice base_name(fl_slice file)
{
    const fl_slice gone = FL_SLICE(" (deleted)");
    if (fl_slice_ends_with(file, gone))
        file.len -= gone.len;
    for (size_t i = file.len; i > 0; i--) {
        if (file.ptr[i - 1] == '/')
            return (fl_slice){.ptr = file.ptr + i, .len = file.len - i};
    }
    return file;
}

/* The program is the file of the first mapping. A runtime that maps none and counts other things
 * than Go is at least another one. */
static fl_status program_of(uint32_t *out, fl_leak *leak, const fl_profile *profile, fl_error *err)
{
    fl_sym program = 0;
    bool is_heap = profile->kind == FL_PROFILE_HEAP || profile->kind == FL_PROFILE_ALLOCS;
    bool is_foreign = is_heap && type_named(profile, "inuse_space") == profile->type_count;
    fl_slice name =
        profile->mapping_count > 0 ? base_name(profile->mappings[0].file) : FL_SLICE("");
    *out = NO_ID;
    if (name.len == 0 && is_foreign)
        name = FL_SLICE("a runtime that is not Go's");
    if (name.len == 0)
        return FL_OK;
    fl_status status = fl_intern_put(&program, leak->texts, name, err);
    if (status == FL_OK)
        *out = program;
    return status;
}

static double allocated_of(const leak_snapshot *snapshot)
{
    double sum = 0;
    for (size_t i = 0; i < snapshot->cell_count; i++)
        sum += snapshot->cells[i].value[V_ALLOC_BYTES];
    return sum;
}

fl_status fl_leak_add(fl_leak *leak, const fl_profile *profile, int64_t time_ns, fl_error *err)
{
    leak_set_kind kind = SET_COUNT;
    unsigned from = 0;
    assert(leak != NULL && profile != NULL);
    if (!set_of(&kind, &from, profile->kind))
        return FL_OK;
    fl_status status = map_functions(leak, profile, err);
    int64_t time = profile->time_ns != 0 ? profile->time_ns : time_ns;
    if (status != FL_OK || time == 0) {
        leak->untimed += status == FL_OK;
        return status;
    }
    leak_set *set = &leak->sets[kind];
    leak_snapshot snapshot = {.time_ns = time,
                              .rank = fl_hash_mix((uint64_t)time),
                              .from = from,
                              .duration_s = (double)profile->duration_ns / NS_PER_S};
    if (kind == SET_HEAP)
        snapshot.rate = profile->period > 1 ? (double)profile->period : 0;
    status = program_of(&snapshot.program, leak, profile, err);
    if (status == FL_OK)
        status = fill(&snapshot, leak, profile, kind, err);
    snapshot.print = print_of(&snapshot);
    snapshot.allocated = kind == SET_HEAP ? allocated_of(&snapshot) : 0;
    if (status == FL_OK)
        status = keep(set, &snapshot, err);
    if (status != FL_OK)
        fl_mem_free(snapshot.cells);
    else
        set->seen++;
    return status;
}

/* What a text tells beyond numbers. */
static fl_status note_parked(fl_leak *leak, const fl_gogroup *group, uint32_t stack,
                             uint64_t newest_id, fl_error *err)
{
    leak_parked parked = {.stack = stack,
                          .is_leaked = group->is_leaked,
                          .count = (double)group->count,
                          .newest_id = newest_id,
                          .id_count = group->id_count};
    assert(group->id_count <= FL_GO_SAMPLE);
    if (group->id_count > 0)
        memcpy(parked.ids, group->ids, group->id_count * sizeof(parked.ids[0]));
    fl_slice creator = group->created_by != NULL ? group->created_by->function : FL_SLICE("");
    if (leak->parked_count >= FL_MAX_LEAK_PARKED)
        return FL_OK;
    parked.wait_minutes = group->waiting_count > 0 ? (double)group->wait_max : NAN;
    bool most_wait = group->waiting_count > 0 && group->waiting_count >= group->count / 2;
    parked.median_minutes = most_wait ? (double)group->wait_median : NAN;
    fl_status status = fl_intern_put(&parked.state, leak->texts, group->state, err);
    if (status == FL_OK)
        status = fl_intern_put(&parked.created_by, leak->texts, creator, err);
    void *rows = leak->parked;
    if (status == FL_OK)
        status =
            fl_leak_grow(&rows, &leak->parked_cap, leak->parked_count + 1, sizeof(parked), err);
    leak->parked = rows;
    if (status == FL_OK)
        leak->parked[leak->parked_count++] = parked;
    return status;
}

/* The first crash that is not handled ends the program; a panic that net/http caught does not. */
static fl_status note_crash(fl_leak *leak, const fl_gocrash *crash, fl_error *err)
{
    if (leak->has_crash || crash->kind == FL_GOCRASH_HANDLED) /* the first ended the program */
        return FL_OK;
    leak->crash_stack = NO_ID;
    fl_buf line = fl_buf_of(FL_MAX_NAME_LEN + 32);
    fl_buf_text(&line, crash->kind == FL_GOCRASH_FATAL ? "fatal error: " : "panic: ");
    fl_buf_add(&line, crash->message.len <= FL_MAX_NAME_LEN
                          ? crash->message
                          : (fl_slice){crash->message.ptr, FL_MAX_NAME_LEN});
    fl_status status = fl_buf_check(&line, "a crash's line", err);
    if (status == FL_OK)
        status = fl_intern_put(&leak->crash_line, leak->texts, fl_buf_slice(&line), err);
    fl_buf_dispose(&line);
    if (status == FL_OK && crash->group != NULL)
        status = group_stack(&leak->crash_stack, leak, crash->group, err);
    leak->has_crash = status == FL_OK;
    leak->crash_is_fatal = crash->kind == FL_GOCRASH_FATAL;
    return status;
}

static bool is_leaked(const fl_goroutines *goroutines, size_t group)
{
    return goroutines->form == FL_GOROUTINES_LEAKED || goroutines->groups[group].is_leaked;
}

/* The groups as a snapshot of one set: all of them, or those that nothing can wake. */
static fl_status add_groups(fl_leak *leak, const fl_goroutines *goroutines, leak_set_kind kind,
                            int64_t time_ns, fl_error *err)
{
    leak_snapshot snapshot = {.time_ns = time_ns,
                              .rank = fl_hash_mix((uint64_t)time_ns),
                              .from = 1u << FL_LEAK_FROM_GOROUTINE,
                              .program = NO_ID};
    size_t cap = 0;
    fl_status status = FL_OK;
    for (size_t i = 0; i < goroutines->group_count && status == FL_OK; i++) {
        uint32_t stack = NO_ID, site = NO_ID;
        leak_cell *cell = NULL;
        if (kind == SET_LEAKED && !is_leaked(goroutines, i))
            continue;
        status = group_stack(&stack, leak, &goroutines->groups[i], err);
        if (status == FL_OK && stack != NO_ID)
            status = site_of(&site, leak, stack, 0, err);
        if (status == FL_OK && site != NO_ID)
            status = cell_of(&cell, &snapshot, &cap, leak, site, err);
        if (cell != NULL)
            cell->value[V_COUNT] += (double)goroutines->groups[i].count;
    }
    seal(&snapshot, leak);
    snapshot.print = print_of(&snapshot);
    if (status == FL_OK && snapshot.cell_count > 0)
        status = keep(&leak->sets[kind], &snapshot, err);
    if (status != FL_OK || snapshot.cell_count == 0)
        fl_mem_free(snapshot.cells);
    else
        leak->sets[kind].seen++;
    return status;
}

fl_status fl_leak_add_goroutines(fl_leak *leak, const fl_goroutines *goroutines, int64_t time_ns,
                                 fl_error *err)
{
    assert(leak != NULL && goroutines != NULL);
    bool any_leaked = false;
    fl_status status = FL_OK;
    for (size_t i = 0; i < goroutines->crash_count && status == FL_OK; i++)
        status = note_crash(leak, &goroutines->crashes[i], err);
    for (size_t i = 0; i < goroutines->group_count && status == FL_OK; i++) {
        uint32_t stack = NO_ID;
        any_leaked = any_leaked || is_leaked(goroutines, i);
        status = group_stack(&stack, leak, &goroutines->groups[i], err);
        if (status == FL_OK && stack != NO_ID)
            status = note_parked(leak, &goroutines->groups[i], stack, goroutines->newest_id, err);
    }
    if (status != FL_OK ||
        goroutines->crash_count > 0) /* those that died are no number to compare */
        return status;
    /* Those that nothing can wake are one now and for ever, whenever it was told. */
    if (any_leaked)
        status = add_groups(leak, goroutines, SET_LEAKED, time_ns, err);
    if (status == FL_OK && goroutines->form != FL_GOROUTINES_LEAKED && time_ns != 0)
        status = add_groups(leak, goroutines, SET_GOROUTINES, time_ns, err);
    return status;
}
