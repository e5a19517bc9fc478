/*
 * heap_paths_view.c - paths as text and as JSON.
 *
 * The verdict of two dumps is "leak" where a container grew (FL_HEAP_GROWTH_RATIO), else "no-leak",
 * or "not-enough-data" where one of the two was cut: nothing is said of a single dump but who keeps
 * what, since a large table is no leak.
 */
#include "heap_paths_view.h"

#include <assert.h>
#include <inttypes.h>

#include "profile_text.h"
#include "slice.h"

/* --- the tree --- */

/* Children of a row, the heaviest first: the next one behind `last` in that order. */
static size_t next_child(const fl_heap_paths *paths, size_t row, size_t last)
{
    size_t best = FL_HEAP_NONE;
    const fl_heap_path *before = last != FL_HEAP_NONE ? fl_heap_paths_at(paths, last) : NULL;
    for (size_t i = row + 1; i < fl_heap_paths_count(paths); i++) {
        const fl_heap_path *here = fl_heap_paths_at(paths, i);
        bool is_later = before == NULL || here->retained_bytes < before->retained_bytes ||
                        (here->retained_bytes == before->retained_bytes && i > last);
        if (here->parent == row && is_later &&
            (best == FL_HEAP_NONE ||
             here->retained_bytes > fl_heap_paths_at(paths, best)->retained_bytes))
            best = i;
    }
    return best;
}

/* Depth first, by parents: no stack. FL_HEAP_NONE at the end. */
static size_t next_row(const fl_heap_paths *paths, size_t row)
{
    size_t child = next_child(paths, row, FL_HEAP_NONE);
    while (child == FL_HEAP_NONE && row != 0) {
        size_t parent = fl_heap_paths_at(paths, row)->parent;
        child = next_child(paths, parent, row);
        row = parent;
    }
    return child;
}

static void put_row(fl_buf *out, const fl_heap_path *row, uint64_t whole_bytes)
{
    double share = whole_bytes > 0 ? 100.0 * (double)row->retained_bytes / (double)whole_bytes : 0;
    fl_buf_printf(out, "%14" PRIu64 " %5.1f%% %12" PRIu64 "  %*s", row->retained_bytes, share,
                  row->objects, (int)row->depth, "");
    fl_profile_text_terminal(out, fl_slice_of(row->label));
    fl_buf_char(out, '\n');
}

/* Where most of the heap comes together, if it does. */
static void put_accumulation(fl_buf *out, const fl_heap_paths *paths)
{
    size_t row = fl_heap_paths_descend(paths, 0);
    const fl_heap_path *here = fl_heap_paths_at(paths, row);
    if (row == 0)
        return;
    fl_buf_text(out, "Most comes together in ");
    fl_profile_text_terminal(out, fl_slice_of(fl_heap_paths_holder(paths, row)));
    fl_buf_printf(out, ": %" PRIu64 " bytes by way of ", here->retained_bytes);
    fl_profile_text_terminal(out, fl_slice_of(here->label));
    fl_buf_text(out, ". Whether it grows takes a second dump.\n\n");
}

void fl_heap_view_paths(fl_buf *out, const fl_heap_title *title, const fl_heap_paths *paths,
                        size_t top)
{
    size_t shown = 0;
    uint64_t whole = fl_heap_paths_at(paths, 0)->retained_bytes;
    fl_heap_view_title(out, title);
    put_accumulation(out, paths);
    fl_buf_text(out, "     #retained  share     #objects  kept by, from the roots down\n");
    for (size_t row = 0; row != FL_HEAP_NONE && (top == 0 || shown < top);
         row = next_row(paths, row), shown++)
        put_row(out, fl_heap_paths_at(paths, row), whole);
    if (shown < fl_heap_paths_count(paths))
        fl_buf_printf(out, "... and %zu rows more; --top 0 shows all\n",
                      fl_heap_paths_count(paths) - shown);
}

static void put_text(fl_buf *out, const char *key, const char *text)
{
    fl_buf_printf(out, "\"%s\":", key);
    if (text != NULL)
        fl_profile_text_json(out, fl_slice_of(text));
    else
        fl_buf_text(out, "null");
}

static void put_path_json(fl_buf *out, const fl_heap_path *row)
{
    fl_buf_printf(out, "{\"depth\":%" PRIu32 ",", row->depth);
    put_text(out, "label", row->label);
    fl_buf_char(out, ',');
    put_text(out, "holder", row->holder);
    fl_buf_printf(out, ",\"objects\":%" PRIu64 ",\"retained_bytes\":%" PRIu64 "}", row->objects,
                  row->retained_bytes);
}

void fl_heap_view_paths_json(fl_buf *out, const fl_heap_title *title, const fl_heap_paths *paths,
                             size_t top)
{
    size_t shown = 0, gathered = fl_heap_paths_descend(paths, 0);
    fl_buf_text(out, "{\"schema\":1,\"kind\":\"heap-paths\",");
    fl_heap_view_title_json(out, title);
    fl_buf_char(out, ',');
    put_text(out, "accumulates_in", gathered != 0 ? fl_heap_paths_holder(paths, gathered) : NULL);
    fl_buf_printf(out, ",\"path_count\":%zu,\"paths\":[", fl_heap_paths_count(paths));
    for (size_t row = 0; row != FL_HEAP_NONE && (top == 0 || shown < top);
         row = next_row(paths, row), shown++) {
        fl_buf_text(out, shown > 0 ? ",\n" : "\n");
        put_path_json(out, fl_heap_paths_at(paths, row));
    }
    fl_buf_text(out, "]}\n");
}

/* --- growth --- */

enum { PATH_ROWS = 72 };

/* The rows from the whole down to `row`; returns how many. */
static size_t way_to(size_t out[PATH_ROWS], const fl_heap_paths *paths, size_t row)
{
    size_t depth = fl_heap_paths_at(paths, row)->depth;
    assert(depth < PATH_ROWS);
    for (size_t i = depth + 1; i-- > 0;) {
        out[i] = row;
        row = fl_heap_paths_at(paths, row)->parent;
    }
    return depth + 1;
}

static void put_growth(fl_buf *out, const fl_heap_compared *compared, const fl_heap_growth *growth)
{
    const fl_heap_paths *paths = compared->after_paths;
    size_t way[PATH_ROWS], count = way_to(way, paths, growth->row);
    fl_buf_text(out, "\n");
    fl_profile_text_terminal(out, fl_slice_of(fl_heap_paths_holder(paths, growth->row)));
    fl_buf_printf(out, "\n  keeps %" PRIu64 " bytes, before %" PRIu64 " (%.2f times)\n",
                  growth->after_bytes, growth->before_bytes,
                  (double)growth->after_bytes /
                      (double)(growth->before_bytes > 0 ? growth->before_bytes : 1));
    fl_buf_printf(out, "  of ");
    fl_profile_text_terminal(out, fl_slice_of(fl_heap_paths_at(paths, growth->row)->label));
    fl_buf_printf(out, " there are %" PRIu64 ", before %" PRIu64 "\n  path from the roots:\n",
                  growth->after_objects, growth->before_objects);
    for (size_t i = 1; i < count; i++) {
        fl_buf_printf(out, "    %*s", (int)i - 1, "");
        fl_profile_text_terminal(out, fl_slice_of(fl_heap_paths_at(paths, way[i])->label));
        fl_buf_text(out, way[i] == growth->container ? "   <- grows\n" : "\n");
    }
}

static const char *verdict_of(const fl_heap_compared *compared)
{
    const fl_heap_title *before = compared->before, *after = compared->after;
    bool is_cut = before->damage != NULL || before->without_roots || after->damage != NULL ||
                  after->without_roots;
    if (compared->growth_count > 0)
        return "leak";
    return is_cut ? "not-enough-data" : "no-leak";
}

/* In front of the verdict: what its figures lack. */
static void put_cut(fl_buf *out, const fl_heap_title *title)
{
    if (!title->without_roots)
        return;
    fl_profile_text_terminal(out, fl_slice_of(title->file));
    fl_buf_text(out, ": the dump ends before its roots; classes stand in for them\n");
}

void fl_heap_view_growth(fl_buf *out, const fl_heap_compared *compared)
{
    const fl_heap_path *before = fl_heap_paths_at(compared->before_paths, 0);
    const fl_heap_path *after = fl_heap_paths_at(compared->after_paths, 0);
    put_cut(out, compared->before);
    put_cut(out, compared->after);
    fl_buf_printf(out, "Verdict: %s\n", verdict_of(compared));
    fl_buf_printf(out, "The roots keep %" PRIu64 " bytes, before %" PRIu64 ".\n",
                  after->retained_bytes, before->retained_bytes);
    if (compared->growth_count == 0)
        fl_buf_printf(out,
                      "Nothing that is there in both dumps keeps %.1f times as much as before and"
                      " %.0f %% of the heap more.\n",
                      FL_HEAP_GROWTH_RATIO, FL_HEAP_GROWTH_SHARE * 100);
    for (size_t i = 0; i < compared->growth_count; i++)
        put_growth(out, compared, &compared->growths[i]);
}

static void put_growth_json(fl_buf *out, const fl_heap_compared *compared,
                            const fl_heap_growth *growth)
{
    const fl_heap_paths *paths = compared->after_paths;
    size_t way[PATH_ROWS], count = way_to(way, paths, growth->row);
    fl_buf_char(out, '{');
    put_text(out, "holder", fl_heap_paths_holder(paths, growth->row));
    fl_buf_char(out, ',');
    put_text(out, "container", fl_heap_paths_at(paths, growth->container)->label);
    fl_buf_char(out, ',');
    put_text(out, "what", fl_heap_paths_at(paths, growth->row)->label);
    fl_buf_printf(out,
                  ",\"before_bytes\":%" PRIu64 ",\"after_bytes\":%" PRIu64
                  ",\"before_objects\":%" PRIu64 ",\"after_objects\":%" PRIu64 ",\"path\":[",
                  growth->before_bytes, growth->after_bytes, growth->before_objects,
                  growth->after_objects);
    for (size_t i = 1; i < count; i++) {
        fl_buf_text(out, i > 1 ? "," : "");
        put_path_json(out, fl_heap_paths_at(paths, way[i]));
    }
    fl_buf_text(out, "]}");
}

void fl_heap_view_growth_json(fl_buf *out, const fl_heap_compared *compared)
{
    fl_buf_text(out, "{\"schema\":1,\"kind\":\"heap-growth\",\"before\":{");
    fl_heap_view_title_json(out, compared->before);
    fl_buf_text(out, "},\"after\":{");
    fl_heap_view_title_json(out, compared->after);
    fl_buf_printf(out, "},\"verdict\":\"%s\",\"growths\":[", verdict_of(compared));
    for (size_t i = 0; i < compared->growth_count; i++) {
        fl_buf_text(out, i > 0 ? ",\n" : "\n");
        put_growth_json(out, compared, &compared->growths[i]);
    }
    fl_buf_text(out, "]}\n");
}
