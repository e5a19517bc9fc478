/*
 * heap_layout.c - HotSpot's layouts as a model.
 *
 * Fields are laid out largest first; what alignment leaves free before them is filled with smaller
 * fields, of this class or of a subclass (since Java 15; before, a subclass began at a whole
 * reference). Objects begin at multiples of 8.
 *
 * A hole is kept as its size alone: that a field of 2 bytes may not fit two free single bytes is
 * neglected, since fields are taken largest first and holes are what aligned fields left. What this
 * model gets wrong is put right by the census, which knows where the next object begins.
 */
#include "heap_layout.h"

#include <assert.h>

static const struct {
    fl_heap_shape shape;
    const char *name;
} LAYOUTS[] = {
    [FL_HEAP_LAYOUT_INFER] = {{0, 0, 0}, "infer"},
    [FL_HEAP_LAYOUT_COMPRESSED] = {{12, 4, 16}, "compressed"},
    [FL_HEAP_LAYOUT_WIDE] = {{12, 8, 16}, "wide"},
    [FL_HEAP_LAYOUT_FULL] = {{16, 8, 24}, "full"},
    [FL_HEAP_LAYOUT_COMPACT] = {{8, 4, 12}, "compact"},
    [FL_HEAP_LAYOUT_COMPACT_WIDE] = {{8, 8, 12}, "compact-wide"},
    [FL_HEAP_LAYOUT_32] = {{8, 4, 12}, "32"},
};

_Static_assert(sizeof(LAYOUTS) / sizeof(LAYOUTS[0]) == FL_HEAP_LAYOUT_COUNT, "each has a shape");

fl_heap_shape fl_heap_shape_of(fl_heap_layout layout)
{
    assert(layout > FL_HEAP_LAYOUT_INFER && layout < FL_HEAP_LAYOUT_COUNT);
    return LAYOUTS[layout].shape;
}

const char *fl_heap_layout_name(fl_heap_layout layout)
{
    assert((unsigned)layout < FL_HEAP_LAYOUT_COUNT);
    return LAYOUTS[layout].name;
}

static uint64_t round_up(uint64_t bytes, uint64_t unit)
{
    return (bytes + unit - 1) / unit * unit;
}

uint64_t fl_heap_array_bytes(fl_heap_layout layout, fl_heap_type type, uint32_t count)
{
    fl_heap_shape shape = fl_heap_shape_of(layout);
    uint64_t width = fl_heap_type_bytes(type, shape.reference_bytes);
    uint64_t header = width == 8 ? round_up(shape.array_header_bytes, 8) : shape.array_header_bytes;
    return round_up(header + width * count, 8);
}

fl_heap_extent fl_heap_extent_begin(fl_heap_layout layout)
{
    return (fl_heap_extent){.end = fl_heap_shape_of(layout).header_bytes};
}

/* Room for `count` fields of one width: in the hole as far as it goes, the others at the end. */
static void place(fl_heap_extent *extent, uint32_t count, uint32_t width)
{
    uint32_t fit = extent->hole_bytes / width;
    fit = fit < count ? fit : count;
    extent->hole_bytes -= fit * width;
    count -= fit;
    if (count == 0)
        return;
    uint32_t at = (uint32_t)round_up(extent->end, width);
    extent->hole_bytes += at - extent->end;
    extent->end = at + count * width;
}

fl_heap_extent fl_heap_extent_add(fl_heap_extent super, fl_heap_layout layout,
                                  const fl_heap_member *fields, size_t count)
{
    uint32_t reference_bytes = fl_heap_shape_of(layout).reference_bytes;
    uint32_t of_width[9] = {0}; /* how many fields of 1, 2, 4 and 8 bytes */
    for (size_t i = 0; i < count; i++)
        of_width[fl_heap_type_bytes(fields[i].type, reference_bytes)]++;
    for (uint32_t width = 8; width > 0; width /= 2)
        place(&super, of_width[width], width);
    return super;
}

fl_heap_extent fl_heap_extent_pad(fl_heap_extent extent, uint32_t bytes)
{
    uint32_t at = (uint32_t)round_up(extent.end, 8);
    assert(bytes % 8 == 0);
    return (fl_heap_extent){.end = at + bytes};
}

uint32_t fl_heap_extent_bytes(fl_heap_extent extent)
{
    return (uint32_t)round_up(extent.end, 8);
}
