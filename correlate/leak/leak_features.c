/*
 * leak_features.c - the numbers and words that signatures test, for each subject.
 *
 * A number that is not known stays NaN and meets no condition. Heap profiles hide the runtime's own
 * frames, so that a map is seen in the sizes of its blocks alone:
 *
 *   up to Go 1.23   one array of 2^B buckets, allocated anew with twice the size at 6.5 * 2^B
 *                   entries; sizes in steps of two, one of them in use
 *   from Go 1.24    tables of up to 1024 slots, all of one size, split in two when full; in use
 *                   about half of those that were ever made
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "leak_priv.h"
#include "slice.h"

/* Doubling within what rounding up to size classes (at most 12.5 %) makes of it. */
#define DOUBLE_LOW  1.78
#define DOUBLE_HIGH 2.26
/* Rungs below this are too small to be sampled surely. */
#define SURE_BLOCK_BYTES (1u << 20)
/* The smallest table of a Swiss map that is full grown: 128 groups of 8 control bytes and 8 slots
 * of one byte, by size class. The smallest bucket array that counts has 64 buckets of 8 + 8 * 2
 * bytes. */
#define SWISS_TABLE_MIN_BYTES 2048
#define SWISS_TABLE_MAX_BYTES (1u << 21)

/* Goroutines that stay make a few objects each, once; and their number does not fall, but for a
 * twentieth that may be under way in the same function. */
#define SOME_ENDED 3
#define FALL_SHARE 0.05

static double ratio_of(double part, double whole)
{
    return whole > 0 ? part / whole : NAN;
}

/* The last Go version whose maps are arrays of buckets that double is 1.23. Where the version is
 * not known both laws are tried. */
static bool may_have_buckets(const fl_leak *leak)
{
    return leak->go_minor == 0 || leak->go_minor <= 23;
}

static bool may_have_tables(const fl_leak *leak)
{
    return leak->go_minor == 0 || leak->go_minor >= 24;
}

/* Longest chain of sizes in steps of two; *top is the largest block in it. */
static size_t ladder_of(const leak_subject *subject, uint64_t *top)
{
    size_t best = 0;
    *top = 0;
    for (size_t i = 0; i < subject->block_count; i++) {
        size_t steps = 1;
        double at = (double)subject->blocks[i].bytes;
        for (size_t k = i + 1; k < subject->block_count; k++) {
            double next = (double)subject->blocks[k].bytes;
            if (next >= DOUBLE_LOW * at && next <= DOUBLE_HIGH * at) {
                steps++;
                at = next;
            }
        }
        if (steps > best) {
            best = steps;
            *top = (uint64_t)at;
        }
    }
    return best;
}

/*
 * A map's doubling within the series: the largest block in use at the end is larger than the
 * largest in use at the start, in steps of two, and each large size was made once in all, as a map
 * that only grows makes it; something built anew makes each size again.
 */
static bool ladder_reached(const leak_subject *subject, size_t steps)
{
    const leak_block *before = NULL, *after = NULL;
    double made = 0;
    for (size_t i = 0; i < subject->block_count; i++) {
        const leak_block *block = &subject->blocks[i];
        if (block->bytes < SURE_BLOCK_BYTES / 4)
            continue;
        before = block->first_bytes > 0 ? block : before;
        after = block->last_bytes > 0 ? block : after;
        made += block->last_made * (double)block->bytes;
    }
    if (after == NULL || after->bytes < SURE_BLOCK_BYTES || after->first_made > 0 || steps < 3)
        return false;
    /* Each size once is twice the largest in all; building it twice, half as large first, thrice.
     */
    if (made > 2.5 * (double)after->bytes)
        return false;
    if (before == NULL)
        return true;
    double doublings = log2((double)after->bytes / (double)before->bytes);
    return doublings > 0.8 && fabs(doublings - round(doublings)) <= 0.2;
}

/*
 * Bytes in use that lie in map tables. Bucket arrays: the rungs of a doubling ladder from 8 KiB on
 * (a slice that is appended to grows by a quarter from 256 elements on). Swiss tables: many blocks
 * of one size of which about two were ever made for each one in use, because splitting a table
 * makes two and drops one.
 */
static double table_bytes(const fl_leak *leak, const leak_subject *subject, size_t steps)
{
    double sum = 0;
    for (size_t i = 0; i < subject->block_count; i++) {
        const leak_block *b = &subject->blocks[i];
        bool on_ladder = false;
        for (size_t k = 0; k < subject->block_count && steps >= 3; k++) {
            double step = (double)subject->blocks[k].bytes / (double)b->bytes;
            on_ladder = on_ladder || (step >= DOUBLE_LOW && step <= DOUBLE_HIGH) ||
                        (step > 0 && 1 / step >= DOUBLE_LOW && 1 / step <= DOUBLE_HIGH);
        }
        double made = ratio_of(b->last_made, b->last_objects);
        bool is_table = may_have_tables(leak) && b->bytes >= SWISS_TABLE_MIN_BYTES &&
                        b->bytes <= SWISS_TABLE_MAX_BYTES && b->last_objects >= 3 && made >= 1.4 &&
                        made <= 3.2;
        bool is_array = may_have_buckets(leak) && b->bytes >= 8192 && on_ladder;
        if (is_table || is_array)
            sum += b->last_bytes;
    }
    return sum;
}

/* The law of the block sizes: which size holds most, how far they double, whether they are a
 * map's. */
static void block_features(const fl_leak *leak, leak_subject *s)
{
    const leak_block *main_block = NULL, *largest = NULL;
    uint64_t top = 0;
    for (size_t i = 0; i < s->block_count; i++) {
        const leak_block *block = &s->blocks[i];
        if (main_block == NULL || block->last_bytes > main_block->last_bytes)
            main_block = block;
        largest = block->peak_bytes > 0 ? block : largest;
    }
    if (main_block == NULL)
        return;
    size_t n = s->series.count, steps = ladder_of(s, &top);
    assert(top == 0 || steps > 0);
    s->number[FL_LEAK_F_BLOCK_BYTES] = (double)main_block->bytes;
    s->number[FL_LEAK_F_BLOCK_COUNT] = (double)s->block_count;
    s->number[FL_LEAK_F_LADDER_STEPS] = (double)steps;
    s->is_ladder_step = ladder_reached(s, steps);
    s->number[FL_LEAK_F_LADDER_REACHED] = s->is_ladder_step && may_have_buckets(leak) ? 1 : 0;
    s->number[FL_LEAK_F_TABLE_SHARE] =
        ratio_of(table_bytes(leak, s, steps), s->series.value[n - 1]);
    s->number[FL_LEAK_F_LARGEST_BLOCK_BYTES] = largest != NULL ? (double)largest->bytes : NAN;
}

/* The shape of the series and how sure it is. */
static void trend_features(leak_subject *s)
{
    const fl_trend *t = &s->trend;
    size_t n = s->series.count;
    if (n == 0)
        return;
    s->number[FL_LEAK_F_GROWTH_Z] = t->growth_z;
    s->number[FL_LEAK_F_MANN_KENDALL_Z] = t->mann_kendall_z;
    s->number[FL_LEAK_F_LEVEL_Z] = t->level_z;
    s->number[FL_LEAK_F_GROWTH_RATIO] = ratio_of(t->last, t->first);
    s->number[FL_LEAK_F_GROWTH_PER_HOUR] = t->slope * HOUR_S;
    s->number[FL_LEAK_F_GROWTH_PERCENT_PER_HOUR] =
        ratio_of(100 * t->slope * HOUR_S, fmax(t->first, s->series.quantum));
    s->number[FL_LEAK_F_LATE_SHARE] = t->late_share;
    s->number[FL_LEAK_F_STEP_SHARE] = t->step_share;
    s->number[FL_LEAK_F_FALL_SHARE] = t->fall_share;
    s->number[FL_LEAK_F_LEVEL] = s->series.value[n - 1];
}

/* Rises of a counter between the first and the last snapshot. */
static double rise_of(const double *counter, size_t count)
{
    return count > 1 ? counter[count - 1] - counter[0] : NAN;
}

/* Shares and rates between the first and the last collection that was seen. */
static void heap_features(const leak_case *c, leak_subject *s)
{
    size_t n = s->series.count;
    const leak_subject *all = &c->program;
    if (n < 2)
        return;
    double span = s->series.time_s[n - 1], rise = s->series.value[n - 1] - s->series.value[0];
    double bytes = rise_of(s->allocated, n), objects = rise_of(s->made, n);
    double all_rise = all->series.value[n - 1] - all->series.value[0];
    s->number[FL_LEAK_F_HEAP_SHARE] = ratio_of(s->series.value[n - 1], all->series.value[n - 1]);
    s->number[FL_LEAK_F_GROWTH_SHARE] = ratio_of(rise, all_rise);
    s->number[FL_LEAK_F_ALLOC_BYTES_PER_S] = bytes / span;
    s->number[FL_LEAK_F_ALLOC_OBJECTS_PER_S] = objects / span;
    s->number[FL_LEAK_F_ALLOC_SHARE] = ratio_of(bytes, rise_of(all->allocated, n));
    s->number[FL_LEAK_F_OBJECT_SHARE] = ratio_of(objects, rise_of(all->made, n));
    s->number[FL_LEAK_F_RETAINED_RATIO] = ratio_of(rise, bytes);
    s->number[FL_LEAK_F_TURNOVER] =
        ratio_of(s->made[n - 1], s->objects[n - 1] > 0 ? s->objects[n - 1] : 1);
    block_features(c->leak, s);
}

/* Mean of the last half over that of the first. */
static double half_ratio(const fl_series *s)
{
    double before = 0, after = 0;
    size_t half = s->count / 2;
    assert(half > 0);
    for (size_t i = 0; i < s->count; i++) {
        if (i < half)
            before += s->value[i] / (double)half;
        else
            after += s->value[i] / (double)(s->count - half);
    }
    return ratio_of(after, before);
}

/*
 * Memory that follows load: most of what is allocated goes again, allocation sped up, and the level
 * rose no more than that explains (a residence time). The load is the site's own rate of
 * allocation, or the requests where memory statistics count them.
 */
static bool follows_load(const leak_case *c, const leak_subject *s)
{
    size_t n = s->series.count, half = n / 2;
    if (n < FL_TREND_MIN_POINTS + 1 || s->trend.growth_z < 2)
        return false;
    const double *t = s->series.time_s;
    double early = (s->allocated[half] - s->allocated[0]) / (t[half] - t[0]);
    double late = (s->allocated[n - 1] - s->allocated[half]) / (t[n - 1] - t[half]);
    double sped_up = early > 0 ? late / early : 1;
    if (c->total.load_ratio > sped_up)
        sped_up = c->total.load_ratio;
    double kept = ratio_of(s->series.value[n - 1] - s->series.value[0], rise_of(s->allocated, n));
    bool explained = kept < 0.25 || half_ratio(&s->series) <= 2.5 * sped_up;
    return sped_up >= 1.3 && kept < 0.35 && explained;
}

/* How much faster the program allocates in the last half than in the first, at most (two errors of
 * the samples), or its requests say where that is more: its load. NaN: not known. */
static double load_of(const leak_case *c)
{
    const leak_subject *all = &c->program;
    size_t n = all->series.count, half = n / 2;
    if (n < MIN_LEAK_POINTS)
        return NAN;
    const double *t = all->series.time_s;
    double early = all->allocated[half] - all->allocated[0];
    double late = all->allocated[n - 1] - all->allocated[half];
    if (!(early > 0 && late > 0))
        return NAN;
    double error = sqrt(all->series.quantum / early + all->series.quantum / late);
    double ratio = (late / (t[n - 1] - t[half])) / (early / (t[half] - t[0]));
    return fmax(ratio * (1 + 2 * error), c->total.load_ratio); /* of NaN the other */
}

/* Objects that a goroutine's own function allocated, for each goroutine that there are more: where
 * one allocates at all, many more than one say that the earlier ones ended. NaN: not known. */
static double turnover_of(const leak_case *c, const leak_subject *s)
{
    size_t n = s->series.count;
    double rise = n > 1 ? s->series.value[n - 1] - s->series.value[0] : 0;
    for (size_t i = 0; i < c->subject_count && rise > 0; i++) {
        const leak_subject *site = &c->subjects[i];
        size_t k = site->series.count;
        bool same = site->kind == FL_LEAK_SITE && k > 1 && s->function != NO_ID &&
                    site->function != NO_ID &&
                    c->leak->functions[site->function].name == c->leak->functions[s->function].name;
        if (same)
            return (site->made[k - 1] - site->made[0]) / rise;
    }
    return NAN;
}

/*
 * Whether something beside their number says that goroutines stay. They wait, most of them, for as
 * long as those of a steady leak do, which on average is half of the time (a third is asked for,
 * since waits are whole minutes and begin with a collection). Or the load is known and rose by less
 * than half of what they did, and nothing says that they end: sleep, a number that fell, objects.
 */
static bool is_kept(const leak_case *c, const leak_subject *s, double median_minutes)
{
    size_t n = s->series.count;
    double span_s = n > 0 ? s->series.time_s[n - 1] : 0;
    if (s->is_leaked || (median_minutes >= 1 && 60 * median_minutes >= span_s / 3))
        return true;
    if (s->survivors.covered > 0)
        return s->survivors.most_stay;
    bool ends = strcmp(s->state, "sleep") == 0 || s->turnover >= SOME_ENDED ||
                s->trend.fall_share > FALL_SHARE;
    return n >= FL_TREND_MIN_POINTS && !ends && load_of(c) - 1 < (half_ratio(&s->series) - 1) / 2;
}

/* Profiles that tell what they cover (mutex?seconds=30) hold the waits of that time alone, and one
 * is enough. false: not all of them do. */
static bool waits_told(const leak_case *c, leak_subject *s)
{
    size_t n = s->series.count;
    double delay = 0, waits = 0, over = 0;
    assert(n <= c->used_count[s->set]);
    for (size_t i = 0; i < n; i++) {
        if (!(c->used[s->set][i]->duration_s > 0))
            return false;
        delay += s->series.value[i];
        waits += s->objects[i];
        over += c->used[s->set][i]->duration_s;
    }
    if (n == 0)
        return false;
    s->number[FL_LEAK_F_DELAY_PER_S] = delay / NS_PER_S / over;
    s->number[FL_LEAK_F_WAITS_PER_S] = waits / over;
    s->number[FL_LEAK_F_LEVEL] = s->series.value[n - 1];
    return true;
}

/* Waits by the second: of what others waited for, since the program started or between
 * snapshots. */
static void lock_features(const leak_case *c, leak_subject *s, double span_s)
{
    size_t n = s->series.count;
    if (waits_told(c, s) || n == 0 || !(span_s > 0))
        return;
    /* Cumulative since the program's start: differences where there are two, else against the
     * whole series, which errs towards more. */
    double delay = s->series.value[n - 1] - (n > 1 ? s->series.value[0] : 0);
    double waits = s->objects[n - 1] - (n > 1 ? s->objects[0] : 0);
    double over = n > 1 ? s->series.time_s[n - 1] : span_s;
    s->number[FL_LEAK_F_DELAY_PER_S] = delay / NS_PER_S / over;
    s->number[FL_LEAK_F_WAITS_PER_S] = waits / over;
    s->number[FL_LEAK_F_LEVEL] = s->series.value[n - 1];
}

/* Whether two stacks have the same innermost function of the user's own code. */
static bool same_function(const fl_leak *leak, uint32_t a, uint32_t b)
{
    const leak_stack *x = &leak->stacks[a], *y = &leak->stacks[b];
    if (x->user == NO_ID || y->user == NO_ID)
        return false;
    const leak_function *f = &leak->functions[leak->frames[x->frame_at + x->user].function];
    const leak_function *g = &leak->functions[leak->frames[y->frame_at + y->user].function];
    return f->name == g->name;
}

/* States, creators and waits out of texts: of the same stack or, since a text hides frames that the
 * profile shows, of the same function. */
static fl_status park_features(const leak_case *c, leak_subject *s, fl_error *err)
{
    const fl_leak *leak = c->leak;
    double median_minutes = NAN;
    s->state = fl_leak_state_of(leak, s->top_stack);
    s->is_leaked = s->set == SET_LEAKED;
    for (size_t i = 0; i < leak->parked_count; i++) {
        const leak_parked *p = &leak->parked[i];
        if (p->stack != s->top_stack && !same_function(leak, p->stack, s->top_stack))
            continue;
        fl_slice state = fl_intern_text(leak->texts, p->state);
        fl_slice creator = fl_intern_text(leak->texts, p->created_by);
        s->is_leaked = s->is_leaked || p->is_leaked;
        median_minutes = fmax(median_minutes, p->median_minutes); /* of NaN the other */
        if (isfinite(p->wait_minutes))
            s->number[FL_LEAK_F_WAIT_MINUTES] =
                fmax(p->wait_minutes, isfinite(s->number[FL_LEAK_F_WAIT_MINUTES])
                                          ? s->number[FL_LEAK_F_WAIT_MINUTES]
                                          : 0);
        if (state.len > 0 && p->stack == s->top_stack)
            s->text_state = state;
        if (creator.len > 0 && (s->creator.len == 0 || fl_slice_compare(creator, s->creator) < 0))
            s->creator = creator;
    }
    s->turnover = turnover_of(c, s);
    fl_status status = fl_leak_survivors_of(&s->survivors, c, s, err);
    s->load_explains = s->series.count >= FL_TREND_MIN_POINTS &&
                       load_of(c) - 1 >= (half_ratio(&s->series) - 1) / 2;
    s->is_kept = is_kept(c, s, median_minutes);
    return status;
}

/* Two stacks that grow in step are the two ends of one thing (a connection's readLoop and
 * writeLoop): the ratio of their counts. */
static void pair_features(leak_case *c)
{
    for (size_t i = 0; i < c->subject_count; i++) {
        leak_subject *a = &c->subjects[i];
        double best = NAN, mine = a->number[FL_LEAK_F_LEVEL];
        for (size_t k = 0; a->kind == FL_LEAK_GOROUTINES && mine >= 8 && k < c->subject_count;
             k++) {
            const leak_subject *b = &c->subjects[k];
            double other = b->number[FL_LEAK_F_LEVEL];
            if (k == i || b->kind != FL_LEAK_GOROUTINES || !(other >= 8))
                continue;
            double balance = fmin(mine, other) / fmax(mine, other);
            best = isfinite(best) ? fmax(best, balance) : balance;
        }
        a->number[FL_LEAK_F_PAIR_BALANCE] = best;
    }
}

/* What every subject shares: how long was looked at, and how large the program is. */
static void program_features(leak_case *c, double *number)
{
    size_t n = c->used_count[SET_HEAP], g = c->used_count[SET_GOROUTINES];
    number[FL_LEAK_F_SNAPSHOTS] = (double)(n > g ? n : g);
    number[FL_LEAK_F_SPAN_S] = ((double)c->to_ns - (double)c->from_ns) / NS_PER_S;
    if (n > 0) {
        number[FL_LEAK_F_HEAP_BYTES] = c->program.series.value[n - 1];
        number[FL_LEAK_F_HEAP_OBJECTS] = c->program.objects[n - 1];
    }
    if (g > 0)
        number[FL_LEAK_F_GOROUTINES] = c->goroutines.series.value[g - 1];
}

/* Of collections, from the source that tells most. gctrace tells processor time itself; memory
 * statistics tell a share of it, of one processor at least. */
static void gc_features(const leak_case *c, double *number)
{
    for (int source = 0; source < STATS_ROWS; source++) {
        const leak_stats *stats = &c->leak->stats[source];
        if (stats->count < 2)
            continue;
        leak_row a = stats->rows[0], b = stats->rows[0];
        for (size_t i = 0; i < stats->count; i++) {
            a = stats->rows[i].time_s < a.time_s ? stats->rows[i] : a;
            b = stats->rows[i].time_s >= b.time_s ? stats->rows[i] : b;
        }
        double cycles = b.gc_count - a.gc_count, span = b.time_s - a.time_s;
        if (!(cycles > 0) || !(span > 0))
            continue;
        number[FL_LEAK_F_GC_PER_S] = cycles / span;
        if (isfinite(b.gc_cpu_ratio) && !isfinite(number[FL_LEAK_F_GC_CPU_RATIO]))
            number[FL_LEAK_F_GC_CPU_RATIO] = b.gc_cpu_ratio;
        if (isfinite(b.pause_ns - a.pause_ns) && !isfinite(number[FL_LEAK_F_GC_PAUSE_MS]))
            number[FL_LEAK_F_GC_PAUSE_MS] = (b.pause_ns - a.pause_ns) / cycles / 1e6;
        if (isfinite(b.gc_cpu_ns - a.gc_cpu_ns))
            number[FL_LEAK_F_GC_CYCLE_MS] = (b.gc_cpu_ns - a.gc_cpu_ns) / cycles / 1e6;
        else if (stats->since_start && !isfinite(number[FL_LEAK_F_GC_CYCLE_MS]) && b.gc_count > 0)
            number[FL_LEAK_F_GC_CYCLE_MS] = b.gc_cpu_ratio * b.time_s * 1e3 / b.gc_count;
    }
}

fl_status fl_leak_features_of(leak_case *c, fl_error *err)
{
    fl_status status = FL_OK;
    double *program = c->program.number;
    for (size_t f = 0; f < LEAK_FEATURES; f++)
        program[f] = NAN;
    program_features(c, program);
    gc_features(c, program);
    for (size_t i = 0; i < c->subject_count + c->path_count && status == FL_OK; i++) {
        leak_subject *s = i < c->subject_count ? &c->subjects[i] : &c->paths[i - c->subject_count];
        memcpy(s->number, program, sizeof(s->number));
        if (s->kind == FL_LEAK_LOCK)
            lock_features(c, s, program[FL_LEAK_F_SPAN_S]);
        else
            trend_features(s);
        if (s->kind == FL_LEAK_SITE) {
            heap_features(c, s);
            s->follows_load = follows_load(c, s);
        }
        if (s->kind == FL_LEAK_GOROUTINES)
            status = park_features(c, s, err);
    }
    pair_features(c);
    trend_features(&c->program);
    fl_leak_cpu_of(c);
    return status;
}
