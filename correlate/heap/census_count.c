/*
 * census_count.c - objects, counted where they belong.
 *
 * Dumps have tens of millions of objects, and this is all that is done with each: so it is a loop
 * without branches that data decides, over rows of 24 bytes. Each class has a tally for its
 * instances, one for its arrays of references and one for its arrays of others (most classes use
 * one), and all three are kept alike: what is meaningless for a kind is not looked at afterwards.
 *
 * What an array weighs is the layout's: a header of 8k or 8k + 4 bytes, the elements, up to whole
 * words of 8. For elements of e bytes in all that is 8k + r(e) or 8k + r(e + 4), where r rounds up
 * to 8: two sums are enough for any layout. References are of 4 bytes or of 8, with n of them
 * r(4n) + r(4n + 4) - 8 = 8n: the same two sums serve for both.
 */
#include <assert.h>

#include "census_priv.h"
#include "heap_layout.h"
#include "mem.h"

/* Arrays of one reading whose neighbour is looked at: layouts differ in every second one. */
enum { MAX_VOTES = 1 << 12 };

fl_status fl_census_counts_grow(fl_census_counts *counts, const fl_census *census, fl_error *err)
{
    static const unsigned char UNITS[FL_HEAP_TYPE_END] = {0, 0, 0, 0, 0, 1, 2, 3, 0, 1, 2, 3};
    size_t class_count = census->count;
    if (class_count <= counts->class_count)
        return FL_OK;
    size_t more = counts->class_count * 2 > class_count ? counts->class_count * 2 : class_count;
    fl_census_tally *grown =
        fl_mem_realloc(counts->tallies, more, FL_CENSUS_KINDS * sizeof(*grown));
    if (grown == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory");
    for (size_t i = counts->class_count * FL_CENSUS_KINDS; i < more * FL_CENSUS_KINDS; i++)
        grown[i] = (fl_census_tally){.nearest_bytes = UINT64_MAX,
                                     .unit = i % FL_CENSUS_KINDS == 1 ? 2 : 0};
    if (counts->class_count == 0) {
        counts->range = (fl_census_range){.min_id = UINT64_MAX};
        for (unsigned type = FL_HEAP_BOOLEAN; type < FL_HEAP_TYPE_END; type++)
            grown[census->values_class[type] * FL_CENSUS_KINDS + 2].unit = UNITS[type];
    }
    counts->tallies = grown;
    counts->class_count = more;
    return FL_OK;
}

void fl_census_counts_dispose(fl_census_counts *counts)
{
    fl_mem_free(counts->tallies);
    counts->tallies = NULL;
    counts->class_count = 0;
}

static inline size_t tally_of(const fl_census *census, fl_census_counts *counts,
                              const fl_heap_brief *row)
{
    uint32_t index = fl_census_class_of(census, &counts->cache, row->class_id);
    return (size_t)index * FL_CENSUS_KINDS + (row->kind - (unsigned)FL_HEAP_ITEM_INSTANCE);
}

/* How far the second object lies behind the first says which layouts the first may be of. */
static void vote(fl_census_votes *votes, const fl_heap_brief *array, uint64_t id)
{
    if (array->kind == FL_HEAP_ITEM_INSTANCE || id <= array->id)
        return;
    fl_heap_type type =
        array->kind == FL_HEAP_ITEM_OBJECTS ? FL_HEAP_REFERENCE : (fl_heap_type)array->class_id;
    votes->count++;
    for (fl_heap_layout i = FL_HEAP_LAYOUT_COMPRESSED; i < FL_HEAP_LAYOUT_COUNT; i++)
        votes->of[i] += fl_heap_array_bytes(i, type, array->count) == id - array->id;
}

/* The smallest distance, and how often it was seen. */
static inline void note_distance(fl_census_tally *before, uint64_t distance, bool is_behind)
{
    if (distance < before->nearest_bytes && is_behind) {
        before->nearest_bytes = distance;
        before->nearest_count = 0;
    }
    before->nearest_count += is_behind & (distance == before->nearest_bytes);
}

void fl_census_compare(fl_census_counts *counts, fl_census_votes *votes,
                       const fl_census_reading *reading, uint64_t id)
{
    const fl_heap_brief *before = &reading->before;
    if (!reading->ends_with_object)
        return;
    assert(reading->tally < counts->class_count * FL_CENSUS_KINDS);
    note_distance(&counts->tallies[reading->tally], id - before->id, id > before->id);
    if (votes->count < MAX_VOTES)
        vote(votes, before, id);
}

void fl_census_note_id(fl_census_counts *counts, uint64_t id)
{
    fl_census_range *range = &counts->range;
    range->min_id = id < range->min_id ? id : range->min_id;
    range->max_id = id > range->max_id ? id : range->max_id;
    range->id_bits |= id;
    range->objects++;
}

/* Most dumps list objects by rising addresses, where the first and the last say it. */
static void note_reach(fl_census_range *range, const fl_heap_brief *rows, size_t count,
                       bool is_rising)
{
    size_t step = is_rising && count > 1 ? count - 1 : 1;
    for (size_t i = 0; i < count; i += step) {
        range->min_id = rows[i].id < range->min_id ? rows[i].id : range->min_id;
        range->max_id = rows[i].id > range->max_id ? rows[i].id : range->max_id;
    }
}

void fl_census_count(const fl_census *census, fl_census_counts *counts, fl_census_reading *reading,
                     const fl_heap_brief *rows, size_t count)
{
    assert(count > 0 && counts->class_count >= census->count);
    fl_census_compare(counts, &reading->votes, reading, rows[0].id);
    for (size_t i = 1; i < count && reading->votes.count < MAX_VOTES; i++)
        vote(&reading->votes, &rows[i - 1], rows[i].id);
    fl_census_tally *tally = &counts->tallies[tally_of(census, counts, &rows[0])];
    uint64_t id_bits = 0;
    bool is_rising = true;
    for (size_t i = 0;;) {
        const fl_heap_brief *row = &rows[i];
        uint64_t element_bytes = (uint64_t)row->count << tally->unit;
        tally->count++;
        tally->rounded_bytes += (element_bytes + 7) & ~UINT64_C(7);
        tally->moved_bytes += (element_bytes + 4 + 7) & ~UINT64_C(7);
        id_bits |= row->id;
        if (++i == count)
            break;
        bool is_behind = rows[i].id > row->id;
        note_distance(tally, rows[i].id - row->id, is_behind);
        is_rising &= is_behind;
        tally = &counts->tallies[tally_of(census, counts, &rows[i])];
    }
    counts->range.objects += count;
    counts->range.id_bits |= id_bits;
    note_reach(&counts->range, rows, count, is_rising);
    reading->ends_with_object = true;
    reading->before = rows[count - 1];
    reading->tally = (size_t)(tally - counts->tallies);
}

void fl_census_count_lane(const fl_census *census, fl_census_counts *counts,
                          fl_census_reading *reading, const fl_heap_lane *lane)
{
    assert(lane->count <= FL_HEAP_LANE_ROWS);
    if (lane->count == 0)
        return;
    fl_census_count(census, counts, reading, lane->rows, lane->count);
    reading->last_offset = lane->end - 1;
}

void fl_census_counts_add(fl_census_counts *to, const fl_census_counts *from)
{
    assert(to->class_count >= from->class_count);
    for (size_t i = 0; i < from->class_count * FL_CENSUS_KINDS; i++) {
        fl_census_tally *sum = &to->tallies[i];
        const fl_census_tally *add = &from->tallies[i];
        sum->count += add->count;
        sum->rounded_bytes += add->rounded_bytes;
        sum->moved_bytes += add->moved_bytes;
        if (add->nearest_bytes < sum->nearest_bytes) {
            sum->nearest_bytes = add->nearest_bytes;
            sum->nearest_count = 0;
        }
        if (add->nearest_bytes == sum->nearest_bytes)
            sum->nearest_count += add->nearest_count;
    }
    fl_census_range *range = &to->range;
    range->min_id = from->range.min_id < range->min_id ? from->range.min_id : range->min_id;
    range->max_id = from->range.max_id > range->max_id ? from->range.max_id : range->max_id;
    range->id_bits |= from->range.id_bits;
    range->objects += from->range.objects;
}

/* What the arrays of a tally weigh with this layout. */
static uint64_t array_bytes(const fl_census_tally *tally, fl_heap_layout layout, fl_heap_type type)
{
    fl_heap_shape shape = fl_heap_shape_of(layout);
    uint64_t header = shape.array_header_bytes, count = tally->count;
    unsigned width = fl_heap_type_bytes(type, shape.reference_bytes);
    uint64_t elements = tally->rounded_bytes;
    assert(header % 4 == 0);
    if (type == FL_HEAP_REFERENCE && width == 8)
        elements = tally->rounded_bytes + tally->moved_bytes - 8 * count;
    if (width == 8)
        return ((header + 7) & ~UINT64_C(7)) * count + elements;
    return header % 8 == 0 ? header * count + elements : (header - 4) * count + tally->moved_bytes;
}

/* Arrays of others than references are found under their type, which is no class's index. */
static void settle_arrays(fl_census *census, size_t index, const fl_census_tally *tally,
                          fl_heap_type type)
{
    fl_census_entry *entry = &census->entries[index];
    entry->array_count += tally->count;
    entry->facts.count += tally->count;
    for (fl_heap_layout i = FL_HEAP_LAYOUT_COMPRESSED; i < FL_HEAP_LAYOUT_COUNT; i++)
        entry->array_bytes[i] += array_bytes(tally, i, type);
}

void fl_census_settle(fl_census *census, const fl_census_counts *counts)
{
    assert(counts->class_count >= census->count);
    for (size_t i = 0; i < census->count; i++) {
        const fl_census_tally *of = &counts->tallies[i * FL_CENSUS_KINDS];
        fl_census_entry *entry = &census->entries[i];
        entry->facts.count = of[0].count;
        entry->nearest_bytes = of[0].nearest_bytes;
        entry->nearest_count = of[0].nearest_count;
        if (of[1].count > 0)
            settle_arrays(census, i, &of[1], FL_HEAP_REFERENCE);
    }
    for (fl_heap_type type = FL_HEAP_BOOLEAN; type < FL_HEAP_TYPE_END; type++) {
        size_t index = census->values_class[type];
        const fl_census_tally *of = &counts->tallies[index * FL_CENSUS_KINDS + 2];
        if (of->count > 0)
            settle_arrays(census, index, of, type);
    }
    const fl_census_range *range = &counts->range;
    census->totals.objects = range->objects;
    census->totals.min_id = range->objects > 0 ? range->min_id : 0;
    census->totals.max_id = range->max_id;
    census->totals.id_bits = range->id_bits;
}
