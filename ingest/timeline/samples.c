/*
 * samples.c - the samples of all metric series, distinct, within their budget.
 *
 * Over the budget less and less is kept. `sample_level` is the first of these that fits:
 *   0        all
 *   1        the last sample of each window; of changes, which add up, still all
 *   2 .. 8   and no farther from the incident than 2048, 1024 ... 32 steps
 *   9 .. 40  and only series the first 1, 2 ... 32 bits of whose key are zero
 *   41       none
 * Each level keeps part of what the one before it keeps, so it does not count in which order
 * samples came: at no time do more than all of them count, and what a level drops no later level
 * wants.
 */
#include <assert.h>

#include "faultline/limits.h"
#include "mem.h"
#include "timeline_priv.h"

enum {
    LEVEL_LAST = 1,
    LEVEL_NEAR = 8,
    LEVEL_FEWER = 40,
    LEVEL_NONE = 41,
    FIRST_DISTANCE_BITS = 13
};

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static int compare_samples(const void *left, const void *right)
{
    const struct raw_sample *a = left, *b = right;
    if (a->series != b->series)
        return COMPARE(a->series, b->series);
    if (a->time_ns != b->time_ns)
        return COMPARE(a->time_ns, b->time_ns);
    return COMPARE(a->value, b->value);
}

static uint64_t series_of(const void *row)
{
    return ((const struct raw_sample *)row)->series;
}

static uint64_t time_of(const void *row)
{
    return fl_sort_number(((const struct raw_sample *)row)->time_ns);
}

static const fl_row_order sample_order = {.numbers = {series_of, time_of},
                                          .compare = compare_samples};

static unsigned halvings_of(const fl_timeline_builder *b)
{
    return b->sample_level > LEVEL_NEAR ? b->sample_level - LEVEL_NEAR : 0;
}

bool fl_tl_wants_sample(const fl_timeline_builder *b, uint32_t key, int64_t time_ns)
{
    assert(b->sample_level <= LEVEL_NONE);
    unsigned level = b->sample_level, halvings = halvings_of(b);
    if (level <= LEVEL_LAST)
        return true;
    unsigned nearer = (level < LEVEL_NEAR ? level : LEVEL_NEAR) - LEVEL_LAST;
    if (fl_tl_distance(b, time_ns) >> (FIRST_DISTANCE_BITS - nearer) != 0)
        return false;
    return level < LEVEL_NONE && (halvings == 0 || key >> (32 - halvings) == 0);
}

double fl_tl_sample_share(const fl_timeline_builder *b)
{
    double share = 1;
    for (unsigned i = halvings_of(b); i > 0; i--)
        share /= 2;
    return share;
}

/* Of samples of one series and time the largest stays. */
static void keep_distinct(fl_timeline_builder *b)
{
    size_t kept = 0;
    fl_sort_rows(b->samples, b->sample_count, sizeof(*b->samples), &sample_order);
    for (size_t i = 0; i < b->sample_count; i++) {
        bool same = kept > 0 && b->samples[kept - 1].series == b->samples[i].series &&
                    b->samples[kept - 1].time_ns == b->samples[i].time_ns;
        b->samples[same ? kept - 1 : kept] = b->samples[i];
        kept += !same;
    }
    b->sample_count = kept;
}

/* Whether the next sample, of the same series, is in the same window too. */
static bool is_outdone(const fl_timeline_builder *b, size_t i)
{
    const struct raw_sample *a = &b->samples[i], *next = a + 1;
    return i + 1 < b->sample_count && a->series == next->series &&
           !fl_tl_is_change(b->series[a->series].part) &&
           fl_tl_distance(b, a->time_ns) == fl_tl_distance(b, next->time_ns);
}

/* What the level keeps of distinct samples. */
static void keep_wanted(fl_timeline_builder *b)
{
    size_t kept = 0;
    for (size_t i = 0; i < b->sample_count; i++)
        if (!is_outdone(b, i) && fl_tl_wants_sample(b, b->samples[i].key, b->samples[i].time_ns))
            b->samples[kept++] = b->samples[i];
    b->over_budget += b->sample_count - kept;
    b->sample_count = kept;
}

void fl_tl_settle_samples(fl_timeline_builder *b)
{
    keep_distinct(b);
    if (b->sample_level > 0)
        keep_wanted(b);
    while (b->sample_count > FL_MAX_SAMPLES && b->sample_level < LEVEL_NONE) {
        b->sample_level++;
        keep_wanted(b);
    }
}

/* A quarter above the budget, so that duplicates do not force a sort each time. */
static fl_status make_room(fl_timeline_builder *b, fl_error *err)
{
    const size_t most = FL_MAX_SAMPLES + FL_MAX_SAMPLES / 4;
    if (b->sample_capacity == most) {
        fl_tl_settle_samples(b);
        assert(b->sample_count < b->sample_capacity);
        return FL_OK;
    }
    size_t capacity = b->sample_capacity > 0 ? b->sample_capacity * 2 : 4096;
    if (capacity > most)
        capacity = most;
    struct raw_sample *grown = fl_mem_realloc(b->samples, capacity, sizeof(*grown));
    if (grown == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for %zu metric samples", capacity);
    b->samples = grown;
    b->sample_capacity = capacity;
    return FL_OK;
}

fl_status fl_tl_add_sample(fl_timeline_builder *b, const struct raw_sample *sample, fl_error *err)
{
    assert(sample->series < b->series_count);
    fl_status status = b->sample_count == b->sample_capacity ? make_room(b, err) : FL_OK;
    if (status == FL_OK && fl_tl_wants_sample(b, sample->key, sample->time_ns))
        b->samples[b->sample_count++] = *sample;
    return status;
}
