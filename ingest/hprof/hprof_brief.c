/*
 * hprof_brief.c - instances and arrays in brief, out of several parts of a dump in turns.
 *
 * Where an object ends is known when its length has been read, so that one object is waited for
 * before the next one can be looked at: some 20 cycles each. And which of three kinds comes next
 * is hard to guess for the processor: a wrong guess costs as much again. Both go away here. What
 * the kinds differ in is data, not branches; and the objects of several parts are taken in turns,
 * so that the processor works on one part while it waits for the others. What lies ahead is asked
 * for early, since the processor by itself asks for nothing beyond a page. Measured on a dump of
 * 25.8 million objects, stepping alone: 2.8 ns an object with four parts in turns, 7.5 with one,
 * 8.6 with one and a branch for each kind, 21 with one and nothing asked for early.
 *
 * This reads what is plain, and leaves all else to hprof_item.c: what is no instance and no array,
 * what does not end within its segment, and the last object of a segment where fewer bytes are left
 * than are loaded at once. The byte table stands there, too; the unit test and the fuzzer hold the
 * two readers to one another.
 */
#include <assert.h>

#include "bytes.h"
#include "hprof_priv.h"

enum {
    TAG_INSTANCE = 0x21,
    TAG_OBJECTS = 0x22,
    TAG_VALUES = 0x23,
    ID_AT = 1,          /* behind the tag */
    LOADED_BYTES = 25,  /* no load reaches further, with ids of either width */
    AHEAD_BYTES = 1024, /* 768 to 2048 cost the same, 256 a tenth more */
    IS_OBJECT = 0x40,   /* in a unit: it is one; a shift does not see it */
    NO_SHIFT_BITS = 0x3f
};

/* Where a kind has its numbers, counted from its tag. All zeros: no kind that is read here. */
typedef struct shape {
    _Alignas(8) unsigned char count_at; /* eight bytes each are found by a shift */
    unsigned char class_at, head_bytes;
    unsigned char class_shift; /* of eight bytes, what is left of the class or of the type */
    unsigned char unit;        /* log2 of an element's bytes in the dump, and IS_OBJECT */
    unsigned char type_mask;   /* the unit is that of the type: all bits */
    unsigned char kind;
} shape;

/* clang-format off */
static const shape SHAPES_8[256] = {
    [TAG_INSTANCE] = {21, 13, 25, 0, IS_OBJECT, 0, FL_HEAP_ITEM_INSTANCE},
    [TAG_OBJECTS] = {13, 17, 25, 0, IS_OBJECT | 3, 0, FL_HEAP_ITEM_OBJECTS},
    [TAG_VALUES] = {13, 17, 18, 56, 0, 0xff, FL_HEAP_ITEM_VALUES},
};
static const shape SHAPES_4[256] = {
    [TAG_INSTANCE] = {13, 9, 17, 32, IS_OBJECT, 0, FL_HEAP_ITEM_INSTANCE},
    [TAG_OBJECTS] = {9, 13, 17, 32, IS_OBJECT | 2, 0, FL_HEAP_ITEM_OBJECTS},
    [TAG_VALUES] = {9, 13, 14, 56, 0, 0xff, FL_HEAP_ITEM_VALUES},
};
/* Of primitive types alone: an array of values has no references. */
static const unsigned char UNITS[256] = {
    [FL_HEAP_BOOLEAN] = IS_OBJECT,  [FL_HEAP_CHAR] = IS_OBJECT | 1,
    [FL_HEAP_FLOAT] = IS_OBJECT | 2, [FL_HEAP_DOUBLE] = IS_OBJECT | 3,
    [FL_HEAP_BYTE] = IS_OBJECT,     [FL_HEAP_SHORT] = IS_OBJECT | 1,
    [FL_HEAP_INT] = IS_OBJECT | 2,  [FL_HEAP_LONG] = IS_OBJECT | 3,
};
/* clang-format on */

/* One part: what is left of the segment that it is in, and where its rows go. */
typedef struct runner {
    size_t pos, end;
    fl_heap_brief *rows;
} runner;

/* The next object of a part to rows[at]. False, and nothing is taken: the other reader goes on. */
static inline __attribute__((always_inline)) bool take(runner *from, size_t at,
                                                       const unsigned char *bytes, unsigned width)
{
    size_t left = from->end - from->pos;
    if (left < LOADED_BYTES)
        return false;
    const unsigned char *object = bytes + from->pos;
    __builtin_prefetch(object + AHEAD_BYTES); /* behind the dump it does nothing */
    const shape *is = width == 8 ? &SHAPES_8[object[0]] : &SHAPES_4[object[0]];
    unsigned type_at = width == 8 ? 17 : 13; /* of arrays of values; of others it is masked */
    unsigned unit = is->unit | (UNITS[object[type_at]] & is->type_mask);
    uint32_t count = fl_hprof_u4(object + is->count_at);
    uint64_t bytes_of_it = is->head_bytes + ((uint64_t)count << (unit & NO_SHIFT_BITS));
    if ((unit & IS_OBJECT) == 0 || left < bytes_of_it)
        return false;
    from->rows[at] = (fl_heap_brief){
        .id = fl_bytes_be64(object + ID_AT) >> (width == 8 ? 0 : 32),
        .class_id = fl_bytes_be64(object + is->class_at) >> is->class_shift,
        .count = count,
        .kind = is->kind,
    };
    from->pos += bytes_of_it;
    return true;
}

/* Four parts in turns, until one of them cannot go on. Parts before `*stopped` are one ahead. */
static inline __attribute__((always_inline)) size_t take_turns(runner *runners, size_t *stopped,
                                                               const unsigned char *bytes,
                                                               unsigned width)
{
    runner a = runners[0], b = runners[1], c = runners[2], d = runners[3];
    size_t i = 0;
    *stopped = 0;
    for (; i < FL_HEAP_LANE_ROWS; i++) {
        if (!take(&a, i, bytes, width)) {
            *stopped = 0;
            break;
        }
        if (!take(&b, i, bytes, width)) {
            *stopped = 1;
            break;
        }
        if (!take(&c, i, bytes, width)) {
            *stopped = 2;
            break;
        }
        if (!take(&d, i, bytes, width)) {
            *stopped = 3;
            break;
        }
    }
    runners[0] = a;
    runners[1] = b;
    runners[2] = c;
    runners[3] = d;
    return i;
}

static inline __attribute__((always_inline)) size_t take_alone(runner *from,
                                                               const unsigned char *bytes,
                                                               unsigned width)
{
    runner one = *from;
    size_t i = 0;
    while (i < FL_HEAP_LANE_ROWS && take(&one, i, bytes, width))
        i++;
    *from = one;
    return i;
}

static runner begin(fl_heap_lane *lane)
{
    const fl_hprof_cursor *at = lane->payload;
    bool is_inside = at->segment_end != 0;
    assert(!is_inside || (at->pos <= at->segment_end && at->segment_end <= at->dump->bytes.len));
    return (runner){at->pos, is_inside ? at->segment_end : at->pos, lane->rows};
}

static void end(fl_heap_lane *lane, const runner *ran, size_t count)
{
    fl_hprof_cursor *at = lane->payload;
    assert(ran->pos >= at->pos && ran->pos <= ran->end && count <= FL_HEAP_LANE_ROWS);
    at->pos = ran->pos;
    lane->count = count;
    lane->end = ran->pos;
}

/* With fewer than four parts each goes alone: that is the end of a dump. */
void fl_hprof_skim(fl_heap_lane *const *lanes, size_t count)
{
    runner runners[FL_HEAP_LANES];
    const fl_hprof *dump = ((const fl_hprof_cursor *)lanes[0]->payload)->dump;
    const unsigned char *bytes = dump->bytes.ptr;
    unsigned width = dump->facts.id_bytes;
    assert(count > 0 && count <= FL_HEAP_LANES && (width == 4 || width == 8));
    for (size_t i = 0; i < count; i++)
        runners[i] = begin(lanes[i]);
    if (count < FL_HEAP_LANES) {
        for (size_t i = 0; i < count; i++) {
            size_t taken =
                width == 8 ? take_alone(&runners[i], bytes, 8) : take_alone(&runners[i], bytes, 4);
            end(lanes[i], &runners[i], taken);
            lanes[i]->is_stopped = taken < FL_HEAP_LANE_ROWS;
        }
        return;
    }
    size_t stopped;
    size_t turns = width == 8 ? take_turns(runners, &stopped, bytes, 8)
                              : take_turns(runners, &stopped, bytes, 4);
    for (size_t i = 0; i < FL_HEAP_LANES; i++) {
        end(lanes[i], &runners[i], turns + (turns < FL_HEAP_LANE_ROWS && i < stopped));
        lanes[i]->is_stopped = turns < FL_HEAP_LANE_ROWS && i == stopped;
    }
}
