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

#include "heap_text.h"
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
    fl_heap_text_left(out, fl_heap_paths_count(paths) - shown, "rows");
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

/* The path, one row a line. */
static void put_way(fl_buf *out, const fl_heap_compared *compared, const fl_heap_growth *growth)
{
    const fl_heap_paths *paths = compared->records[compared->count - 1]->paths;
    size_t way[PATH_ROWS], count = way_to(way, paths, growth->row);
    fl_buf_text(out, "  path from the roots:\n");
    for (size_t i = 1; i < count; i++) {
        fl_buf_printf(out, "    %*s", (int)i - 1, "");
        fl_profile_text_terminal(out, fl_slice_of(fl_heap_paths_at(paths, way[i])->label));
        fl_buf_text(out, way[i] == growth->container ? "   <- grows\n" : "\n");
    }
}

/* The last sentence of a growth is its path, which the text shows better. */
static size_t sentences_of(const fl_heap_sign *sign)
{
    assert(!sign->has_growth || sign->evidence_count > 0);
    return sign->evidence_count - (sign->has_growth ? 1 : 0);
}

/* Holder and kind, the figures, the way, and what to do. */
static void put_sign(fl_buf *out, const fl_heap_compared *compared, const fl_heap_sign *sign)
{
    fl_buf_text(out, "\n");
    fl_profile_text_terminal(out, fl_slice_of(sign->holder));
    fl_buf_printf(out, ": %s\n", fl_heap_sign_name(sign->kind));
    if (sign->after_bytes != sign->before_bytes)
        fl_buf_printf(out, "  keeps %" PRIu64 " bytes, before %" PRIu64 " (%.2f times)\n",
                      sign->after_bytes, sign->before_bytes,
                      (double)sign->after_bytes /
                          (double)(sign->before_bytes > 0 ? sign->before_bytes : 1));
    for (size_t i = sign->has_growth && compared->count == 2 ? 1 : 0; i < sentences_of(sign); i++) {
        fl_buf_text(out, "  ");
        fl_profile_text_terminal(out, fl_slice_of(sign->evidence[i].text));
        fl_buf_char(out, '\n');
    }
    if (sign->has_growth)
        put_way(out, compared, &sign->growth);
    fl_buf_printf(out, "  advice: %s\n", fl_heap_sign_hint(sign->kind));
}

/* What grows is a leak also in dumps that were cut; that nothing grows is no verdict then. */
static const char *verdict_of(const fl_heap_compared *compared)
{
    bool is_cut = false;
    for (size_t i = 0; i < compared->count; i++)
        is_cut |= compared->titles[i]->damage != NULL || compared->titles[i]->without_roots;
    if (compared->signs->leaks > 0)
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
    assert(compared->count >= 2);
    const fl_heap_path *before = fl_heap_paths_at(compared->records[0]->paths, 0);
    const fl_heap_path *after = fl_heap_paths_at(compared->records[compared->count - 1]->paths, 0);
    for (size_t i = 0; i < compared->count; i++)
        put_cut(out, compared->titles[i]);
    fl_buf_printf(out, "Verdict: %s\n", verdict_of(compared));
    fl_buf_printf(out, "The roots keep %" PRIu64 " bytes, before %" PRIu64 ".\n",
                  after->retained_bytes, before->retained_bytes);
    if (compared->signs->leaks == 0)
        fl_buf_printf(out,
                      "Nothing that is there in %s keeps %.1f times as much as before and"
                      " %.0f %% of the heap more%s.\n",
                      compared->count == 2 ? "both dumps" : "all dumps", FL_HEAP_GROWTH_RATIO,
                      FL_HEAP_GROWTH_SHARE * 100,
                      compared->count == 2 ? "" : ", and more in each of them");
    for (size_t i = 0; i < compared->signs->count; i++)
        put_sign(out, compared, &compared->signs->rows[i]);
}

/* What only a growth by path has. */
static void put_growth_json(fl_buf *out, const fl_heap_compared *compared,
                            const fl_heap_growth *growth)
{
    const fl_heap_paths *paths = compared->records[compared->count - 1]->paths;
    size_t way[PATH_ROWS], count = way_to(way, paths, growth->row);
    fl_buf_char(out, ',');
    put_text(out, "container", fl_heap_paths_at(paths, growth->container)->label);
    fl_buf_char(out, ',');
    put_text(out, "what", fl_heap_paths_at(paths, growth->row)->label);
    fl_buf_printf(out, ",\"before_objects\":%" PRIu64 ",\"after_objects\":%" PRIu64 ",\"bytes\":[",
                  growth->before_objects, growth->after_objects);
    for (size_t i = 0; i < compared->count; i++)
        fl_buf_printf(out, "%s%" PRIu64, i > 0 ? "," : "", growth->bytes[i]);
    fl_buf_text(out, "],\"path\":[");
    for (size_t i = 1; i < count; i++) {
        fl_buf_text(out, i > 1 ? "," : "");
        put_path_json(out, fl_heap_paths_at(paths, way[i]));
    }
    fl_buf_char(out, ']');
}

/* The members of a finding; those of a growth by path stand between. */
static void put_sign_json(fl_buf *out, const fl_heap_compared *compared, const fl_heap_sign *sign)
{
    fl_buf_printf(out, "{\"kind\":\"%s\",", fl_heap_sign_name(sign->kind));
    put_text(out, "holder", sign->holder);
    fl_buf_char(out, ',');
    put_text(out, "field", sign->field);
    fl_buf_printf(out, ",\"before_bytes\":%" PRIu64 ",\"after_bytes\":%" PRIu64, sign->before_bytes,
                  sign->after_bytes);
    if (sign->has_growth)
        put_growth_json(out, compared, &sign->growth);
    fl_buf_text(out, ",\"evidence\":[");
    for (size_t i = 0; i < sign->evidence_count; i++) {
        fl_buf_text(out, i > 0 ? "," : "");
        fl_profile_text_json(out, fl_slice_of(sign->evidence[i].text));
    }
    fl_buf_text(out, "],");
    put_text(out, "hint", fl_heap_sign_hint(sign->kind));
    fl_buf_char(out, '}');
}

/* `growths` are leaks, `findings` what is slow or large without growing. */
void fl_heap_view_growth_json(fl_buf *out, const fl_heap_compared *compared)
{
    size_t leaks = compared->signs->leaks;
    assert(compared->count >= 2);
    fl_buf_text(out, "{\"schema\":1,\"kind\":\"heap-growth\",\"before\":{");
    fl_heap_view_title_json(out, compared->titles[0]);
    fl_buf_text(out, "},\"after\":{");
    fl_heap_view_title_json(out, compared->titles[compared->count - 1]);
    fl_buf_printf(out, "},\"dumps\":%zu,\"verdict\":\"%s\",\"growths\":[", compared->count,
                  verdict_of(compared));
    for (size_t i = 0; i < leaks; i++) {
        fl_buf_text(out, i > 0 ? ",\n" : "\n");
        put_sign_json(out, compared, &compared->signs->rows[i]);
    }
    fl_buf_text(out, "],\"findings\":[");
    for (size_t i = leaks; i < compared->signs->count; i++) {
        fl_buf_text(out, i > leaks ? ",\n" : "\n");
        put_sign_json(out, compared, &compared->signs->rows[i]);
    }
    fl_buf_text(out, "]}\n");
}
