/*
 * leak_diff.c - sums per function of two profiles, and their errors.
 *
 * The function is the innermost one that is not the runtime's: of a heap profile the one that
 * allocates, of a goroutine profile the one that waits. A sample's variance is that of sampling
 * (trend.h); those of one function, and of the two profiles, add up, since samples are drawn
 * independently.
 *
 *   rows[sym] holds the sums of the function of that id; ids are dense and given as they come, so
 *   the order of the output is made by sorting and never by them.
 */
#include "leak_diff.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "intern.h"
#include "mem.h"
#include "pprof.h"
#include "slice.h"
#include "trend.h"

enum { MAX_NAME_BYTES = 64 << 20 };

struct sums {
    double value[2], variance;
    fl_slice file; /* of the last profile that told it, copied */
    uint64_t line;
};

struct comparing {
    fl_intern *names;
    struct sums *rows;
    size_t cap;
    fl_leak_diff *out;
    double total[2], variance;
    fl_arena *arena;
};

/* Which of its types a profile is compared by. */
struct column {
    uint32_t value, objects; /* FL_PROFILE_NONE: not sampled */
    const char *unit;
};

static fl_status choose_column(struct column *out, const fl_profile *profile, const char *path,
                               fl_error *err)
{
    out->objects = fl_profile_type_find(profile, FL_SLICE("inuse_objects"));
    out->value = fl_profile_type_find(profile, FL_SLICE("inuse_space"));
    out->unit = "bytes";
    if (out->value != FL_PROFILE_NONE)
        return FL_OK;
    out->objects = FL_PROFILE_NONE;
    out->value = fl_profile_type_find(profile, FL_SLICE("goroutine"));
    out->unit = "goroutines";
    return out->value != FL_PROFILE_NONE
               ? FL_OK
               : fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                         "%.120s is a %s profile; --diff compares heap or goroutine profiles", path,
                         fl_profile_kind_name(profile->kind));
}

/* FL_PROFILE_NONE where no frame of the sample has a name. */
static uint32_t frame_of(const fl_profile *profile, const fl_profile_sample *sample)
{
    uint32_t named = FL_PROFILE_NONE;
    for (uint32_t k = 0; k < sample->stack_count; k++) {
        uint32_t frame = profile->stack[sample->stack_at + k];
        const fl_profile_function *function = fl_profile_function_of(profile, frame);
        if (function == NULL)
            continue;
        if (named == FL_PROFILE_NONE)
            named = frame;
        if (!fl_slice_starts_with(function->name, FL_SLICE("runtime.")))
            return frame;
    }
    return named;
}

static fl_status row_of(struct sums **out, struct comparing *c, const fl_profile *profile,
                        uint32_t frame, fl_error *err)
{
    static const fl_profile_function unknown = {.name = FL_SLICE_INIT("(no name)")};
    fl_sym sym;
    const fl_profile_function *function =
        frame != FL_PROFILE_NONE ? fl_profile_function_of(profile, frame) : &unknown;
    fl_status status = fl_intern_put(&sym, c->names, function->name, err);
    if (status != FL_OK)
        return status;
    assert(sym <= c->cap);
    if (sym == c->cap) {
        size_t cap = c->cap > 0 ? 2 * c->cap : 64;
        struct sums *rows = fl_mem_realloc(c->rows, cap, sizeof(*rows));
        if (rows == NULL)
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory to compare profiles");
        memset(rows + c->cap, 0, (cap - c->cap) * sizeof(*rows));
        c->rows = rows;
        c->cap = cap;
    }
    *out = &c->rows[sym];
    if ((*out)->line == 0 && frame != FL_PROFILE_NONE && profile->frames[frame].line > 0) {
        (*out)->file = fl_arena_copy(c->arena, function->file);
        (*out)->line = (uint64_t)profile->frames[frame].line;
    }
    return FL_OK;
}

static fl_status sum_up(struct comparing *c, const fl_profile *profile, const struct column *column,
                        int side, fl_error *err)
{
    fl_status status = FL_OK;
    for (size_t i = 0; i < profile->sample_count && status == FL_OK; i++) {
        struct sums *row = NULL;
        double value = (double)fl_profile_value(profile, i, column->value), variance = 0;
        status = row_of(&row, c, profile, frame_of(profile, &profile->samples[i]), err);
        if (status != FL_OK)
            return status;
        if (column->objects != FL_PROFILE_NONE && profile->period > 1)
            variance = fl_sampling_variance((double)fl_profile_value(profile, i, column->objects),
                                            value, (double)profile->period);
        row->value[side] += value;
        row->variance += variance;
        c->total[side] += value;
        c->variance += variance;
    }
    return status;
}

/* By the size of the difference, then by name. */
static int compare_rows(const void *left, const void *right)
{
    const fl_leak_diff_row *a = left, *b = right;
    double x = fabs(a->after - a->before), y = fabs(b->after - b->before);
    if (x != y)
        return x > y ? -1 : 1;
    return strcmp(a->function, b->function);
}

static fl_status make_rows(struct comparing *c, fl_error *err)
{
    size_t count = fl_intern_count(c->names);
    fl_leak_diff_row *rows = fl_arena_alloc(c->arena, count + 1, sizeof(*rows));
    if (rows == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory to compare profiles");
    for (size_t i = 0; i < count; i++) {
        const struct sums *from = &c->rows[i];
        rows[i] = (fl_leak_diff_row){
            .function = fl_arena_cstr(c->arena, fl_intern_text(c->names, (fl_sym)i)),
            .file = from->file.len > 0 ? fl_arena_cstr(c->arena, from->file) : NULL,
            .line = from->line,
            .before = from->value[0],
            .after = from->value[1],
            .error = sqrt(from->variance)};
        if (rows[i].function == NULL || (from->file.len > 0 && rows[i].file == NULL))
            return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory to compare profiles");
    }
    qsort(rows, count, sizeof(*rows), compare_rows);
    c->out->rows = rows;
    c->out->count = count;
    c->out->before = c->total[0];
    c->out->after = c->total[1];
    c->out->error = sqrt(c->variance);
    return FL_OK;
}

/* Without their folders: the same binary may run from two places. */
static bool is_same_program(const fl_profile *a, const fl_profile *b)
{
    if (a->mapping_count == 0 || b->mapping_count == 0 || a->mappings[0].file.len == 0 ||
        b->mappings[0].file.len == 0)
        return true;
    fl_slice names[2] = {a->mappings[0].file, b->mappings[0].file};
    for (int k = 0; k < 2; k++)
        for (size_t i = names[k].len; i > 0; i--)
            if (names[k].ptr[i - 1] == '/') {
                names[k] = (fl_slice){.ptr = names[k].ptr + i, .len = names[k].len - i};
                break;
            }
    return fl_slice_equal(names[0], names[1]);
}

static fl_status compare(struct comparing *c, fl_profile *const profiles[2],
                         const char *const paths[2], fl_error *err)
{
    struct column columns[2];
    fl_status status = choose_column(&columns[0], profiles[0], paths[0], err);
    if (status == FL_OK)
        status = choose_column(&columns[1], profiles[1], paths[1], err);
    if (status == FL_OK && strcmp(columns[0].unit, columns[1].unit) != 0)
        return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                       "%.80s and %.80s are profiles of different kinds", paths[0], paths[1]);
    if (status == FL_OK && !is_same_program(profiles[0], profiles[1]))
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "%.80s and %.80s are of two programs",
                       paths[0], paths[1]);
    bool turned = profiles[0]->time_ns > profiles[1]->time_ns && profiles[1]->time_ns > 0;
    for (int side = 0; side < 2 && status == FL_OK; side++)
        status = sum_up(c, profiles[turned ? 1 - side : side], &columns[turned ? 1 - side : side],
                        side, err);
    if (status != FL_OK)
        return status;
    c->out->unit = columns[0].unit;
    c->out->from_ns = profiles[turned]->time_ns;
    c->out->to_ns = profiles[!turned]->time_ns;
    if (columns[0].objects != FL_PROFILE_NONE)
        c->out->sampling_bytes = (double)profiles[0]->period;
    return make_rows(c, err);
}

fl_status fl_leak_diff_files(fl_leak_diff *out, const char *first, const char *second,
                             fl_arena *arena, fl_error *err)
{
    assert(out != NULL && first != NULL && second != NULL);
    static const fl_pprof_options options = {.normalise_names = true, .in_logs = true};
    const char *const paths[2] = {first, second};
    fl_profile *profiles[2] = {NULL, NULL};
    struct comparing c = {.out = out, .arena = arena};
    *out = (fl_leak_diff){0};
    fl_status status = fl_intern_create(&c.names, MAX_NAME_BYTES, err);
    for (int i = 0; i < 2 && status == FL_OK; i++) {
        status = fl_profile_create(&profiles[i], err);
        if (status == FL_OK)
            status = fl_profile_read_file(profiles[i], paths[i], &options, err);
    }
    if (status == FL_OK)
        status = compare(&c, profiles, paths, err);
    fl_profile_destroy(profiles[0]);
    fl_profile_destroy(profiles[1]);
    fl_mem_free(c.rows);
    fl_intern_destroy(c.names);
    return status;
}
