/*
 * leak_evidence.c - what a finding rests on: a sentence, a figure and a moment for each view of it.
 */
#include <assert.h>
#include <math.h>

#include "leak_writer.h"
#include "slice.h"

enum { MAX_EVIDENCE = 8 };

const char *fl_leak_say(leak_writer *w, const char *text)
{
    if (text == NULL)
        w->failed = true;
    return text;
}

const char *fl_leak_copy_text(leak_writer *w, fl_slice text)
{
    return text.len == 0 ? NULL : fl_leak_say(w, fl_arena_cstr(w->arena, text));
}

const char *fl_leak_bytes_text(leak_writer *w, double bytes)
{
    double size = fabs(bytes);
    const char *text = size >= 1e9   ? fl_arena_printf(w->arena, "%.2f GB", bytes / 1e9)
                       : size >= 1e6 ? fl_arena_printf(w->arena, "%.1f MB", bytes / 1e6)
                       : size >= 1e3 ? fl_arena_printf(w->arena, "%.1f kB", bytes / 1e3)
                                     : fl_arena_printf(w->arena, "%.0f B", bytes);
    return text != NULL ? text : (w->failed = true, "");
}

/* At most MAX_EVIDENCE rows a finding: the strongest are added first. */
static void add_evidence(leak_writer *w, leak_evidence_list *list, fl_leak_evidence row)
{
    if (row.text == NULL)
        w->failed = true;
    else if (list->count < MAX_EVIDENCE)
        list->rows[list->count++] = row;
}

static int64_t last_time(const leak_case *c, leak_set_kind set)
{
    size_t n = c->used_count[set];
    return n > 0 ? c->used[set][n - 1]->time_ns : 0;
}

/* What the heap profile says: the level, how much of what was allocated stayed, the law of the
 * block sizes, and for churn the rate. */
static void heap_evidence(leak_writer *w, leak_evidence_list *list, const leak_judged *j)
{
    const leak_subject *s = j->subject;
    size_t n = s->series.count;
    if (n == 0)
        return;
    double first = s->series.value[0], last = s->series.value[n - 1];
    int64_t at = last_time(w->c, SET_HEAP);
    add_evidence(
        w, list,
        (fl_leak_evidence){.source = FL_LEAK_FROM_HEAP,
                           .at_ns = at,
                           .value = last,
                           .unit = "bytes",
                           .text = fl_arena_printf(
                               w->arena,
                               "in use by this function: %s, then %s after %.0f s (%zu collections "
                               "seen, %s, z %.1f)",
                               fl_leak_bytes_text(w, first), fl_leak_bytes_text(w, last),
                               s->series.time_s[n - 1], n, fl_leak_shape_name(s->trend.shape),
                               s->trend.growth_z)});
    double kept = s->number[FL_LEAK_F_RETAINED_RATIO];
    if (isfinite(kept) && j->verdict != FL_LEAK_CHURN)
        add_evidence(
            w, list,
            (fl_leak_evidence){
                .source = FL_LEAK_FROM_ALLOCS,
                .at_ns = at,
                .value = kept,
                .unit = "ratio",
                .text = fl_arena_printf(
                    w->arena, "of the bytes that it allocated meanwhile %.1f %% are still in use",
                    100 * kept)});
    if (s->number[FL_LEAK_F_TABLE_SHARE] >= 0.05)
        add_evidence(
            w, list,
            (fl_leak_evidence){
                .source = FL_LEAK_FROM_HEAP,
                .at_ns = at,
                .value = s->number[FL_LEAK_F_TABLE_SHARE],
                .unit = "ratio",
                .text = fl_arena_printf(
                    w->arena,
                    "%.0f %% of it lie in blocks with the sizes of map tables (largest %s)",
                    100 * s->number[FL_LEAK_F_TABLE_SHARE],
                    fl_leak_bytes_text(w, s->number[FL_LEAK_F_LARGEST_BLOCK_BYTES]))});
    if (s->number[FL_LEAK_F_LADDER_REACHED] >= 1)
        add_evidence(
            w, list,
            (fl_leak_evidence){
                .source = FL_LEAK_FROM_HEAP,
                .at_ns = at,
                .value = s->number[FL_LEAK_F_LARGEST_BLOCK_BYTES],
                .unit = "bytes",
                .text = fl_arena_printf(w->arena, "the largest block doubled within the series, "
                                                  "and no smaller one was allocated anew")});
    if (j->verdict == FL_LEAK_CHURN)
        add_evidence(
            w, list,
            (fl_leak_evidence){
                .source = FL_LEAK_FROM_ALLOCS,
                .at_ns = at,
                .value = s->number[FL_LEAK_F_ALLOC_BYTES_PER_S],
                .unit = "bytes/s",
                .text = fl_arena_printf(
                    w->arena,
                    "it allocates %s a second, %.0f %% of all bytes, and keeps next to none",
                    fl_leak_bytes_text(w, s->number[FL_LEAK_F_ALLOC_BYTES_PER_S]),
                    100 * s->number[FL_LEAK_F_ALLOC_SHARE])});
}

/* Which of several callers it is. */
static void path_evidence(leak_writer *w, leak_evidence_list *list, const leak_subject *s)
{
    if (s->path == NULL)
        return;
    size_t others = 0;
    double rest = 0;
    for (size_t i = 0; i < w->c->path_count; i++) {
        const leak_subject *path = &w->c->paths[i];
        bool is_other = path->parent == s->path->parent && path != s->path;
        others += is_other;
        rest += is_other ? path->trend.slope * HOUR_S : 0;
    }
    fl_slice caller = fl_intern_text(w->c->leak->texts, (fl_sym)s->path->caller);
    add_evidence(
        w, list,
        (fl_leak_evidence){
            .source = FL_LEAK_FROM_HEAP,
            .at_ns = last_time(w->c, SET_HEAP),
            .value = s->path->trend.slope * HOUR_S,
            .unit = "bytes/h",
            .text = fl_arena_printf(
                w->arena, "called by %.*s it grows by %s an hour; by %zu other%s %s",
                FL_SLICE_ARG(caller), fl_leak_bytes_text(w, s->path->trend.slope * HOUR_S), others,
                others == 1 ? "" : "s", rest > 0 ? fl_leak_bytes_text(w, rest) : "it does not")});
}

/* Processor samples: that a function writes a map; what collecting and waiting for locks cost. */
static void cpu_evidence(leak_writer *w, leak_evidence_list *list, const leak_judged *j)
{
    const leak_subject *s = j->subject;
    const leak_cpu *all = &w->c->cpu;
    const char *text = NULL;
    double value = NAN;
    bool is_cost = j->verdict == FL_LEAK_CHURN || j->verdict == FL_LEAK_GC_PRESSURE;
    if (s->cpu.map > 0 && s->kind == FL_LEAK_SITE) {
        text = fl_arena_printf(w->arena,
                               "of %.0f processor samples of this function %.0f are in maps: %.0f "
                               "in writes, %.0f in growing them",
                               s->cpu.samples, s->cpu.map, s->cpu.writes, s->cpu.grows);
        value = s->cpu.map;
    } else if (is_cost && isfinite(s->number[FL_LEAK_F_CPU_GC_SHARE])) {
        text = fl_arena_printf(
            w->arena, "of %.0f processor samples %.0f %% are the collector's and %.0f %% allocate",
            all->samples, 100 * s->number[FL_LEAK_F_CPU_GC_SHARE],
            100 * s->number[FL_LEAK_F_CPU_ALLOC_SHARE]);
        value = s->number[FL_LEAK_F_CPU_GC_SHARE];
    } else if (s->kind == FL_LEAK_LOCK && isfinite(s->number[FL_LEAK_F_CPU_LOCK_SHARE])) {
        text =
            fl_arena_printf(w->arena, "of %.0f processor samples %.0f %% go into waiting for locks",
                            all->samples, 100 * s->number[FL_LEAK_F_CPU_LOCK_SHARE]);
        value = s->number[FL_LEAK_F_CPU_LOCK_SHARE];
    } else {
        return;
    }
    add_evidence(w, list,
                 (fl_leak_evidence){.source = FL_LEAK_FROM_CPU,
                                    .at_ns = last_time(w->c, SET_CPU),
                                    .value = value,
                                    .unit = s->cpu.map > 0 ? "samples" : "ratio",
                                    .text = text});
}

/* When a rise ended or a step came: something changed then. */
static void change_evidence(leak_writer *w, leak_evidence_list *list, const leak_subject *s)
{
    size_t at = s->trend.knot;
    bool is_step = s->trend.shape == FL_SHAPE_STEP;
    if ((!is_step && s->trend.shape != FL_SHAPE_BOUNDED) || at == 0 || at >= s->series.count)
        return;
    assert(s->set < SET_COUNT && at < w->c->used_count[s->set]);
    const char *text =
        is_step
            ? fl_arena_printf(w->arena, "it jumped to its later level then, after %.0f s",
                              s->series.time_s[at])
            : fl_arena_printf(w->arena, "the rise ended then, after %.0f s", s->series.time_s[at]);
    add_evidence(
        w, list,
        (fl_leak_evidence){.source = fl_leak_counts_goroutines(s->set) ? FL_LEAK_FROM_GOROUTINE
                                                                       : FL_LEAK_FROM_HEAP,
                           .text = text,
                           .at_ns = w->c->used[s->set][at]->time_ns,
                           .value = s->series.value[at],
                           .unit = fl_leak_counts_goroutines(s->set) ? "goroutines" : "bytes"});
}

/* What goroutine profiles say: how many, in which state, for how long, and whether the
 * collector found them unreachable. */
static void goroutine_evidence(leak_writer *w, leak_evidence_list *list, const leak_judged *j)
{
    const leak_subject *s = j->subject;
    size_t n = s->series.count;
    int64_t at = last_time(w->c, s->set);
    if (n > 0)
        add_evidence(w, list,
                     (fl_leak_evidence){
                         .source = FL_LEAK_FROM_GOROUTINE,
                         .at_ns = at,
                         .value = s->series.value[n - 1],
                         .unit = "goroutines",
                         .text = fl_arena_printf(
                             w->arena,
                             "goroutines in this function: %.0f, then %.0f after %.0f s (%zu "
                             "snapshots, %s, z %.1f)",
                             s->series.value[0], s->series.value[n - 1], s->series.time_s[n - 1], n,
                             fl_leak_shape_name(s->trend.shape), fmin(s->trend.growth_z, 99))});
    fl_slice state = s->text_state.len > 0 ? s->text_state : fl_slice_of(s->state);
    if (state.len > 0)
        add_evidence(
            w, list,
            (fl_leak_evidence){
                .source = FL_LEAK_FROM_GOROUTINE,
                .at_ns = at,
                .value = s->number[FL_LEAK_F_WAIT_MINUTES],
                .unit = "min",
                .text = isfinite(s->number[FL_LEAK_F_WAIT_MINUTES])
                            ? fl_arena_printf(
                                  w->arena, "they wait in state %.*s, the longest for %.0f minutes",
                                  FL_SLICE_ARG(state), s->number[FL_LEAK_F_WAIT_MINUTES])
                            : fl_arena_printf(w->arena, "they wait in state %.*s",
                                              FL_SLICE_ARG(state))});
    if (s->survivors.most_stay || s->survivors.none_stay)
        add_evidence(
            w, list,
            (fl_leak_evidence){
                .source = FL_LEAK_FROM_GOROUTINE,
                .at_ns = at,
                .value = s->survivors.most_stay ? 1 : 0,
                .unit = "ratio",
                .text = fl_arena_printf(w->arena,
                                        "of %zu goroutines whose ids were compared between the "
                                        "texts %s still there in the later one",
                                        s->survivors.covered,
                                        s->survivors.most_stay ? "nearly all were" : "none was")});
    if (s->is_leaked)
        add_evidence(w, list,
                     (fl_leak_evidence){
                         .source = FL_LEAK_FROM_GOROUTINE,
                         .at_ns = at,
                         .value = 1,
                         .unit = "",
                         .text = fl_arena_printf(
                             w->arena, "the collector found that nothing can wake them any more")});
}

/* What the program as a whole says beside its profiles: exact totals, collections, locks, the
 * line of a crash. */
static void program_evidence(leak_writer *w, leak_evidence_list *list, const leak_judged *j)
{
    const leak_total *t = &w->c->total;
    const leak_subject *s = j->subject;
    bool is_growth = j->verdict == FL_LEAK_LEAK || j->verdict == FL_LEAK_NOT_ENOUGH_DATA;
    if (is_growth && t->is_known && t->trend.slope > 0 && t->trend.growth_z >= 3)
        add_evidence(
            w, list,
            (fl_leak_evidence){
                .source = FL_LEAK_FROM_MEMSTATS,
                .value = t->trend.slope * HOUR_S,
                .unit = "bytes/h",
                .text = fl_arena_printf(
                    w->arena, "the heap after collections grows by %s an hour (exact, %s%s)",
                    fl_leak_bytes_text(w, t->trend.slope * HOUR_S),
                    fl_leak_shape_name(t->trend.shape), t->is_late ? ", since it began to" : "")});
    if (j->verdict == FL_LEAK_GC_PRESSURE)
        add_evidence(
            w, list,
            (fl_leak_evidence){
                .source = FL_LEAK_FROM_MEMSTATS,
                .value = s->number[FL_LEAK_F_GC_CYCLE_MS],
                .unit = "ms",
                .text = fl_arena_printf(
                    w->arena,
                    "a collection takes %.0f ms of processor time; %.1f million objects are in use",
                    s->number[FL_LEAK_F_GC_CYCLE_MS], s->number[FL_LEAK_F_HEAP_OBJECTS] / 1e6)});
    if (s->kind == FL_LEAK_LOCK)
        add_evidence(w, list,
                     (fl_leak_evidence){
                         .source = s->set == SET_MUTEX ? FL_LEAK_FROM_MUTEX : FL_LEAK_FROM_BLOCK,
                         .at_ns = last_time(w->c, s->set),
                         .value = s->number[FL_LEAK_F_DELAY_PER_S],
                         .unit = "s/s",
                         .text = fl_arena_printf(w->arena,
                                                 "others wait %.2f s in each second for what this "
                                                 "function holds (%.0f waits a second)",
                                                 s->number[FL_LEAK_F_DELAY_PER_S],
                                                 s->number[FL_LEAK_F_WAITS_PER_S])});
    if (j->verdict == FL_LEAK_CRASH)
        add_evidence(
            w, list,
            (fl_leak_evidence){.source = FL_LEAK_FROM_LOG,
                               .value = NAN,
                               .unit = "",
                               .text = fl_leak_copy_text(
                                   w, fl_intern_text(w->c->leak->texts, w->c->leak->crash_line))});
}

/* Why a function is named that is on none of the stacks. */
static void proxy_evidence(leak_writer *w, leak_evidence_list *list, const leak_judged *j)
{
    const leak_subject *s = j->subject;
    if (j->proxy == NULL || s->function == NO_ID)
        return;
    fl_slice own = fl_intern_text(w->c->leak->texts, w->c->leak->functions[s->function].name);
    add_evidence(
        w, list,
        (fl_leak_evidence){
            .source = FL_LEAK_FROM_HEAP,
            .value = NAN,
            .unit = "",
            .text = fl_arena_printf(w->arena,
                                    "what grows is in %.*s and has no frame of the program's own "
                                    "code; the function named is the one whose calls into that "
                                    "package keep most",
                                    FL_SLICE_ARG(own))});
}

void fl_leak_write_evidence(leak_writer *w, leak_evidence_list *list, const leak_judged *j)
{
    leak_subject *s = j->subject;
    list->rows = fl_arena_alloc(w->arena, MAX_EVIDENCE, sizeof(*list->rows));
    list->count = 0;
    if (list->rows == NULL) {
        w->failed = true;
        return;
    }
    if (s->kind == FL_LEAK_SITE)
        heap_evidence(w, list, j);
    if (s->kind == FL_LEAK_SITE)
        path_evidence(w, list, s);
    if (s->kind == FL_LEAK_GOROUTINES)
        goroutine_evidence(w, list, j);
    if (s->kind == FL_LEAK_SITE || s->kind == FL_LEAK_GOROUTINES)
        change_evidence(w, list, s);
    program_evidence(w, list, j);
    cpu_evidence(w, list, j);
    proxy_evidence(w, list, j);
    assert(list->count <= MAX_EVIDENCE);
}
