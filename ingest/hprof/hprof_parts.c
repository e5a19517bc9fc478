/*
 * hprof_parts.c - a dump in parts, for a thread each.
 *
 * The records at the top level say how long they are, so that segments of the heap are found
 * without reading them: HotSpot writes some of a megabyte each. A dump whose records do not follow
 * one another to its end, or that has names behind its first segment, is read in one part; so is
 * one of a single segment (Java 8).
 */
#include <assert.h>

#include "hprof_priv.h"

/* As far as the system makes pages around the one that is touched. */
enum { FAR_BYTES = 1 << 16 };

static void add_part(fl_hprof *dump, fl_heap_source *part, size_t start, size_t end)
{
    fl_hprof_cursor *at = &dump->parts[dump->part_count++];
    assert(start <= end && dump->part_count <= FL_HPROF_MOST_PARTS);
    *at = (fl_hprof_cursor){.dump = dump, .start = start, .end = end};
    fl_hprof_rewind(at);
    *part = (fl_heap_source){.read = fl_hprof_read,
                             .rewind = fl_hprof_rewind,
                             .at = fl_hprof_at,
                             .skim = fl_hprof_skim,
                             .payload = at,
                             .id_bytes = dump->facts.id_bytes};
}

/* Names and what stands before them are read anyway, and lie close to one another, as small
 * segments do: to ask the system for each would cost more. Of large ones only the heads are looked
 * at. */
static bool head_at(fl_hprof_record *out, const fl_hprof *dump, size_t pos, bool is_far)
{
    unsigned char head[FL_HPROF_RECORD_HEAD];
    if (!is_far)
        return fl_hprof_record_at(out, dump, pos);
    if (!fl_hprof_peek(head, sizeof(head), dump, pos))
        return false;
    *out = fl_hprof_record_of(head, pos);
    return true;
}

/* Where a part ends that begins at `start`, but for the segment in which that is. What would be
 * left behind it is a part that is large enough, or belongs to it. */
static size_t part_end(const fl_hprof *dump, size_t start, size_t each, size_t least)
{
    size_t rest = dump->bytes.len - start;
    return rest < least || rest - least < each ? dump->bytes.len : start + each;
}

/* One walk over the records. True where it ends with the dump. */
static bool split(fl_hprof *dump, fl_heap_source *parts, size_t most, size_t least)
{
    size_t start = 0, end = SIZE_MAX, each = least, pos = dump->whole.start;
    bool has_segment = false;
    fl_hprof_record here = {.length = 0};
    for (; pos < dump->bytes.len; pos = here.body + (size_t)here.length) {
        bool is_far = has_segment && here.length >= FAR_BYTES;
        if (!head_at(&here, dump, pos, is_far) || !fl_hprof_is_record(here.tag) ||
            here.length > dump->bytes.len - here.body)
            return false;
        if (!has_segment && fl_hprof_is_segment(here.tag)) {
            size_t even = (dump->bytes.len - pos) / (most - 1) + 1;
            has_segment = true;
            each = even < least ? least : even;
            add_part(dump, &parts[0], dump->whole.start, pos);
            start = pos;
            end = part_end(dump, start, each, least);
        }
        if (has_segment && fl_hprof_is_item(here.tag))
            return false;
        if (pos >= end) {
            add_part(dump, &parts[dump->part_count], start, pos);
            start = pos;
            end = part_end(dump, start, each, least);
        }
    }
    if (has_segment)
        add_part(dump, &parts[dump->part_count], start, dump->bytes.len);
    return has_segment;
}

/* Parts of equal length but for where segments end. */
size_t fl_hprof_split(void *payload, fl_heap_source *parts, size_t most, uint64_t least_bytes)
{
    const fl_hprof_cursor *whole = payload;
    fl_hprof *dump = whole->dump;
    assert(whole == &dump->whole && most >= 2);
    most = most < FL_HPROF_MOST_PARTS ? most : FL_HPROF_MOST_PARTS;
    dump->part_count = 0;
    if (!split(dump, parts, most, least_bytes < SIZE_MAX ? (size_t)least_bytes : SIZE_MAX))
        dump->part_count = 0;
    return dump->part_count;
}
