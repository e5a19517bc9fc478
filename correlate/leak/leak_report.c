/*
 * leak_report.c - the answer: findings with their evidence, what was ruled out, what to collect.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "faultline/limits.h"
#include "leak_writer.h"
#include "slice.h"

enum { MAX_AGAINST = 12, MAX_RULED_OUT = 8, MAX_LINES = 8, MAX_FINDINGS = 16 };

typedef struct text_list {
    const char **rows;
    size_t count;
} text_list;

static void add_text(leak_writer *w, text_list *list, size_t cap, const char *text)
{
    if (text == NULL)
        w->failed = true;
    else if (list->count < cap)
        list->rows[list->count++] = text;
}

/* Counter-evidence: of the signature, and what the numbers themselves say. */
static fl_status add_against(leak_writer *w, text_list *list, leak_judged *j, fl_error *err)
{
    const leak_case *c = w->c;
    const leak_subject *s = j->subject;
    const fl_leak_signature *signature = j->signature;
    bool is_leak = j->verdict == FL_LEAK_LEAK;
    if (signature != NULL) {
        size_t at = fl_leak_first_pattern(c->leak, signature) + signature->must_count +
                    signature->any_count;
        for (size_t i = 0; i < signature->against_count; i++) {
            bool holds = false;
            const fl_leak_condition *condition = &signature->against[i];
            fl_status status =
                fl_leak_holds(&holds, c, s, condition, c->leak->patterns[at + i], err);
            if (status != FL_OK)
                return status;
            if (holds) {
                j->confidence *= 0.5 / (1 - 0.5 * j->confidence); /* half the odds */
                add_text(w, list, MAX_AGAINST,
                         condition->text != NULL
                             ? condition->text
                             : fl_leak_feature_info_of(condition->feature)->text);
            }
        }
    }
    if (is_leak && s->kind == FL_LEAK_SITE && s->trend.growth_z < 3.5)
        add_text(w, list, MAX_AGAINST,
                 fl_arena_printf(w->arena,
                                 "the growth of this function alone (z %.1f) is within the "
                                 "sampling error of the heap profile",
                                 s->trend.growth_z));
    if (is_leak && c->total.is_known && c->total.trend.high < 0.25 * s->trend.slope &&
        s->kind == FL_LEAK_SITE)
        add_text(w, list, MAX_AGAINST,
                 "the heap after collections does not grow as much as this function is said to");
    if (is_leak && s->series.count < 8 && !s->is_leaked)
        add_text(w, list, MAX_AGAINST,
                 fl_arena_printf(
                     w->arena,
                     "only %zu snapshots tell something new: a cache that fills looks the same",
                     s->series.count));
    if (j->verdict == FL_LEAK_RETENTION)
        add_text(w, list, MAX_AGAINST,
                 "a map that is full and in use looks the same in a heap profile: compare len() "
                 "with what is kept");
    return FL_OK;
}

/* Who started the goroutines; else the type of the innermost method of the user's own code on
 * the stack, which as a rule owns the field that keeps the memory; else who calls the function
 * where it grows. */
static const char *holder_of(leak_writer *w, const leak_subject *s)
{
    const fl_leak *leak = w->c->leak;
    if (s->kind == FL_LEAK_GOROUTINES && s->creator.len > 0)
        return fl_leak_copy_text(w, s->creator);
    if (s->top_stack == NO_ID)
        return NULL;
    const leak_stack *stack = &leak->stacks[s->top_stack];
    for (uint32_t k = stack->user; k != NO_ID && k < stack->frame_count; k++) {
        const leak_frame *frame = &leak->frames[stack->frame_at + k];
        if (frame->function == NO_ID || leak->functions[frame->function].owner != OWNER_USER)
            continue;
        fl_slice type = fl_leak_receiver_of(fl_leak_name_at(leak, frame));
        if (type.len > 0)
            return fl_leak_copy_text(w, type);
    }
    if (s->path != NULL)
        return fl_leak_copy_text(w, fl_intern_text(leak->texts, (fl_sym)s->path->caller));
    return NULL;
}

/* The caller of the path that grows, with the line from which it calls. */
static void set_caller(leak_writer *w, fl_leak_finding *out, const leak_subject *s)
{
    const fl_leak *leak = w->c->leak;
    if (s->path == NULL)
        return;
    const leak_stack *stack = &leak->stacks[s->path->top_stack];
    for (uint32_t k = 0; k < stack->frame_count; k++) {
        const leak_frame *frame = &leak->frames[stack->frame_at + k];
        if (frame->function == NO_ID || leak->functions[frame->function].name != s->path->caller)
            continue;
        out->caller = fl_leak_copy_text(w, fl_leak_name_at(leak, frame));
        out->caller_file = fl_leak_copy_text(
            w, fl_intern_text(leak->texts, leak->functions[frame->function].file));
        out->caller_line = frame->line;
        return;
    }
}

/* Function, file and line of the innermost frame of the user's own code, of the stack that
 * grew most. */
static void set_place(leak_writer *w, fl_leak_finding *out, const leak_subject *s)
{
    const fl_leak *leak = w->c->leak;
    if (s->top_stack == NO_ID || s->function == NO_ID)
        return;
    const leak_stack *stack = &leak->stacks[s->top_stack];
    const leak_frame *frame = &leak->frames[stack->frame_at + fl_leak_place_of(stack, s->set)];
    out->function = fl_leak_copy_text(w, fl_leak_name_at(leak, frame));
    out->file =
        fl_leak_copy_text(w, fl_intern_text(leak->texts, leak->functions[frame->function].file));
    out->line = frame->line;
}

static const fl_leak_interval unknown = {NAN, NAN, NAN};

/* Growth by the hour, of the exact total where the finding rests on it; and the time until the
 * limit, of which the interval turns round. */
static void set_growth(leak_writer *w, fl_leak_finding *out, const leak_judged *j)
{
    const leak_case *c = w->c;
    const fl_trend *t = j->by_total ? &c->total.trend : &j->subject->trend;
    fl_leak_interval growth = {t->slope * HOUR_S, t->low * HOUR_S, t->high * HOUR_S};
    out->growth_bytes_per_hour = out->growth_per_hour = out->seconds_to_limit = unknown;
    if (j->subject->kind == FL_LEAK_GOROUTINES)
        out->growth_per_hour = growth;
    else if (j->subject->kind == FL_LEAK_SITE)
        out->growth_bytes_per_hour = growth;
    double limit = (double)c->leak->options.limit_bytes;
    double heap = c->total.is_known ? c->total.trend.last : c->program.number[FL_LEAK_F_HEAP_BYTES];
    if (limit > 0 && j->verdict == FL_LEAK_LEAK && isfinite(heap) &&
        j->subject->kind == FL_LEAK_SITE && growth.value > 0) {
        double room = fmax(limit - heap, 0);
        out->seconds_to_limit.value = room / growth.value * HOUR_S;
        out->seconds_to_limit.low = room / growth.high * HOUR_S;
        out->seconds_to_limit.high = growth.low > 0 ? room / growth.low * HOUR_S : INFINITY;
    }
}

/* The first moment from which on each value is above the first by more than 3.5 errors of the
 * difference: the growth can be seen from then on. */
static int64_t began_of(const leak_case *c, const leak_judged *j)
{
    const leak_subject *s = j->subject;
    size_t n = s->series.count, at = n;
    bool is_growth = j->verdict == FL_LEAK_LEAK || j->verdict == FL_LEAK_NOT_ENOUGH_DATA;
    if (!is_growth || s->kind == FL_LEAK_LOCK || s->kind == FL_LEAK_PROGRAM)
        return 0;
    for (size_t i = n; i-- > 1;) {
        double rise = s->series.value[i] - s->series.value[0];
        if (!(rise > 3.5 * sqrt(fl_pair_variance(&s->series, 0, i))))
            break;
        at = i;
    }
    return at < n ? c->used[s->set][at]->time_ns : 0;
}

/* Profiles that support a finding: those that the subject was seen in, and the exact total. */
static unsigned support_of(const leak_case *c, const leak_judged *j, bool total_grows)
{
    unsigned support = j->subject->support;
    bool is_growth = j->verdict == FL_LEAK_LEAK || j->verdict == FL_LEAK_NOT_ENOUGH_DATA;
    for (size_t i = 0; is_growth && i < c->subject_count; i++) {
        const leak_subject *other = &c->subjects[i];
        bool same = other != j->subject && other->has_user && other->function != NO_ID &&
                    j->subject->function != NO_ID &&
                    c->leak->functions[other->function].name ==
                        c->leak->functions[j->subject->function].name;
        if (same && other->trend.shape == FL_SHAPE_GROWING)
            support |= other->support;
    }
    if (is_growth && total_grows)
        support |= 1u << FL_LEAK_FROM_MEMSTATS;
    if (j->verdict == FL_LEAK_GC_PRESSURE && isfinite(c->program.number[FL_LEAK_F_GC_CYCLE_MS]))
        support |= 1u << FL_LEAK_FROM_MEMSTATS;
    if (fl_leak_cpu_agrees(c, j->subject, j->verdict))
        support |= 1u << FL_LEAK_FROM_CPU;
    if (j->verdict == FL_LEAK_CRASH)
        support |= 1u << FL_LEAK_FROM_LOG;
    return support;
}

static fl_status write_finding(leak_writer *w, fl_leak_finding *out, leak_judged *j,
                               bool total_grows, fl_error *err)
{
    leak_evidence_list evidence;
    text_list against = {fl_arena_alloc(w->arena, MAX_AGAINST, sizeof(char *)), 0};
    if (against.rows == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the report");
    fl_leak_write_evidence(w, &evidence, j);
    fl_status status = add_against(w, &against, j, err);
    *out = (fl_leak_finding){.verdict = j->verdict,
                             .subject = j->subject->kind,
                             .signature = j->signature,
                             .confidence = j->confidence,
                             .holder = holder_of(w, j->subject),
                             .began_ns = began_of(w->c, j),
                             .support = support_of(w->c, j, total_grows),
                             .evidence = evidence.rows,
                             .evidence_count = evidence.count,
                             .against = against.rows,
                             .against_count = against.count};
    set_place(w, out, j->proxy != NULL ? j->proxy : j->subject);
    set_caller(w, out, j->subject);
    set_growth(w, out, j);
    return status;
}

static void rule_out(leak_writer *w, fl_leak_report *out, fl_leak_ruled_out *rows, const char *kind,
                     const char *text)
{
    if (text == NULL)
        w->failed = true;
    else if (out->ruled_out_count < MAX_RULED_OUT)
        rows[out->ruled_out_count++] = (fl_leak_ruled_out){.kind = kind, .text = text};
}

/* Whether any finding has this verdict: what was found is not ruled out. */
static bool found_verdict(const leak_judgement *j, fl_leak_verdict verdict)
{
    for (size_t i = 0; i < j->count; i++) {
        if (j->rows[i].verdict == verdict)
            return true;
    }
    return false;
}

/* What was looked for and not found, with the figure that rules it out. */
static void write_ruled_out(leak_writer *w, fl_leak_report *out, const leak_judgement *j)
{
    const leak_case *c = w->c;
    const double *number = c->program.number;
    fl_leak_ruled_out *rows = fl_arena_alloc(w->arena, MAX_RULED_OUT, sizeof(*rows));
    if (rows == NULL) {
        w->failed = true;
        return;
    }
    out->ruled_out = rows;
    bool leaks = found_verdict(j, FL_LEAK_LEAK);
    if (!leaks && c->total.is_known && out->verdict != FL_LEAK_NOT_ENOUGH_DATA)
        rule_out(w, out, rows, "leak",
                 fl_arena_printf(
                     w->arena,
                     "the heap after collections grows by %s an hour at most (95 %%), which is %s",
                     fl_leak_bytes_text(w, fmax(c->total.trend.high, 0) * HOUR_S),
                     fl_leak_shape_name(c->total.trend.shape)));
    if (c->used_count[SET_GOROUTINES] >= FL_TREND_MIN_POINTS && !leaks)
        rule_out(
            w, out, rows, "goroutines-parked",
            fl_arena_printf(w->arena,
                            "goroutines: %.0f at first, %.0f at the end, of no stack a steady rise",
                            c->goroutines.series.value[0], number[FL_LEAK_F_GOROUTINES]));
    if (!found_verdict(j, FL_LEAK_GC_PRESSURE) && isfinite(number[FL_LEAK_F_GC_CYCLE_MS]))
        rule_out(w, out, rows, "gc-pressure",
                 fl_arena_printf(
                     w->arena, "a collection takes %.1f ms of processor time, %.2f times a second",
                     number[FL_LEAK_F_GC_CYCLE_MS], number[FL_LEAK_F_GC_PER_S]));
    if (!found_verdict(j, FL_LEAK_GC_PRESSURE) && !isfinite(number[FL_LEAK_F_GC_CYCLE_MS]) &&
        number[FL_LEAK_F_CPU_GC_SHARE] < 0.05)
        rule_out(w, out, rows, "gc-pressure",
                 fl_arena_printf(w->arena, "the collector takes %.1f %% of the processor samples",
                                 100 * number[FL_LEAK_F_CPU_GC_SHARE]));
    if (!found_verdict(j, FL_LEAK_CHURN) && c->used_count[SET_HEAP] > 1 &&
        c->program.allocated[c->used_count[SET_HEAP] - 1] > 0)
        rule_out(
            w, out, rows, "churn",
            fl_arena_printf(
                w->arena, "the program allocates %s a second",
                fl_leak_bytes_text(w, (c->program.allocated[c->used_count[SET_HEAP] - 1] -
                                       c->program.allocated[0]) /
                                          c->program.series.time_s[c->used_count[SET_HEAP] - 1])));
    if (!found_verdict(j, FL_LEAK_LATENCY) && c->used_count[SET_MUTEX] > 0)
        rule_out(w, out, rows, "latency",
                 "no function of the program makes others wait for a lock for long");
}

/* What was left out, because growth between it and the rest would mean nothing. */
static void scope_warnings(leak_writer *w, text_list *list)
{
    const leak_scope *scope = &w->c->scope;
    if (scope->other_programs > 0) {
        fl_slice other = fl_intern_text(w->c->leak->texts, (fl_sym)scope->other_program);
        add_text(
            w, list, MAX_LINES,
            fl_arena_printf(w->arena,
                            "%zu of %zu profiles are of another program ('%.*s') and were left "
                            "out: growth between two programs means nothing",
                            scope->other_programs, scope->other_programs + scope->of_program,
                            FL_SLICE_ARG(other)));
    }
    if (scope->other_rates > 0)
        add_text(
            w, list, MAX_LINES,
            fl_arena_printf(w->arena,
                            "%zu of %zu heap profiles were taken at another sampling rate than "
                            "one sample in %.0f bytes, and were left out",
                            scope->other_rates, scope->other_rates + scope->of_rate,
                            fmax(scope->rate, 1)));
    if (w->c->leak->untimed > 0 && w->c->used_count[SET_HEAP] < FL_TREND_MIN_POINTS)
        add_text(
            w, list, MAX_LINES,
            fl_arena_printf(w->arena,
                            "%llu profiles do not say when they were taken (text forms do not) "
                            "and are no points of a series: ask for them without debug=",
                            (unsigned long long)w->c->leak->untimed));
    if (scope->lives > 1)
        add_text(w, list, MAX_LINES,
                 fl_arena_printf(w->arena,
                                 "the counters of allocation fall %zu times in the course of time: "
                                 "the program was started again, its clock was set back, or the "
                                 "profiles are of several instances; the longest run of %zu heap "
                                 "profiles of %zu is judged",
                                 scope->lives - 1, scope->of_life, scope->of_rate));
}

/* What would settle a verdict that could not be given, and what makes the figures doubtful. */
static void write_advice(leak_writer *w, fl_leak_report *out)
{
    const leak_case *c = w->c;
    const fl_leak *leak = c->leak;
    text_list collect = {fl_arena_alloc(w->arena, MAX_LINES, sizeof(char *)), 0};
    text_list warnings = {fl_arena_alloc(w->arena, MAX_LINES, sizeof(char *)), 0};
    if (collect.rows == NULL || warnings.rows == NULL) {
        w->failed = true;
        return;
    }
    size_t heap = c->used_count[SET_HEAP], goroutines = c->used_count[SET_GOROUTINES];
    if (out->verdict == FL_LEAK_NOT_ENOUGH_DATA) {
        if (heap < MIN_LEAK_POINTS)
            add_text(w, &collect, MAX_LINES,
                     fl_arena_printf(
                         w->arena,
                         "at least %d heap profiles with ?gc=1, evenly over an hour or several "
                         "times the slowest cycle of the load (%zu tell something new so far)",
                         MIN_LEAK_POINTS + 1, heap));
        else
            add_text(w, &collect, MAX_LINES,
                     fl_arena_printf(w->arena,
                                     "heap profiles over a longer time: growth of one function "
                                     "below %s is within their sampling error",
                                     fl_leak_bytes_text(w, out->sampling_floor_bytes)));
        if (goroutines < FL_TREND_MIN_POINTS)
            add_text(w, &collect, MAX_LINES,
                     "goroutine profiles at the same times, and one goroutine?debug=2 text after a "
                     "minute or more");
        if (out->finding_count > 0 && out->findings[0].subject == FL_LEAK_GOROUTINES)
            add_text(w, &collect, MAX_LINES,
                     "two goroutine?debug=2 texts, longer apart than a request lasts: their ids "
                     "tell whether goroutines stay or come and go with the load");
        if (!c->total.is_known)
            add_text(w, &collect, MAX_LINES,
                     "memory statistics beside them (GODEBUG=gctrace=1 or /debug/vars): the heap "
                     "after each collection has no sampling error");
    }
    scope_warnings(w, &warnings);
    if (leak->sets[SET_HEAP].seen > leak->sets[SET_HEAP].count)
        add_text(w, &warnings, MAX_LINES,
                 fl_arena_printf(
                     w->arena, "of %llu heap profiles %zu were kept, spread over the whole time",
                     (unsigned long long)leak->sets[SET_HEAP].seen, leak->sets[SET_HEAP].count));
    if (leak->dropped_sites > 0)
        add_text(w, &warnings, MAX_LINES,
                 fl_arena_printf(w->arena,
                                 "%llu samples of further stacks were left out (over the limit)",
                                 (unsigned long long)leak->dropped_sites));
    out->collect = collect.rows;
    out->collect_count = collect.count;
    out->warnings = warnings.rows;
    out->warning_count = warnings.count;
}

/* Minor version by the line at which runtime.main calls main.main: of src/runtime/proc.go, in the
 * last patch release of each. */
static int version_by_line(uint32_t line)
{
    static const struct {
        uint32_t line;
        int minor;
    } calls[] = {{250, 20}, {267, 21}, {271, 22}, {272, 23}, {283, 24}, {285, 25}, {290, 26}};
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (calls[i].line == line)
            return calls[i].minor;
    }
    return 0;
}

/* "go1.22" or "go-1.22" in a text; 0 where there is none. */
static int version_in(fl_slice text)
{
    for (size_t at = 0; at + 5 < text.len; at++) {
        fl_slice rest = {text.ptr + at, text.len - at};
        size_t skip = fl_slice_starts_with(rest, FL_SLICE("go1."))    ? 4
                      : fl_slice_starts_with(rest, FL_SLICE("go-1.")) ? 5
                                                                      : 0;
        int minor = 0;
        while (skip > 0 && skip < rest.len && rest.ptr[skip] >= '0' && rest.ptr[skip] <= '9' &&
               minor < 1000)
            minor = 10 * minor + (rest.ptr[skip++] - '0');
        if (minor > 0)
            return minor;
    }
    return 0;
}

/* In this order: what the caller says, the path of the toolchain, the line in runtime.main,
 * packages that exist only from a version on. */
static void find_version(fl_leak *leak)
{
    int by_line = 0, by_path = 0, least = 0;
    if (leak->options.runtime != NULL)
        by_path = version_in(fl_slice_of(leak->options.runtime));
    for (size_t i = 0; i < leak->frame_count; i++) {
        const leak_frame *frame = &leak->frames[i];
        if (frame->function == NO_ID)
            continue;
        fl_slice name = fl_leak_name_at(leak, frame);
        if (fl_slice_equal(name, FL_SLICE("runtime.main"))) {
            by_line = version_by_line(frame->line);
            fl_slice file = fl_intern_text(leak->texts, leak->functions[frame->function].file);
            by_path = by_path != 0 ? by_path : version_in(file);
        }
        if (fl_slice_starts_with(name, FL_SLICE("internal/runtime/maps.")) ||
            fl_slice_starts_with(name, FL_SLICE("internal/sync.(*HashTrieMap")))
            least = 24;
    }
    leak->go_minor = by_path != 0 ? by_path : by_line != 0 ? by_line : least;
}

/* From the earliest snapshot of any kind to the latest. */
static void find_span(leak_case *c)
{
    for (int set = 0; set < SET_COUNT; set++) {
        for (size_t i = 0; i < c->leak->sets[set].count; i++) {
            const leak_snapshot *snapshot = &c->leak->sets[set].snapshots[i];
            int64_t at = snapshot->time_ns;
            if (at == 0 || !fl_leak_is_in_scope(c, snapshot, (leak_set_kind)set))
                continue;
            bool first = c->from_ns == 0 && c->to_ns == 0;
            c->from_ns = first || at < c->from_ns ? at : c->from_ns;
            c->to_ns = first || at > c->to_ns ? at : c->to_ns;
        }
    }
}

/* The subject of a crash: its stack and no series. */
static void set_crash(leak_case *c)
{
    const fl_leak *leak = c->leak;
    c->crash = (leak_subject){.kind = FL_LEAK_PROGRAM,
                              .set = SET_GOROUTINES,
                              .function = NO_ID,
                              .top_stack = NO_ID,
                              .state = ""};
    for (size_t f = 0; f < LEAK_FEATURES; f++)
        c->crash.number[f] = c->program.number[f];
    if (!leak->has_crash || leak->crash_stack == NO_ID)
        return;
    const leak_stack *stack = &leak->stacks[leak->crash_stack];
    c->crash.top_stack = leak->crash_stack;
    c->crash.function =
        leak->frames[stack->frame_at + (stack->user != NO_ID ? stack->user : 0)].function;
    c->crash.has_user = stack->user != NO_ID;
}

static fl_status write_report(fl_leak_report *out, leak_case *c, leak_judgement *j, fl_arena *arena,
                              fl_error *err)
{
    leak_writer w = {.c = c, .arena = arena};
    size_t count = j->count < MAX_FINDINGS ? j->count : MAX_FINDINGS;
    fl_leak_finding *findings = fl_arena_alloc(arena, count + 1, sizeof(*findings));
    fl_status status = findings == NULL ? FL_E_NOMEM : FL_OK;
    *out = (fl_leak_report){.verdict = j->verdict,
                            .confidence = j->confidence,
                            .findings = findings,
                            .finding_count = count,
                            .from_ns = c->from_ns,
                            .to_ns = c->to_ns,
                            .used_count = c->used_count[SET_HEAP] > c->used_count[SET_GOROUTINES]
                                              ? c->used_count[SET_HEAP]
                                              : c->used_count[SET_GOROUTINES],
                            .sampling_floor_bytes =
                                c->used_count[SET_HEAP] > 0 ? 12.25 * c->scope.rate : NAN};
    for (int set = 0; set < SET_COUNT; set++)
        out->snapshot_count += (size_t)c->leak->sets[set].seen;
    for (size_t i = 0; i < count && status == FL_OK; i++)
        status = write_finding(&w, &findings[i], &j->rows[i], j->total_grows, err);
    if (status == FL_OK && count > 0 && findings[0].verdict == out->verdict)
        out->confidence = findings[0].confidence;
    if (status == FL_OK) {
        write_ruled_out(&w, out, j);
        write_advice(&w, out);
        if (c->leak->go_minor != 0)
            out->runtime = fl_leak_say(&w, fl_arena_printf(arena, "go1.%d", c->leak->go_minor));
    }
    if (status == FL_E_NOMEM || w.failed)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the report");
    return status;
}

fl_status fl_leak_judge(fl_leak_report *out, fl_leak *leak, fl_arena *arena, fl_error *err)
{
    assert(out != NULL && leak != NULL && arena != NULL);
    fl_arena scratch = fl_arena_of(FL_MAX_LEAK_SCRATCH_BYTES);
    leak_case c = {.leak = leak, .scratch = &scratch, .arena = arena};
    leak_judgement judgement = {0};
    *out = (fl_leak_report){0};
    fl_leak_decide_owners(leak);
    find_version(leak);
    fl_status status = fl_leak_scope_of(&c, err);
    if (status == FL_OK)
        find_span(&c);
    if (status == FL_OK)
        status = fl_leak_group(&c, err);
    if (status == FL_OK)
        status = fl_leak_paths_of(&c, err);
    if (status == FL_OK)
        status = fl_leak_total_of(&c, err);
    if (status == FL_OK)
        status = fl_leak_features_of(&c, err);
    if (status == FL_OK) {
        set_crash(&c);
        status = fl_leak_decide(&judgement, &c, err);
    }
    if (status == FL_OK)
        status = write_report(out, &c, &judgement, arena, err);
    fl_arena_dispose(&scratch);
    return status;
}
