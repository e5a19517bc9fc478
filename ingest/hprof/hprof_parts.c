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

/* Where the first segment begins, in *segments; false where the dump cannot be split. */
static bool find_segments(const fl_hprof *dump, size_t *segments)
{
    fl_hprof_record here;
    bool has_segment = false;
    size_t next;
    for (size_t pos = dump->whole.start; pos < dump->bytes.len; pos = next) {
        if (!fl_hprof_record_at(&here, dump, pos) || !fl_hprof_is_record(here.tag) ||
            here.length > dump->bytes.len - here.body)
            return false;
        if (!has_segment && fl_hprof_is_segment(here.tag)) {
            has_segment = true;
            *segments = pos;
        }
        if (has_segment && fl_hprof_is_item(here.tag))
            return false;
        next = here.body + (size_t)here.length;
    }
    return has_segment;
}

/* The end of the first record that ends at `least` or behind it. */
static size_t record_end(const fl_hprof *dump, size_t pos, size_t least)
{
    fl_hprof_record here;
    while (pos < least) {
        bool is_there = fl_hprof_record_at(&here, dump, pos);
        assert(is_there && here.length <= dump->bytes.len - here.body);
        pos = here.body + (size_t)here.length;
    }
    return pos;
}

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

/* Parts of equal length but for where segments end. */
size_t fl_hprof_split(void *payload, fl_heap_source *parts, size_t most, uint64_t least_bytes)
{
    const fl_hprof_cursor *whole = payload;
    fl_hprof *dump = whole->dump;
    size_t pos = 0;
    assert(whole == &dump->whole && most >= 2);
    dump->part_count = 0;
    if (!find_segments(dump, &pos))
        return 0;
    most = most < FL_HPROF_MOST_PARTS ? most : FL_HPROF_MOST_PARTS;
    size_t each = (dump->bytes.len - pos) / (most - 1) + 1;
    each = each < least_bytes ? (size_t)least_bytes : each;
    add_part(dump, &parts[0], whole->start, pos);
    while (pos < dump->bytes.len) {
        size_t rest = dump->bytes.len - pos;
        size_t end = record_end(dump, pos, rest / 2 < each ? dump->bytes.len : pos + each);
        add_part(dump, &parts[dump->part_count], pos, end);
        pos = end;
    }
    return dump->part_count;
}
