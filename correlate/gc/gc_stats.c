/*
 * gc_stats.c - collections gathered, one after the other.
 *
 * Rates. What was allocated between two collections is what the second found before it minus what
 * the first left; during a concurrent collection the program goes on allocating, which its own two
 * sizes hide, so that the rate is a lower bound there. What was promoted is told by the log.
 *
 * Levels. A collection of the young part alone leaves the garbage of the old one, which then fills
 * until it is collected: only levels after that tell what stays (full and mixed ones, and of Z and
 * Shenandoah any that is not of the young part alone). Where there are too few of them the levels
 * after all collections are shown, and nothing is judged by them.
 */
#include "gc_stats.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gc_priv.h"
#include "mem.h"
#include "slice.h"
#include "timestamp.h"

/* No level yet: larger than any that comes. */
static gc_part empty_part(void)
{
    return (gc_part){.low = INFINITY, .low_old = INFINITY, .metaspace = INFINITY};
}

fl_status fl_gc_stats_create(fl_gc_stats **out, fl_error *err)
{
    assert(out != NULL);
    *out = NULL;
    fl_gc_stats *stats = fl_mem_calloc(1, sizeof(*stats));
    if (stats == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for collections");
    stats->about = (fl_gc_about){.max_bytes = -1, .region_bytes = -1};
    stats->has_clock = true;
    stats->last_since_ns = stats->last_time_ns = stats->last_after_bytes = -1;
    stats->from_ns = stats->to_ns = stats->last_old_after = stats->largest_capacity = -1;
    stats->part_ns = FL_NS_PER_MS;
    for (size_t i = 0; i < GC_PARTS; i++)
        stats->parts[i] = empty_part();
    *out = stats;
    return FL_OK;
}

void fl_gc_stats_destroy(fl_gc_stats *stats)
{
    fl_mem_free(stats);
}

fl_status fl_gc_stats_begin(fl_gc_stats *stats, const char *file, fl_error *err)
{
    assert(stats != NULL && file != NULL);
    if (stats->file_count == FL_GC_MAX_FILES)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "more than %d log files", FL_GC_MAX_FILES);
    stats->files[stats->file_count++] = file;
    return FL_OK;
}

/* ---- durations ---- */

/* The step in which a duration is counted; those beyond the largest share the last. */
static size_t step_of(int64_t ns)
{
    uint64_t value = (uint64_t)ns;
    unsigned bits = 0;
    assert(ns >= 0);
    if (value < GC_STEPS)
        return (size_t)value;
    while (value >> bits >= 2 * GC_STEPS)
        bits++;
    size_t step = (size_t)(bits + 1) * GC_STEPS + (size_t)((value >> bits) - GC_STEPS);
    return step < (size_t)GC_BITS * GC_STEPS ? step : (size_t)GC_BITS * GC_STEPS - 1;
}

/* The middle of a step. */
static int64_t value_of(size_t step)
{
    if (step < GC_STEPS)
        return (int64_t)step;
    unsigned bits = (unsigned)(step / GC_STEPS) - 1;
    int64_t low = (int64_t)(step % GC_STEPS + GC_STEPS) << bits;
    return low + ((INT64_C(1) << bits) >> 1);
}

static void count_duration(gc_histogram *h, int64_t ns)
{
    size_t step = step_of(ns);
    h->count++;
    h->total_ns = ns > INT64_MAX - h->total_ns ? INT64_MAX : h->total_ns + ns;
    h->max_ns = ns > h->max_ns ? ns : h->max_ns;
    h->steps[step] += h->steps[step] < UINT32_MAX;
}

/* The smallest step at or below which `ratio` of all lie. */
static int64_t quantile(const gc_histogram *h, double ratio)
{
    uint64_t wanted = (uint64_t)ceil(ratio * (double)h->count), seen = 0;
    size_t step = 0;
    for (; step + 1 < (size_t)GC_BITS * GC_STEPS; step++) {
        seen += h->steps[step];
        if (seen >= wanted && seen > 0)
            break;
    }
    int64_t value = value_of(step); /* the last step holds the largest, which is known */
    return value < h->max_ns && seen < h->count ? value : h->max_ns;
}

/* What a reader asks of a histogram. */
static fl_gc_durations durations_of(const gc_histogram *h)
{
    if (h->count == 0)
        return (fl_gc_durations){
            .total_ns = 0, .p50_ns = -1, .p95_ns = -1, .p99_ns = -1, .p999_ns = -1, .max_ns = -1};
    return (fl_gc_durations){.count = h->count,
                             .total_ns = h->total_ns,
                             .p50_ns = quantile(h, 0.5),
                             .p95_ns = quantile(h, 0.95),
                             .p99_ns = quantile(h, 0.99),
                             .p999_ns = quantile(h, 0.999),
                             .max_ns = h->max_ns};
}

/* ---- the clock ---- */

/* Two parts become one, of twice the width. */
static void widen(fl_gc_stats *s)
{
    for (size_t i = 0; i < GC_PARTS; i++) {
        gc_part part = empty_part();
        for (size_t k = 2 * i; k < 2 * i + 2 && k < GC_PARTS; k++) {
            const gc_part *from = &s->parts[k];
            if (from->low < part.low) {
                part.low = from->low;
                part.low_ns = from->low_ns;
            }
            if (from->low_old < part.low_old) {
                part.low_old = from->low_old;
                part.low_old_ns = from->low_old_ns;
            }
            if (from->metaspace < part.metaspace) {
                part.metaspace = from->metaspace;
                part.class_ns = from->class_ns;
            }
            part.pause_ns += from->pause_ns;
        }
        s->parts[i] = part;
    }
    s->part_ns *= 2;
}

/* The time since the start falls by more than threads that log at once make it; or the machine
 * began after the event before. */
static bool is_restart(const fl_gc_stats *s, const fl_gc_event *e)
{
    if (e->since_ns < 0 || s->last_since_ns < 0)
        return false;
    return e->since_ns < s->last_since_ns - FL_NS_PER_S ||
           (s->last_time_ns >= 0 && e->time_ns - e->since_ns > s->last_time_ns);
}

/*
 * Time since the first event. The time since the virtual machine's start is preferred, since the
 * wall clock may be set; where it goes back the machine was started again, and how long that took
 * only the wall clock knows. Threads that log at once do so out of order, by much less than a
 * second.
 */
static void advance(fl_gc_stats *s, const fl_gc_event *e)
{
    const int64_t longest_ns = INT64_C(1) << 61;
    int64_t now_ns = s->now_ns;
    if (e->since_ns < 0 && e->time_ns < 0)
        s->has_clock = false;
    else if (!s->began)
        s->base_ns = -(e->since_ns >= 0 ? e->since_ns : e->time_ns);
    else if (is_restart(s, e)) {
        bool has_wall = e->time_ns >= s->last_time_ns && s->last_time_ns >= 0;
        s->base_ns = s->now_ns + (has_wall ? e->time_ns - s->last_time_ns : 0) - e->since_ns;
        s->restarts++;
        s->last_after_bytes = -1;
    } else if ((e->since_ns >= 0) != (s->last_since_ns >= 0))
        s->base_ns = s->now_ns - (e->since_ns >= 0 ? e->since_ns : e->time_ns);
    else if (e->since_ns < 0 && e->time_ns < s->last_time_ns - FL_NS_PER_S)
        s->base_ns = s->now_ns - e->time_ns; /* the wall clock was set back */
    if (s->has_clock)
        now_ns = s->base_ns + (e->since_ns >= 0 ? e->since_ns : e->time_ns);
    now_ns = now_ns < s->now_ns ? s->now_ns : now_ns > longest_ns ? longest_ns : now_ns;
    s->began = true;
    s->now_ns = now_ns;
    s->last_since_ns = e->since_ns;
    s->last_time_ns = e->time_ns;
    if (e->time_ns >= 0) {
        s->from_ns = s->from_ns < 0 ? e->time_ns : s->from_ns;
        s->to_ns = e->time_ns > s->to_ns ? e->time_ns : s->to_ns;
    }
    while (now_ns / s->part_ns >= GC_PARTS)
        widen(s);
}

/* ---- one event ---- */

/* Whether it collects the old part, or some of it: only then a level tells what stays. */
static bool collects_old(const fl_gc_event *e)
{
    if (fl_slice_starts_with(e->name, FL_SLICE("Minor ")) ||
        fl_slice_find(e->name, FL_SLICE("(Young)")) < e->name.len) /* generational Shenandoah's */
        return false;
    return e->kind == FL_GC_CYCLE || e->kind == FL_GC_FULL || e->kind == FL_GC_MIXED ||
           e->kind == FL_GC_DEGENERATE;
}

/* What a collection tells of memory: levels, and what was made since the one before. */
static void add_sizes(fl_gc_stats *s, const fl_gc_event *e)
{
    gc_part *part = &s->parts[s->now_ns / s->part_ns];
    if (e->capacity_bytes > s->largest_capacity)
        s->largest_capacity = e->capacity_bytes;
    if (e->metaspace_bytes > 0 && (double)e->metaspace_bytes < part->metaspace) {
        part->metaspace = (double)e->metaspace_bytes;
        part->class_ns = s->now_ns;
    }
    if (e->kind == FL_GC_MARK || e->after_bytes < 0)
        return;
    if (s->last_after_bytes >= 0 && e->before_bytes > s->last_after_bytes)
        s->allocated_bytes += (double)(e->before_bytes - s->last_after_bytes);
    s->last_after_bytes = e->after_bytes;
    if (e->promoted_bytes > 0)
        s->promoted_bytes += (double)e->promoted_bytes;
    if ((double)e->after_bytes < part->low) {
        part->low = (double)e->after_bytes;
        part->low_ns = s->now_ns;
    }
    if (!collects_old(e))
        return;
    s->old_levels++;
    s->last_old_after = e->after_bytes;
    if ((double)e->after_bytes < part->low_old) {
        part->low_old = (double)e->after_bytes;
        part->low_old_ns = s->now_ns;
    }
}

/* NUL-terminated, what does not fit cut; a text out of a log may hold anything. */
static void keep(char out[GC_NAME], fl_slice text)
{
    size_t len = text.len < GC_NAME ? text.len : GC_NAME - 1;
    for (size_t i = 0; i < len; i++)
        out[i] = text.ptr[i] >= ' ' && text.ptr[i] < 127 ? (char)text.ptr[i] : '?';
    out[len] = '\0';
}

/* Threads that stall are one group, whatever they are called; what comes when all are taken, too.
 */
static void add_group(fl_gc_stats *s, const fl_gc_event *e)
{
    char name[GC_NAME], cause[GC_NAME] = "";
    size_t i = 0;
    keep(name, e->name);
    if (e->kind != FL_GC_STALL)
        keep(cause, e->cause);
    while (i < s->group_count &&
           (s->groups[i].kind != e->kind || strcmp(s->groups[i].name, name) != 0 ||
            strcmp(s->groups[i].cause, cause) != 0))
        i++;
    if (i == FL_GC_MAX_GROUPS) {
        gc_group *other = &s->groups[FL_GC_MAX_GROUPS - 1];
        keep(other->name, FL_SLICE("others"));
        other->cause[0] = '\0';
        i = FL_GC_MAX_GROUPS - 1;
    } else if (i == s->group_count) {
        s->groups[i].kind = e->kind;
        memcpy(s->groups[i].name, name, sizeof(name));
        memcpy(s->groups[i].cause, cause, sizeof(cause));
        s->group_count++;
    }
    count_duration(&s->groups[i].pauses, e->pause_ns);
}

/* Kept sorted by insertion: nearly all events are shorter than the last one kept. */
static void add_longest(fl_gc_stats *s, const fl_gc_event *e)
{
    size_t at = s->longest_count;
    while (at > 0 && s->longest[at - 1].pause.pause_ns < e->pause_ns)
        at--;
    if (at == FL_GC_LONGEST)
        return;
    s->longest_count += s->longest_count < FL_GC_LONGEST;
    memmove(&s->longest[at + 1], &s->longest[at],
            (s->longest_count - at - 1) * sizeof(s->longest[0]));
    gc_longest *out = &s->longest[at];
    out->pause = (fl_gc_pause){.pause_ns = e->pause_ns,
                               .time_ns = e->time_ns,
                               .since_ns = e->since_ns,
                               .before_bytes = e->before_bytes,
                               .after_bytes = e->after_bytes,
                               .line = e->line};
    out->file = s->file_count - 1;
    keep(out->name, e->name);
    keep(out->cause, e->cause);
}

/* Of each mark how many, how long in all, and where the first stands. */
static void add_troubles(fl_gc_stats *s, const fl_gc_event *e)
{
    for (int t = 0; t < FL_GC_TROUBLE_COUNT; t++) {
        if ((e->troubles & 1u << t) == 0)
            continue;
        if (s->troubles[t]++ == 0) {
            s->trouble_line[t] = e->line;
            s->trouble_file[t] = s->file_count - 1;
        }
        s->troubled_full[t] += e->kind == FL_GC_FULL;
        s->troubled_pause_ns[t] += e->pause_ns > 0 ? e->pause_ns : 0;
    }
}

/* Everything that one event changes, in the order in which it depends on each other: the clock
 * first. */
void fl_gc_stats_add(fl_gc_stats *stats, const fl_gc_event *event)
{
    /* A hundred years: more is no pause, and sums stay in range. */
    const int64_t longest_ns = INT64_C(100) * 365 * 86400 * FL_NS_PER_S;
    assert(stats->file_count > 0 && (unsigned)event->kind < FL_GC_KIND_COUNT);
    fl_gc_event e = *event;
    if (e.pause_ns > longest_ns)
        e.pause_ns = longest_ns;
    advance(stats, &e);
    stats->counts[e.kind]++;
    add_troubles(stats, &e);
    add_sizes(stats, &e);
    if (e.pause_ns < 0)
        return;
    add_group(stats, &e);
    add_longest(stats, &e);
    count_duration(e.kind == FL_GC_STALL ? &stats->stalls : &stats->pauses, e.pause_ns);
    if (e.kind != FL_GC_STALL)
        stats->parts[stats->now_ns / stats->part_ns].pause_ns += e.pause_ns;
}

/* Of rotated files only the first tells what the virtual machine is; counts are sums. */
void fl_gc_stats_about(fl_gc_stats *stats, const fl_gc_about *about)
{
    fl_gc_about *to = &stats->about;
    if (to->collector == FL_GC_COLLECTOR_UNKNOWN)
        to->collector = about->collector;
    if (to->version[0] == '\0')
        memcpy(to->version, about->version, sizeof(to->version));
    if (to->max_bytes < 0)
        to->max_bytes = about->max_bytes;
    if (to->region_bytes < 0)
        to->region_bytes = about->region_bytes;
    if (to->cpus == 0)
        to->cpus = about->cpus;
    if (to->rejected == 0)
        to->first_reject = about->first_reject;
    to->lines += about->lines;
    to->events += about->events;
    to->rejected += about->rejected;
}

/* ---- the report ---- */

const char *fl_gc_say(gc_case *c, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    const char *kept = fl_arena_printf(c->arena, "%s", text);
    c->failed |= kept == NULL;
    return kept != NULL ? kept : "";
}

/* The three levels that parts keep. */
enum series { HEAP_ALL, HEAP_OLD, METASPACE };

static double level_of(const gc_part *part, enum series which, int64_t *at_ns)
{
    *at_ns = which == HEAP_ALL   ? part->low_ns
             : which == HEAP_OLD ? part->low_old_ns
                                 : part->class_ns;
    return which == HEAP_ALL ? part->low : which == HEAP_OLD ? part->low_old : part->metaspace;
}

/* Java 8 and Metaspace are told in KiB, but an error too small does no harm: noise is larger. */
static fl_status find_levels(fl_levels *out, gc_case *c, enum series which, fl_error *err)
{
    const fl_gc_stats *s = c->stats;
    double *time_s = fl_arena_alloc(c->arena, 2 * (size_t)GC_PARTS, sizeof(*time_s));
    size_t count = 0;
    int64_t at_ns;
    if (time_s == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for levels");
    double *bytes = time_s + GC_PARTS;
    for (size_t i = 0; i < GC_PARTS && s->has_clock; i++) {
        double level = level_of(&s->parts[i], which, &at_ns);
        if (!isfinite(level))
            continue;
        time_s[count] = (double)at_ns / 1e9;
        bytes[count++] = level;
    }
    const fl_levels_input in = {
        .time_s = time_s, .bytes = bytes, .count = count, .rounding = FL_LEVELS_MIB_ERROR};
    fl_status status = fl_levels_of(out, &in, c->arena, err);
    if (status == FL_OK && out->is_known)
        status = fl_levels_cut_late(out, FL_LEVELS_MIB_ERROR, c->arena, err);
    return status;
}

/* A trend by the second, shown by the hour. */
static fl_gc_level level_shown(const fl_levels *levels)
{
    const fl_trend *t = &levels->trend;
    fl_gc_level out = {.shape = "unclear", .per_hour = {NAN, NAN, NAN}, .growth_z = NAN};
    if (!levels->is_known)
        return out;
    out.time_s = levels->series.time_s;
    out.bytes = levels->series.value;
    out.count = levels->series.count;
    out.shape = fl_leak_shape_name(t->shape);
    out.per_hour = (fl_leak_interval){3600 * t->slope, 3600 * t->low, 3600 * t->high};
    out.growth_z = t->growth_z;
    return out;
}

/* The share of pauses in the worst minute, or the little more that whole parts make of it; parts
 * are no wider than a minute then. */
static void find_worst(fl_gc_report *out, const fl_gc_stats *s)
{
    const int64_t minute_ns = 60 * FL_NS_PER_S;
    int64_t per = (minute_ns + s->part_ns - 1) / s->part_ns, sum = 0, worst = -1, worst_part = 0;
    out->worst_pause_ratio = NAN;
    out->worst_at_ns = -1;
    if (!s->has_clock || s->now_ns < minute_ns || s->part_ns > minute_ns)
        return;
    for (int64_t i = 0; i <= s->now_ns / s->part_ns; i++) {
        sum += s->parts[i].pause_ns;
        sum -= i >= per ? s->parts[i - per].pause_ns : 0;
        if (sum > worst) {
            worst = sum;
            worst_part = i >= per ? i - per + 1 : 0;
        }
    }
    out->worst_pause_ratio = fmin((double)worst / (double)(per * s->part_ns), 1);
    out->worst_at_ns = worst_part * s->part_ns;
}

/* By total time, then by name and cause. */
/* A total order, so that the same log gives the same table whatever the order of its first events.
 */
static bool stands_before(const fl_gc_group *a, const fl_gc_group *b)
{
    if (a->pauses.total_ns != b->pauses.total_ns)
        return a->pauses.total_ns > b->pauses.total_ns;
    int order = strcmp(a->name, b->name);
    return order != 0 ? order < 0 : strcmp(a->cause, b->cause) < 0;
}

/* Texts are copied, since the statistics go before the report does. */
static void show_groups(gc_case *c)
{
    const fl_gc_stats *s = c->stats;
    fl_gc_group *groups = fl_arena_alloc(c->arena, s->group_count + 1, sizeof(*groups));
    c->failed |= groups == NULL;
    for (size_t i = 0; i < s->group_count && groups != NULL; i++) {
        const gc_group *from = &s->groups[i];
        fl_gc_group group = {.kind = from->kind,
                             .name = fl_gc_say(c, "%s", from->name),
                             .cause = fl_gc_say(c, "%s", from->cause),
                             .pauses = durations_of(&from->pauses)};
        size_t at = i;
        for (; at > 0 && stands_before(&group, &groups[at - 1]); at--)
            groups[at] = groups[at - 1];
        groups[at] = group;
    }
    c->report->groups = groups;
    c->report->group_count = groups != NULL ? s->group_count : 0;
}

static void show_longest(gc_case *c)
{
    const fl_gc_stats *s = c->stats;
    fl_gc_pause *longest = fl_arena_alloc(c->arena, s->longest_count + 1, sizeof(*longest));
    c->failed |= longest == NULL;
    for (size_t i = 0; i < s->longest_count && longest != NULL; i++) {
        longest[i] = s->longest[i].pause;
        longest[i].file = c->report->files[s->longest[i].file];
        longest[i].name = fl_gc_say(c, "%s", s->longest[i].name);
        longest[i].cause = fl_gc_say(c, "%s", s->longest[i].cause);
    }
    c->report->longest = longest;
    c->report->longest_count = longest != NULL ? s->longest_count : 0;
}

static void show_files(gc_case *c)
{
    const fl_gc_stats *s = c->stats;
    const char **files = fl_arena_alloc(c->arena, s->file_count + 1, sizeof(*files));
    c->failed |= files == NULL;
    for (size_t i = 0; i < s->file_count && files != NULL; i++)
        files[i] = fl_gc_say(c, "%s", s->files[i]);
    c->report->files = files;
    c->report->file_count = files != NULL ? s->file_count : 0;
}

/* All that is a sum or a quotient of sums. */
static void show_figures(gc_case *c)
{
    const fl_gc_stats *s = c->stats;
    fl_gc_report *out = c->report;
    double span_s = s->has_clock ? (double)s->now_ns / 1e9 : 0;
    out->about = s->about;
    out->from_ns = s->from_ns;
    out->to_ns = s->to_ns;
    out->span_ns = s->has_clock && s->began ? s->now_ns : -1;
    out->restarts = s->restarts;
    memcpy(out->counts, s->counts, sizeof(out->counts));
    memcpy(out->troubles, s->troubles, sizeof(out->troubles));
    out->pauses = durations_of(&s->pauses);
    out->stalls = durations_of(&s->stalls);
    out->pause_ratio =
        span_s > 0 ? fmin((double)s->pauses.total_ns / 1e9 / span_s, 1) : (double)NAN;
    out->alloc_bytes_per_s = span_s > 0 ? s->allocated_bytes / span_s : (double)NAN;
    out->promoted_bytes_per_s = span_s > 0 ? s->promoted_bytes / span_s : (double)NAN;
    find_worst(out, s);
}

fl_status fl_gc_stats_report(fl_gc_report *out, const fl_gc_stats *stats,
                             const fl_gc_options *options, fl_arena *arena, fl_error *err)
{
    assert(out != NULL && stats != NULL && options != NULL);
    gc_case c = {.stats = stats, .options = options, .report = out, .arena = arena};
    *out = (fl_gc_report){.from_ns = -1};
    show_files(&c);
    if (!c.failed) {
        show_figures(&c);
        show_groups(&c);
        show_longest(&c);
    }
    if (c.failed)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a report on collections");
    fl_status status = find_levels(&c.heap, &c, HEAP_OLD, err);
    out->heap_is_after_old = c.heap.is_known;
    if (status == FL_OK && !c.heap.is_known)
        status = find_levels(&c.heap, &c, HEAP_ALL, err);
    if (status == FL_OK)
        status = find_levels(&c.metaspace, &c, METASPACE, err);
    if (status != FL_OK)
        return status;
    out->heap = level_shown(&c.heap);
    out->metaspace = level_shown(&c.metaspace);
    return fl_gc_judge(&c, err);
}
