/*
 * leak_judge.c - from features to verdicts: the rules of docs/leaks-method.md, "Verdicts".
 *
 * Each subject is judged alone by its numbers; the exact total of memory statistics, where there is
 * one, then agrees or speaks against it. Signatures name the kind; they never make a leak out of a
 * series that does not grow.
 *
 *   crash        a fatal error or a panic that nobody caught
 *   leak         a function's bytes, or goroutines of one function, grow steadily over at least
 *                MIN_LEAK_POINTS collections, and neither load nor a bound explains it; or the
 *                largest bucket array doubled; or the exact total grows and one site is the
 *                likeliest to be it
 *   latency      others wait for a lock that this function holds
 *   gc-pressure  much is in use and stays, and marking it takes long
 *   churn        most of what is allocated, and much, by one function that keeps next to none
 *   retention    much is in use in map tables that nothing adds to
 *   bounded      it rose, then stayed
 *   no-leak      nothing of these, where something of it could have been seen
 *
 * The first in this order that any subject has is the program's verdict.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/limits.h"
#include "leak_priv.h"
#include "levels.h"
#include "slice.h"

/* One pair of snapshots shows growth of a site above this many sampling rates: 3.5 sigma of
 * sqrt(2 R B) with B the growth itself, so 3.5 squared. 6.4 MB at Go's 512 KiB. */
#define FLOOR_RATES 12.25
#define TREND_Z     3.5
/* Allocation that collects garbage four times a second at the smallest goal of the heap (4 MiB) is
 * churn where it is one thing built anew again and again; of any kind at four times as much. */
#define REBUILD_BYTES_PER_S (16u << 20)
#define CHURN_BYTES_PER_S   (64u << 20)
#define CHURN_SHARE         0.4
/* A path alone is one of many that are looked at: more points than a function needs. */
#define MIN_PATH_POINTS 8
/* More than the differences in growth between the two ends of a connection, by the hour. */
#define KNOWN_WEIGHT 1e5
/* So many objects of a goroutine's function for each goroutine more: the others ended. */
#define MANY_ENDED 10
/* Goroutines of which only the number is known: those that last a second rise with load as those
 * that are parked for ever do, so that it is no more than the surest guess (0.8 would be sure). */
#define COUNT_ALONE 0.75
/* Memory that rose by less than three quarters of its mean rate in its last half may be a cache
 * that fills ever more slowly: no surer than that guess, whatever else agrees that it rises. */
#define STEADY_SHARE 0.75
/* And no guess at all over fewer snapshots than a usual series of ten has, but for one. */
#define COUNT_POINTS 9
/* Growth over fewer points than this that slows down may be ending. One and a half errors: a cache
 * that fills shows no more over so few, and a leak loses no more than time by it. */
#define SHORT_POINTS 8
#define SLOW_Z       1.5
/* What falls by more than this in between saws: its last part depends on where it was cut. */
#define SAWS_FALL_SHARE 0.1
/* A rise that one step makes up is a reload, not a trend. */
#define MAX_STEP_SHARE 0.6
/* The same of two neighbouring steps, of four at least: a steady rise has half in them. */
#define MAX_JUMP_SHARE 0.85
/* What counts as much memory to keep for nothing: twice the smallest heap that Go would ever bound,
 * and above the sampling floor by far. */
#define RETAINED_BYTES (32u << 20)
/* Marking costs a processor this long in each cycle where the heap is full of pointers; measured:
 * 170-500 ms for 1.5 M nodes, 1-4 ms for as many bytes without pointers. */
#define GC_CYCLE_MS  40
#define MANY_OBJECTS 500000
/* Clearing and first touching an array of this size takes tens of milliseconds: 219 ms were
 * measured for one of 270 MB. */
#define PAUSE_BYTES (32u << 20)
/* A fifth of a second waited in each second, over all waiters. */
#define LOCK_DELAY_PER_S 0.2
/* By a block profile one waiter at any time at least: short waits of many add up in it as well. */
#define BLOCK_DELAY_PER_S 1.0
/* And each for a time slice of Go's scheduler on average: less may be waiting for a processor. */
#define BLOCK_WAIT_S 0.01

/* Enough collections were seen to tell a leak from a cache that fills. */
static bool is_informative(const leak_subject *s)
{
    return s->series.count >= MIN_LEAK_POINTS;
}

static bool is_jump(const fl_trend *t)
{
    return t->step_share > MAX_STEP_SHARE ||
           (t->count >= MIN_LEAK_POINTS && t->jump_share > MAX_JUMP_SHARE);
}

/* Grows in a way that neither load nor a bound explains. */
static bool grows(const leak_subject *s)
{
    return s->trend.shape == FL_SHAPE_GROWING && s->trend.growth_z >= TREND_Z &&
           s->trend.mann_kendall_z > 0 && !is_jump(&s->trend) && !s->follows_load;
}

/* The small blocks alone: keys, values, nodes. Tables that come and go in large steps beside them
 * would hide their steady rise. */
static bool items_grow(const leak_subject *s)
{
    const fl_trend *t = &s->item_trend;
    return s->kind == FL_LEAK_SITE && t->shape == FL_SHAPE_GROWING && t->growth_z >= TREND_Z &&
           t->mann_kendall_z > 0 && t->last >= 0.2 * s->trend.last && !is_jump(t) &&
           !s->follows_load;
}

/*
 * A map of which the tables make up most: between two doublings it is as flat as any constant. All
 * Swiss tables of a map fill at about the same time, so that it climbs in steps from Go 1.24 on as
 * well. The level after the last step says nothing until it has stayed for as long as the map took
 * to get there: filling steadily, the next doubling is due then.
 */
static bool is_staircase(const leak_subject *s)
{
    const fl_series *series = &s->series;
    size_t n = series->count, jump = 0;
    bool by_ladder = s->is_ladder_step;
    bool by_tables = s->number[FL_LEAK_F_TABLE_SHARE] >= 0.5;
    if (n < FL_TREND_MIN_POINTS || !(by_ladder || by_tables))
        return false;
    /* Where the entries themselves are seen, they tell. */
    if (s->items.value[n - 1] >= 0.5 * series->value[n - 1] && !items_grow(s))
        return false;
    for (size_t i = 1; i < n; i++) {
        if (series->value[i] >= 1.3 * series->value[i - 1])
            jump = i;
    }
    /* The old array goes only when the new one is filled. */
    bool doubles = by_ladder || s->number[FL_LEAK_F_LADDER_STEPS] >= 3;
    double rise = series->value[n - 1] - series->value[0];
    double error = sqrt(fl_pair_variance(series, 0, n - 1));
    bool doubled = series->value[n - 1] >= 1.6 * fmax(series->value[0], 1);
    double before = series->time_s[jump], after = series->time_s[n - 1] - before;
    return jump > 0 && doubled && rise > 2 * error &&
           s->trend.fall_share < (doubles ? 0.5 : 0.25) && after <= 1.25 * before;
}

/* Rises of a few goroutines are a pool that warms up. */
static bool is_many(const leak_subject *s)
{
    double rise = s->trend.slope * s->series.time_s[s->series.count - 1];
    return rise >= 8 && s->trend.last >= 1.2 * s->trend.first;
}

/* Counts are exact: a steady rise of parked goroutines is a leak, a rise that ended is not. */
static fl_leak_verdict judge_goroutines(const leak_subject *s)
{
    if (s->is_leaked)
        return FL_LEAK_LEAK;
    if (s->series.count < FL_TREND_MIN_POINTS || !grows(s) || !is_many(s))
        return s->trend.shape == FL_SHAPE_BOUNDED ? FL_LEAK_BOUNDED_GROWTH : FL_LEAK_NO_LEAK;
    return is_informative(s) ? FL_LEAK_LEAK : FL_LEAK_NOT_ENOUGH_DATA;
}

/* By the series alone; NOT_ENOUGH_DATA is a suspect that too few collections show. */
static fl_leak_verdict judge_growth(const leak_subject *s)
{
    if (s->series.count < FL_TREND_MIN_POINTS)
        return FL_LEAK_NO_LEAK;
    if (grows(s) || items_grow(s) || is_staircase(s))
        return is_informative(s) ? FL_LEAK_LEAK : FL_LEAK_NOT_ENOUGH_DATA;
    size_t last = s->series.count - 1;
    double error = sqrt(fl_pair_variance(&s->series, 0, last));
    bool rose = s->series.value[last] - s->series.value[0] > 2 * error;
    bool bounded =
        s->trend.shape == FL_SHAPE_BOUNDED || s->trend.shape == FL_SHAPE_STEP || s->follows_load;
    if (bounded && rose)
        return FL_LEAK_BOUNDED_GROWTH;
    return FL_LEAK_NO_LEAK;
}

/*
 * Something that grows from nothing to its size, over and over: each rung of a ladder of doubling
 * sizes is made about as often as its neighbour, and together they are most of what is made.
 */
static bool is_rebuilt(const leak_subject *s)
{
    double on_ladder = 0, all = 0, top = 0;
    size_t rungs = 0;
    for (size_t i = 0; i < s->block_count; i++) {
        const leak_block *b = &s->blocks[i];
        double made = b->last_made - b->first_made;
        all += made * (double)b->bytes;
        bool is_rung = false;
        for (size_t k = 0; k < s->block_count; k++) {
            const leak_block *other = &s->blocks[k];
            double step = (double)other->bytes / (double)b->bytes;
            double often = (other->last_made - other->first_made) / fmax(made, 1);
            bool doubles =
                (step > 1.75 && step < 2.3) || (step > 0 && 1 / step > 1.75 && 1 / step < 2.3);
            is_rung = is_rung || (doubles && often > 1.0 / 64 && often < 64);
        }
        if (!is_rung)
            continue;
        rungs++;
        on_ladder += made * (double)b->bytes;
        top = fmax(top, (double)b->bytes);
    }
    /* Below 2 KiB a few small objects of one function may look like it. */
    return rungs >= 4 && top >= 2048 && on_ladder >= 0.6 * all;
}

/* From the first quarter of the time on it allocated next to nothing. */
static bool is_idle(const leak_subject *s)
{
    const fl_series *series = &s->series;
    size_t n = series->count, from = 0;
    while (from + 1 < n && series->time_s[from] < series->time_s[n - 1] / 4)
        from++;
    return n > 1 && s->allocated[n - 1] - s->allocated[from] < 0.05 * series->value[n - 1];
}

/* By processor samples, where nothing tells how long a collection takes: a quarter of a busy
 * processor goes into marking. */
static bool collects_much(const double *number)
{
    return number[FL_LEAK_F_CPU_GC_SHARE] >= 0.25 &&
           number[FL_LEAK_F_CPU_GC_SHARE] * number[FL_LEAK_F_CPU_BUSY] >= 0.1;
}

/* Growth first; what does not grow may still cost: by marking it, by keeping it for nothing,
 * by making it anew. */
static fl_leak_verdict judge_site(const leak_case *c, const leak_subject *s)
{
    fl_leak_verdict growth = judge_growth(s);
    const double *number = s->number;
    if (growth == FL_LEAK_LEAK || growth == FL_LEAK_NOT_ENOUGH_DATA || !s->has_user)
        return growth;
    /* Two snapshots alone show neither what stays nor what is made again and again. */
    if (s->series.count < FL_TREND_MIN_POINTS && !c->total.is_known)
        return growth;
    /* Up to Go 1.23 the write that doubles a map pays for all of its new array at once. */
    if (!is_idle(s) && number[FL_LEAK_F_LADDER_STEPS] >= 4 &&
        number[FL_LEAK_F_TABLE_SHARE] >= 0.5 &&
        number[FL_LEAK_F_LARGEST_BLOCK_BYTES] >= PAUSE_BYTES &&
        number[FL_LEAK_F_GROWTH_RATIO] >= 1.6)
        return FL_LEAK_LATENCY;
    bool is_main = number[FL_LEAK_F_HEAP_SHARE] >= 0.3 && number[FL_LEAK_F_LEVEL] >= RETAINED_BYTES;
    bool is_long = number[FL_LEAK_F_GC_CYCLE_MS] >= GC_CYCLE_MS ||
                   (!isfinite(number[FL_LEAK_F_GC_CYCLE_MS]) && collects_much(number));
    if (is_main && is_long && number[FL_LEAK_F_HEAP_OBJECTS] >= MANY_OBJECTS)
        return FL_LEAK_GC_PRESSURE;
    if (is_main && is_idle(s) && number[FL_LEAK_F_TABLE_SHARE] >= 0.7)
        return FL_LEAK_RETENTION;
    double least = is_rebuilt(s) ? REBUILD_BYTES_PER_S : CHURN_BYTES_PER_S;
    bool is_churn = number[FL_LEAK_F_ALLOC_BYTES_PER_S] >= least &&
                    number[FL_LEAK_F_ALLOC_SHARE] >= CHURN_SHARE &&
                    number[FL_LEAK_F_TURNOVER] >= 10;
    return is_churn ? FL_LEAK_CHURN : growth;
}

/* In a block profile: the user's own code called a lock of sync. */
static bool waits_for_lock(const fl_leak *leak, const leak_subject *s)
{
    const leak_stack *stack = &leak->stacks[s->top_stack];
    if (stack->user == NO_ID || stack->user == 0)
        return false;
    fl_slice callee = fl_leak_name_at(leak, &leak->frames[stack->frame_at + stack->user - 1]);
    return fl_slice_equal(callee, FL_SLICE("sync.(*Mutex).Lock")) ||
           fl_slice_equal(callee, FL_SLICE("sync.(*RWMutex).Lock")) ||
           fl_slice_equal(callee, FL_SLICE("sync.(*RWMutex).RLock"));
}

/* Mutex profiles name who holds the lock; block profiles count every wait, of idle workers
 * too. */
static fl_leak_verdict judge_lock(const fl_leak *leak, const leak_subject *s)
{
    double least = s->set == SET_MUTEX ? LOCK_DELAY_PER_S : BLOCK_DELAY_PER_S;
    bool waits = s->has_user && s->number[FL_LEAK_F_DELAY_PER_S] >= least &&
                 s->number[FL_LEAK_F_WAITS_PER_S] >= 1;
    double each_s = s->number[FL_LEAK_F_DELAY_PER_S] / s->number[FL_LEAK_F_WAITS_PER_S];
    bool is_lock = s->set == SET_MUTEX || (each_s >= BLOCK_WAIT_S && waits_for_lock(leak, s));
    return waits && is_lock ? FL_LEAK_LATENCY : FL_LEAK_NO_LEAK;
}

/* How sure a trend alone makes: from its distance, capped by how few points cannot tell a warm-up
 * from a leak. */
static double trend_confidence(const leak_subject *s)
{
    static const double caps[] = {0, 0, 0, 0.4, 0.55, 0.72, 0.78, 0.8, 0.88, 0.9};
    size_t n = s->series.count;
    double cap = n < sizeof(caps) / sizeof(caps[0]) ? caps[n] : 0.92;
    double z = fmin(
        items_grow(s) ? fmax(s->trend.growth_z, s->item_trend.growth_z) : s->trend.growth_z, 30);
    double surety = isfinite(z) && z > 1 ? 1 - exp(-(z - 1) / 2) : 0.3;
    return fmin(cap, surety);
}

/* Independent views: each leaves only its own doubt. */
static double agree(double a, double b)
{
    return 1 - (1 - a) * (1 - b);
}

static double odds_times(double p, double factor)
{
    double odds = p / fmax(1 - p, 1e-9) * factor;
    return odds / (1 + odds);
}

/* The exact total rises steadily, by more than noise and rounding, and not because requests
 * do. */
static bool total_grows(const leak_case *c)
{
    const leak_total *t = &c->total;
    const fl_levels levels = {.series = t->series, .trend = t->trend, .is_known = t->is_known};
    return fl_levels_grow(&levels) && !(t->load_ratio >= 1.5);
}

/* The total excludes growth of this size: its own interval ends below the site's. */
static bool total_denies(const leak_case *c, const leak_subject *s)
{
    const fl_trend *t = &c->total.trend;
    return c->total.is_known && !total_grows(c) &&
           t->high < fmax(s->trend.low, 0.25 * s->trend.slope);
}

/* The exact total stayed over the last part of the time, in which this site would have grown by
 * much: it has stopped. Maps that climb in steps rest between them, and are left alone. */
static bool total_stopped(const leak_case *c, const leak_subject *s)
{
    const leak_total *t = &c->total;
    if (!t->is_known || s->kind != FL_LEAK_SITE || s->number[FL_LEAK_F_TABLE_SHARE] >= 0.3 ||
        t->trend.fall_share >= 0.1)
        return false;
    size_t n = t->series.count, from = n - 1;
    double span = t->series.time_s[n - 1] - t->series.time_s[0];
    while (from > 0 && t->series.time_s[n - 1] - t->series.time_s[from] < span / 4)
        from--;
    double part = t->series.time_s[n - 1] - t->series.time_s[from];
    double expected = s->trend.slope * part, seen = t->series.value[n - 1] - t->series.value[from];
    return expected >= (3u << 20) && seen <= 0.3 * expected && t->trend.shape != FL_SHAPE_GROWING;
}

/* Its rise, or that of the exact total, became slower. */
static bool is_unsteady(const leak_case *c, const leak_subject *s)
{
    bool total_slows = total_grows(c) && c->total.trend.late_share < STEADY_SHARE;
    return total_slows ||
           (s->trend.shape == FL_SHAPE_GROWING && s->trend.late_share < STEADY_SHARE);
}

/* The prior of each verdict, or for growth what the trend, the number of points and the other
 * views make of it (docs/leaks-method.md, "Confidence"). */
static double confidence_of(const leak_case *c, const leak_subject *s, fl_leak_verdict verdict)
{
    switch (verdict) {
    case FL_LEAK_LEAK:
    case FL_LEAK_NOT_ENOUGH_DATA: {
        double p = grows(s) || items_grow(s) ? trend_confidence(s) : 0.62;
        if (s->kind == FL_LEAK_GOROUTINES)
            p = s->is_leaked ? 0.97 : s->turnover >= MANY_ENDED ? fmin(p, 0.7) : agree(p, 0.3);
        else if (!s->has_user)
            p = fmin(p, 0.7);
        bool come_and_go = s->kind == FL_LEAK_GOROUTINES && s->turnover >= MANY_ENDED;
        if (total_grows(c) && !come_and_go)
            p = agree(p, 0.6);
        if (total_denies(c, s))
            p = odds_times(p, 0.25);
        if (s->kind == FL_LEAK_GOROUTINES && !s->is_kept)
            p = fmin(p, COUNT_ALONE);
        if (s->kind == FL_LEAK_SITE && is_unsteady(c, s))
            p = fmin(p, COUNT_ALONE);
        return fmin(p, 0.97);
    }
    case FL_LEAK_CHURN:
        return fl_leak_cpu_agrees(c, s, verdict) ? 0.8 : 0.75;
    case FL_LEAK_RETENTION:
        return 0.65;
    case FL_LEAK_LATENCY:
        return fl_leak_cpu_agrees(c, s, verdict) ? 0.85 : 0.8;
    case FL_LEAK_GC_PRESSURE:
        return isfinite(s->number[FL_LEAK_F_GC_CYCLE_MS]) ? 0.78 : 0.7;
    case FL_LEAK_BOUNDED_GROWTH:
        return 0.7;
    default:
        return 0.5;
    }
}

/* What a verdict is worth beside others: a crash ended the program; a leak will. */
static int urgency_of(fl_leak_verdict verdict)
{
    static const int urgency[FL_LEAK_VERDICT_COUNT] = {
        [FL_LEAK_CRASH] = 9,           [FL_LEAK_LEAK] = 8,           [FL_LEAK_LATENCY] = 6,
        [FL_LEAK_GC_PRESSURE] = 5,     [FL_LEAK_CHURN] = 4,          [FL_LEAK_RETENTION] = 3,
        [FL_LEAK_NOT_ENOUGH_DATA] = 2, [FL_LEAK_BOUNDED_GROWTH] = 1,
    };
    return urgency[verdict];
}

/* Among leaks of one program: goroutines first, since what they hold grows with them; then by how
 * much grows. qsort has no context: what it needs stands in the rows. */
static int compare_judged(const void *a, const void *b)
{
    const leak_judged *x = a, *y = b;
    if (x->urgency != y->urgency)
        return x->urgency > y->urgency ? -1 : 1;
    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    int by_kind = (x->subject->kind > y->subject->kind) - (x->subject->kind < y->subject->kind);
    return by_kind != 0 ? by_kind : fl_slice_compare(x->name, y->name);
}

/* The order among findings of one verdict. */
static double weight_of(const leak_subject *s, fl_leak_verdict verdict)
{
    if (verdict == FL_LEAK_LEAK || verdict == FL_LEAK_NOT_ENOUGH_DATA) {
        double first = s->kind == FL_LEAK_GOROUTINES ? 1e15 : s->has_user ? 1e14 : 0;
        double sure = s->kind == FL_LEAK_SITE && !(s->trend.growth_z >= TREND_Z) ? -5e13 : 0;
        return first + sure + fmax(s->trend.slope * HOUR_S, 0);
    }
    if (verdict == FL_LEAK_LATENCY && s->kind == FL_LEAK_LOCK)
        return 1e15 + s->number[FL_LEAK_F_DELAY_PER_S];
    if (verdict == FL_LEAK_CHURN)
        return s->number[FL_LEAK_F_ALLOC_BYTES_PER_S];
    return s->number[FL_LEAK_F_LEVEL];
}

/* Whether code of that package runs inside of the subject's own function. */
static bool calls_into(const fl_leak *leak, const leak_subject *s, fl_slice package)
{
    for (size_t i = 0; i < s->stack_count; i++) {
        const leak_stack *stack = &leak->stacks[s->stacks[i]];
        for (uint32_t k = 0; k < stack->frame_count && k < stack->user; k++) {
            fl_slice name = fl_leak_name_at(leak, &leak->frames[stack->frame_at + k]);
            if (fl_slice_equal(fl_leak_package_of(name), package))
                return true;
        }
    }
    return false;
}

/* A leak without a frame of the user's own code: the function whose calls into the same package
 * keep most, or else make most. */
static const leak_subject *proxy_of(const leak_case *c, const leak_subject *s)
{
    const fl_leak *leak = c->leak;
    const leak_subject *best = NULL;
    double most = 0;
    if (s->has_user || s->function == NO_ID)
        return NULL;
    fl_slice own = fl_intern_text(leak->texts, leak->functions[s->function].name);
    fl_slice package = fl_leak_package_of(own);
    for (size_t i = 0; i < c->subject_count && package.len > 0; i++) {
        const leak_subject *other = &c->subjects[i];
        size_t n = other->series.count;
        if (other->kind != FL_LEAK_SITE || !other->has_user || n == 0 ||
            !calls_into(leak, other, package))
            continue;
        double weight = fmax(other->series.value[n - 1] - other->series.value[0], 0) +
                        1e-3 * (other->allocated[n - 1] - other->allocated[0]);
        if (weight > most) {
            most = weight;
            best = other;
        }
    }
    return best;
}

static fl_status add_judged(leak_judgement *out, const leak_case *c, leak_subject *s,
                            fl_leak_verdict verdict, fl_error *err)
{
    assert(out->count < out->cap);
    leak_judged *j = &out->rows[out->count];
    *j = (leak_judged){.subject = s, .verdict = verdict, .urgency = urgency_of(verdict)};
    if (verdict == FL_LEAK_LEAK || verdict == FL_LEAK_NOT_ENOUGH_DATA)
        j->proxy = proxy_of(c, s);
    j->name = fl_leak_function_of(c->leak, s);
    j->weight = weight_of(s, verdict);
    j->confidence = confidence_of(c, s, verdict);
    fl_leak_verdict kind = verdict == FL_LEAK_NOT_ENOUGH_DATA ? FL_LEAK_LEAK : verdict;
    fl_status status = fl_leak_best_signature(&j->signature, c, s, kind, err);
    /* Several stacks of the library that grow in step: the one that a signature knows says most. */
    if (j->signature != NULL && !s->has_user)
        j->weight += KNOWN_WEIGHT * j->signature->prior;
    out->count++;
    return status;
}

/* Signatures whose verdict is no leak may find what the rules passed over. */
static fl_status try_signatures(leak_judgement *out, const leak_case *c, leak_subject *s,
                                fl_error *err)
{
    static const fl_leak_verdict others[] = {FL_LEAK_LATENCY, FL_LEAK_GC_PRESSURE, FL_LEAK_CHURN,
                                             FL_LEAK_RETENTION};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        const fl_leak_signature *signature = NULL;
        fl_status status = fl_leak_best_signature(&signature, c, s, others[i], err);
        if (status != FL_OK)
            return status;
        bool is_cheap = others[i] == FL_LEAK_CHURN &&
                        !(s->number[FL_LEAK_F_ALLOC_BYTES_PER_S] >= REBUILD_BYTES_PER_S / 2);
        if (signature == NULL || is_cheap)
            continue;
        status = add_judged(out, c, s, others[i], err);
        /* A signature alone is one view: never sure. */
        out->rows[out->count - 1].confidence = fmin(signature->prior, 0.75);
        return status;
    }
    return FL_OK;
}

static bool growth_found(fl_leak_verdict verdict)
{
    return verdict == FL_LEAK_LEAK || verdict == FL_LEAK_NOT_ENOUGH_DATA;
}

/* One or two snapshots show no rate, and memory that costs next to nothing is no churn. */
static bool may_try(const leak_subject *s)
{
    if (s->kind == FL_LEAK_SITE)
        return s->has_user && s->series.count >= FL_TREND_MIN_POINTS;
    return s->has_user;
}

/* What the collector found unreachable is among the goroutines as well, where those are known. */
static bool is_told_twice(const leak_case *c, const leak_subject *s)
{
    for (size_t i = 0; s->set == SET_LEAKED && i < c->subject_count; i++) {
        const leak_subject *other = &c->subjects[i];
        if (other->set == SET_GOROUTINES && other->series.count > 0 && other->is_leaked &&
            fl_slice_equal(fl_leak_function_of(c->leak, other), fl_leak_function_of(c->leak, s)))
            return true;
    }
    return false;
}

/* Goroutines of which nothing but a number is known, over a few snapshots. */
static bool is_bare_count(const leak_subject *s)
{
    return s->kind == FL_LEAK_GOROUTINES && s->series.count < COUNT_POINTS && !s->is_leaked &&
           !s->is_kept && !s->survivors.is_old;
}

/*
 * Over a few points the rise slows down, by the time or for each byte that is allocated: a cache
 * that fills looks like this. Where an exact total is known, that tells. What climbs in steps
 * always slows down between them, but a map allocates in the same steps.
 */
static bool may_be_filling(const leak_case *c, const leak_subject *s)
{
    bool saws = s->trend.fall_share > SAWS_FALL_SHARE;
    if (s->kind != FL_LEAK_SITE || s->series.count >= SHORT_POINTS || c->total.is_known)
        return false;
    double slow_z = 0;
    if (items_grow(s) && !saws)
        slow_z = fmax(s->item_trend.slow_z, s->item_trend.keep_slow_z);
    if (grows(s) && !saws)
        slow_z = fmax(slow_z, fmax(s->trend.slow_z, s->trend.keep_slow_z));
    else if (!grows(s) && !s->is_ladder_step && s->number[FL_LEAK_F_LADDER_STEPS] < 3)
        slow_z = fmax(slow_z, s->trend.keep_slow_z);
    return slow_z >= SLOW_Z;
}

static fl_status judge_subject(leak_judgement *out, leak_case *c, leak_subject *s, fl_error *err)
{
    fl_leak_verdict verdict = s->kind == FL_LEAK_SITE         ? judge_site(c, s)
                              : s->kind == FL_LEAK_GOROUTINES ? judge_goroutines(s)
                                                              : judge_lock(c->leak, s);
    if (s->series.count == 0 || is_told_twice(c, s))
        return FL_OK;
    /* Sleepers wake by themselves; where many did, their number follows the load. */
    bool sleeps = s->kind == FL_LEAK_GOROUTINES && strcmp(s->state, "sleep") == 0;
    bool ended = s->survivors.none_stay || (sleeps && s->turnover >= MANY_ENDED);
    if (ended && !s->is_leaked && growth_found(verdict))
        verdict = FL_LEAK_BOUNDED_GROWTH;
    /* They may be many at work or few that never end and allocate on: ids would tell. */
    bool may_follow = s->kind == FL_LEAK_GOROUTINES && s->turnover >= MANY_ENDED &&
                      s->load_explains && !s->is_leaked && !s->is_kept;
    if (may_follow && verdict == FL_LEAK_LEAK)
        verdict = FL_LEAK_NOT_ENOUGH_DATA;
    if (verdict == FL_LEAK_LEAK && total_stopped(c, s))
        verdict = FL_LEAK_BOUNDED_GROWTH;
    if (verdict == FL_LEAK_LEAK && (is_bare_count(s) || may_be_filling(c, s)))
        verdict = FL_LEAK_NOT_ENOUGH_DATA;
    if (verdict == FL_LEAK_NO_LEAK)
        return may_try(s) ? try_signatures(out, c, s, err) : FL_OK;
    return add_judged(out, c, s, verdict, err);
}

/* A function that several call: whose path grows; and, where the whole does not, because what one
 * caller lets go hides what another keeps, whether a path does on its own. */
static fl_status judge_paths(leak_judgement *out, leak_case *c, leak_subject *s, fl_error *err)
{
    bool found = out->count > 0 && out->rows[out->count - 1].subject == s &&
                 growth_found(out->rows[out->count - 1].verdict);
    if (found) {
        s->path = fl_leak_growing_path(c, s);
        s->top_stack = s->path != NULL ? s->path->top_stack : s->top_stack;
    }
    fl_status status = FL_OK;
    for (size_t i = 0; i < c->path_count && !found && status == FL_OK; i++) {
        leak_subject *path = &c->paths[i];
        bool is_own = &c->subjects[path->parent] == s && path->caller != NO_ID;
        if (!is_own || !grows(path) || path->series.count < MIN_PATH_POINTS ||
            total_stopped(c, path))
            continue;
        path->path = path;
        status = add_judged(out, c, path, FL_LEAK_LEAK, err);
    }
    return status;
}

/* The exact total grows and no site stands out: the likeliest is the one that grew most. */
static fl_status blame_total(leak_judgement *out, leak_case *c, fl_error *err)
{
    leak_subject *best = NULL;
    for (size_t i = 0; i < c->subject_count; i++) {
        leak_subject *s = &c->subjects[i];
        if (s->kind != FL_LEAK_SITE || !s->has_user || s->series.count < FL_TREND_MIN_POINTS)
            continue;
        size_t n = s->series.count;
        double rise = s->series.value[n - 1] - s->series.value[0];
        bool may = rise > 0 && s->trend.slope >= 0 && s->trend.high > 0.25 * c->total.trend.slope &&
                   s->trend.shape != FL_SHAPE_BOUNDED && !s->follows_load;
        if (may && (best == NULL || s->trend.growth_z > best->trend.growth_z))
            best = s;
    }
    if (best == NULL)
        return FL_OK;
    best->grows_by_total = true;
    fl_status status = add_judged(out, c, best, FL_LEAK_LEAK, err);
    leak_judged *j = &out->rows[out->count - 1];
    j->by_total = true;
    j->confidence = best->trend.growth_z >= 2 ? 0.75 : 0.6;
    return status;
}

static bool has_leak(const leak_judgement *j)
{
    for (size_t i = 0; i < j->count; i++) {
        if (j->rows[i].verdict == FL_LEAK_LEAK)
            return true;
    }
    return false;
}

/* What was alive in the last half fell back to what it was in the first: whatever comes and goes,
 * nothing larger than the difference was kept in between. */
static bool fell_back(const fl_series *s)
{
    double early = INFINITY, late = INFINITY, span = s->time_s[s->count - 1] - s->time_s[0];
    for (size_t i = 0; i < s->count; i++) {
        if (s->time_s[i] - s->time_s[0] < span / 2)
            early = fmin(early, s->value[i]);
        else
            late = fmin(late, s->value[i]);
    }
    return late <= early + (2u << 20);
}

/* Over the last third or more it rose by no more than that part of what may be passed over. */
static bool stayed_late(const fl_series *s, double tolerance)
{
    size_t n = s->count, from = n - 1;
    double span = s->time_s[n - 1] - s->time_s[0];
    while (from > 0 && s->time_s[n - 1] - s->time_s[from] < span / 4)
        from--;
    double part = (s->time_s[n - 1] - s->time_s[from]) / span;
    return from + 1 < n && fabs(s->value[n - 1] - s->value[from]) <= tolerance * part;
}

/* Whether "no leak" may be said: something exact is flat, or the sampled total could have shown
 * growth of a quarter of the heap. */
static bool may_exclude(const leak_case *c)
{
    const leak_total *t = &c->total;
    if (t->is_known) {
        double span = t->series.time_s[t->series.count - 1] - t->series.time_s[0];
        double unseen = TREND_Z * t->trend.slope_error * span;
        double tolerance = fmax(4u << 20, 0.25 * t->trend.last);
        bool grows_on = t->trend.growth_z >= TREND_Z && t->trend.shape == FL_SHAPE_GROWING &&
                        t->trend.slope * span >= fmax(1048576, 0.1 * t->trend.last) &&
                        !(t->load_ratio >= 1.5);
        bool stays = t->trend.shape == FL_SHAPE_BOUNDED || t->trend.shape == FL_SHAPE_STEP;
        if (stayed_late(&t->series, tolerance) || stays)
            return true;
        return !grows_on && (unseen <= tolerance || fell_back(&t->series));
    }
    const leak_subject *all = &c->program;
    if (all->series.count < MIN_LEAK_POINTS)
        return false;
    /* What stays errs nothing, so that sites are added up and not the total's own error taken. */
    double variance = all->series.quantum * all->series.quantum;
    for (size_t i = 0; i < c->subject_count; i++) {
        const leak_subject *s = &c->subjects[i];
        if (s->kind == FL_LEAK_SITE)
            variance += fl_pair_variance(&s->series, 0, s->series.count - 1) -
                        s->series.quantum * s->series.quantum;
    }
    double unseen = TREND_Z * sqrt(fmax(variance, 0));
    double made = all->allocated[all->series.count - 1] - all->allocated[0];
    bool bounded_by_use = made < FLOOR_RATES * all->series.quantum / 4;
    return all->trend.growth_z < TREND_Z && (unseen <= 0.25 * all->trend.last || bounded_by_use);
}

/* Nothing was found: is that because there is nothing, or because it could not have been seen? */
static fl_leak_verdict quiet_verdict(const leak_case *c, const leak_judgement *j)
{
    size_t goroutines = c->used_count[SET_GOROUTINES];
    bool follows = false;
    for (size_t i = 0; i < j->count; i++)
        follows = follows || (j->rows[i].verdict == FL_LEAK_BOUNDED_GROWTH);
    bool parked_known = goroutines == 0 || goroutines >= FL_TREND_MIN_POINTS;
    if (!may_exclude(c) && !(follows && is_informative(&c->program)))
        return FL_LEAK_NOT_ENOUGH_DATA;
    if (!parked_known || c->used_count[SET_HEAP] + goroutines == 0)
        return FL_LEAK_NOT_ENOUGH_DATA;
    return follows ? FL_LEAK_BOUNDED_GROWTH : FL_LEAK_NO_LEAK;
}

fl_status fl_leak_decide(leak_judgement *out, leak_case *c, fl_error *err)
{
    fl_status status = FL_OK;
    out->cap = 2 * c->subject_count + c->path_count + 4;
    out->rows = fl_arena_alloc(c->scratch, out->cap, sizeof(*out->rows));
    if (out->rows == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the leak analysis");
    out->total_grows = total_grows(c);
    if (c->leak->has_crash)
        status = add_judged(out, c, &c->crash, FL_LEAK_CRASH, err);
    for (size_t i = 0; i < c->subject_count && status == FL_OK; i++) {
        status = judge_subject(out, c, &c->subjects[i], err);
        if (status == FL_OK && c->subjects[i].kind == FL_LEAK_SITE)
            status = judge_paths(out, c, &c->subjects[i], err);
    }
    if (status == FL_OK && out->total_grows && !has_leak(out))
        status = blame_total(out, c, err);
    if (status != FL_OK)
        return status;
    qsort(out->rows, out->count, sizeof(*out->rows), compare_judged);
    bool found = out->count > 0 && out->rows[0].urgency > urgency_of(FL_LEAK_BOUNDED_GROWTH);
    if (found && out->rows[0].verdict != FL_LEAK_NOT_ENOUGH_DATA) {
        out->verdict = out->rows[0].verdict;
        out->confidence = out->rows[0].confidence;
        /* Churn and the like do not exclude a leak that the sampling hides. */
        return FL_OK;
    }
    out->verdict = found ? FL_LEAK_NOT_ENOUGH_DATA : quiet_verdict(c, out);
    if (out->verdict == FL_LEAK_NOT_ENOUGH_DATA)
        out->confidence = 0.5;
    else
        out->confidence = c->total.is_known && c->total.trend.shape == FL_SHAPE_FLAT ? 0.85 : 0.72;
    return FL_OK;
}
