/*
 * leak_scope.c - which of the snapshots may be compared: those of one program, of one sampling rate
 * and of one life of the process.
 *
 * Growth between two programs, or between two processes of one, is no growth. What a program is
 * called stands in its first mapping. A process is known by its counters of allocation, which only
 * rise: where one falls from one snapshot to the next in time, the program was started again, its
 * clock was set back, or the profiles are of several instances. Values of different rates err
 * differently, and a rate that was changed in the middle scales what was counted before it wrongly.
 *
 * Of programs one must have two thirds of the snapshots (else nothing says which is meant); of
 * rates the one with most counts, and of lives the longest; the later one among equals.
 */
#include <assert.h>
#include <stdlib.h>

#include "leak_priv.h"
#include "slice.h"

/* A fall of the counters that no rounding of a text form makes: this part, and so many samples. */
#define FALL_PART    0.05
#define FALL_SAMPLES 8

static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the leak analysis");
}

/* How many snapshots of any kind name that program. */
static size_t count_program(const fl_leak *leak, uint32_t program)
{
    size_t count = 0;
    for (int set = 0; set < SET_COUNT; set++) {
        for (size_t i = 0; i < leak->sets[set].count; i++)
            count += leak->sets[set].snapshots[i].program == program;
    }
    return count;
}

/* The program with most snapshots, and the one with most after it. */
static fl_status choose_program(leak_case *c, fl_error *err)
{
    const fl_leak *leak = c->leak;
    leak_scope *scope = &c->scope;
    uint32_t other = NO_ID;
    size_t most = 0, next = 0, all = 0;
    scope->program = NO_ID;
    for (int set = 0; set < SET_COUNT; set++) {
        for (size_t i = 0; i < leak->sets[set].count; i++) {
            uint32_t program = leak->sets[set].snapshots[i].program;
            all += program != NO_ID;
            if (program == NO_ID || program == scope->program || program == other)
                continue;
            size_t count = count_program(leak, program);
            bool first = count > most;
            if (first || count > next) {
                other = first ? scope->program : program;
                next = first ? most : count;
                scope->program = first ? program : scope->program;
                most = first ? count : most;
            }
        }
    }
    scope->of_program = most;
    scope->other_programs = all - most;
    scope->other_program = other;
    if (3 * most >= 2 * all)
        return FL_OK;
    fl_slice name = fl_intern_text(leak->texts, (fl_sym)scope->program);
    fl_slice also = fl_intern_text(leak->texts, (fl_sym)other);
    return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                   "profiles of two programs: %zu are of '%.*s' and %zu of '%.*s'; give those of "
                   "one",
                   most, (int)(name.len < 40 ? name.len : 40), (const char *)name.ptr, next,
                   (int)(also.len < 40 ? also.len : 40), (const char *)also.ptr);
}

/* Of the chosen program; what does not name one belongs to any. */
static bool is_of_program(const leak_scope *scope, const leak_snapshot *snapshot)
{
    return snapshot->program == NO_ID || snapshot->program == scope->program;
}

static void choose_rate(leak_case *c)
{
    const leak_set *set = &c->leak->sets[SET_HEAP];
    size_t most = 0, all = 0;
    int64_t latest = INT64_MIN;
    for (size_t i = 0; i < set->count; i++) {
        const leak_snapshot *one = &set->snapshots[i];
        size_t count = 0;
        int64_t last = INT64_MIN;
        for (size_t k = 0; k < set->count && is_of_program(&c->scope, one); k++) {
            const leak_snapshot *two = &set->snapshots[k];
            if (two->rate != one->rate || !is_of_program(&c->scope, two))
                continue;
            count++;
            last = two->time_ns > last ? two->time_ns : last;
        }
        all += count > 0;
        if (count > most || (count == most && last > latest)) {
            most = count;
            latest = last;
            c->scope.rate = one->rate;
        }
    }
    c->scope.other_rates = all - most;
}

static int compare_times(const void *a, const void *b)
{
    const leak_snapshot *x = *(const leak_snapshot *const *)a;
    const leak_snapshot *y = *(const leak_snapshot *const *)b;
    int by_time = (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
    return by_time != 0 ? by_time : (x->allocated > y->allocated) - (x->allocated < y->allocated);
}

static bool falls(const leak_snapshot *before, const leak_snapshot *after)
{
    double fall = before->allocated - after->allocated;
    return fall > FALL_SAMPLES * before->rate && fall > FALL_PART * before->allocated;
}

/* Cut the snapshots in time where the counters fall; the longest piece is judged. */
static fl_status choose_life(leak_case *c, fl_error *err)
{
    const leak_set *set = &c->leak->sets[SET_HEAP];
    leak_scope *scope = &c->scope;
    size_t count = 0;
    const leak_snapshot **rows = fl_arena_alloc(c->scratch, set->count + 1, sizeof(*rows));
    if (rows == NULL)
        return no_memory(err);
    for (size_t i = 0; i < set->count; i++) {
        const leak_snapshot *one = &set->snapshots[i];
        if (is_of_program(scope, one) && one->rate == scope->rate)
            rows[count++] = one;
    }
    qsort(rows, count, sizeof(*rows), compare_times);
    for (size_t from = 0, to = 0; from < count; from = to) {
        for (to = from + 1; to < count && !falls(rows[to - 1], rows[to]);)
            to++;
        scope->lives++;
        if (to - from < scope->of_life)
            continue;
        scope->of_life = to - from;
        scope->from_ns = from > 0 ? rows[from - 1]->time_ns + 1 : INT64_MIN;
        scope->to_ns = to < count ? rows[to]->time_ns - 1 : INT64_MAX;
    }
    scope->of_rate = count;
    return FL_OK;
}

fl_status fl_leak_scope_of(leak_case *c, fl_error *err)
{
    c->scope = (leak_scope){.from_ns = INT64_MIN, .to_ns = INT64_MAX};
    fl_status status = choose_program(c, err);
    if (status != FL_OK)
        return status;
    choose_rate(c);
    status = choose_life(c, err);
    assert(status != FL_OK || c->scope.of_life <= c->scope.of_rate);
    return status;
}

bool fl_leak_is_in_scope(const leak_case *c, const leak_snapshot *snapshot, leak_set_kind set)
{
    const leak_scope *scope = &c->scope;
    if (snapshot->time_ns == 0) /* of no moment: nothing is compared with it */
        return is_of_program(scope, snapshot);
    return is_of_program(scope, snapshot) && (set != SET_HEAP || snapshot->rate == scope->rate) &&
           snapshot->time_ns >= scope->from_ns && snapshot->time_ns <= scope->to_ns;
}
