/*
 * heap_text.c - names of objects and ways to them. Everything that the dump says passes through
 * what makes it fit for a terminal, or for JSON.
 */
#include "heap_text.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "profile_text.h"
#include "slice.h"

/* A class is named by its dotted name, as the source has it. */
fl_slice fl_heap_text_class(const fl_heap *heap, fl_heap_object object)
{
    assert(object != FL_HEAP_NONE);
    return fl_heap_class_at(heap, fl_heap_class_of(heap, object))->name;
}

/* Of a class object the class that it stands for says more than "java.lang.Class". */
void fl_heap_text_object(fl_buf *out, const fl_heap *heap, fl_heap_object object)
{
    uint32_t meant = fl_heap_class_meant(heap, object);
    if (meant != FL_HEAP_NONE) {
        fl_buf_text(out, "class ");
        fl_profile_text_terminal(out, fl_heap_class_at(heap, meant)->name);
        return;
    }
    fl_profile_text_terminal(out, fl_heap_text_class(heap, object));
    fl_buf_printf(out, " @ 0x%" PRIx64, fl_heap_id(heap, object));
}

/* Texts of people (names of threads, of loaders) are shown cut, never in full length. */
void fl_heap_text_field(char *out, size_t cap, const fl_heap *heap, fl_heap_object object,
                        const char *field)
{
    assert(cap > 0);
    fl_heap_object text = fl_heap_follow(heap, object, field);
    if (text == FL_HEAP_NONE || !fl_heap_string(heap, text, out, cap))
        out[0] = '\0';
}

/* What is no field stands in angle brackets, so that it cannot be taken for one. */
void fl_heap_text_edge(fl_buf *out, const fl_heap_edge *edge)
{
    static const char *const names[] = {
        [FL_HEAP_EDGE_FIELD] = NULL,        [FL_HEAP_EDGE_STATIC] = NULL,
        [FL_HEAP_EDGE_ELEMENT] = NULL,      [FL_HEAP_EDGE_CLASS] = "<class>",
        [FL_HEAP_EDGE_LOADER] = "<loader>", [FL_HEAP_EDGE_SUPER] = "<super class>",
        [FL_HEAP_EDGE_OTHER] = "<domain>",  [FL_HEAP_EDGE_STACK] = "<stack>",
    };
    assert((unsigned)edge->kind < sizeof(names) / sizeof(names[0]));
    if (edge->kind == FL_HEAP_EDGE_ELEMENT)
        fl_buf_printf(out, "[%" PRIu32 "]", edge->index);
    else if (edge->member != NULL) {
        fl_buf_char(out, '.');
        fl_profile_text_terminal(out, edge->member->name);
    } else
        fl_buf_text(out, names[edge->kind]);
}

/* Why the first object of a way stays; a class that stands in for a root says nothing. */
static const char *root_of(const fl_heap *heap, fl_heap_object object)
{
    size_t count;
    const fl_heap_root *roots = fl_heap_roots_of(heap, object, &count);
    return count > 0 ? fl_heap_root_kind_name(roots[0].kind) : "class";
}

/* One step deeper a line; the root says why it is one. */
void fl_heap_text_way(fl_buf *out, const fl_heap *heap, const fl_heap_way *way, int margin)
{
    char name[80];
    for (size_t i = 0; i < way->count; i++) {
        const fl_heap_step *step = &way->steps[i];
        fl_buf_printf(out, "%*s", margin + (int)i, "");
        fl_heap_text_object(out, heap, step->object);
        if (i == 0) {
            fl_heap_text_field(name, sizeof(name), heap, step->object, "name");
            fl_buf_text(out, name[0] != '\0' ? " \"" : "");
            fl_profile_text_terminal(out, fl_slice_of(name));
            fl_buf_printf(out, "%s (%s)", name[0] != '\0' ? "\"" : "", root_of(heap, step->object));
        }
        if (step->edge.to != FL_HEAP_NONE) {
            fl_buf_char(out, ' ');
            fl_heap_text_edge(out, &step->edge);
        }
        fl_buf_char(out, '\n');
        if (way->left_out > 0 && i + 1 == FL_HEAP_WAY_STEPS / 2)
            fl_buf_printf(out, "%*s... %zu more\n", margin + (int)i, "", way->left_out);
    }
}

/* 0 is all, as for every --top. */
size_t fl_heap_text_shown(size_t top, size_t count)
{
    return top > 0 && top < count ? top : count;
}

void fl_heap_text_left(fl_buf *out, uint64_t left, const char *what)
{
    size_t len = strlen(what);
    assert(len >= 4 && what[len - 1] == 's');
    if (left == 1) /* "classes" has two letters more, which are behind another s */
        len -= strcmp(what + len - 4, "sses") == 0 ? 2 : 1;
    if (left > 0)
        fl_buf_printf(out, "... and %" PRIu64 " %.*s more; --top 0 shows all\n", left, (int)len,
                      what);
}

void fl_heap_text_more(fl_buf *out, size_t top, size_t count, const char *what)
{
    fl_heap_text_left(out, count - fl_heap_text_shown(top, count), what);
}

/* --- as JSON --- */

void fl_heap_json_address(fl_buf *out, const char *key, const fl_heap *heap, fl_heap_object object)
{
    fl_buf_printf(out, "\"%s\":\"0x%" PRIx64 "\"", key, fl_heap_id(heap, object));
}

/* Always behind another member, which is why it brings the comma. */
void fl_heap_json_text(fl_buf *out, const char *key, fl_slice text)
{
    fl_buf_printf(out, ",\"%s\":", key);
    fl_profile_text_json(out, text);
}

/* `by` leads to the next one; the last has none. */
void fl_heap_json_way(fl_buf *out, const fl_heap *heap, const fl_heap_way *way)
{
    fl_buf by = fl_buf_of(FL_MAX_HEAP_VIEW_BYTES);
    fl_buf_char(out, '[');
    for (size_t i = 0; i < way->count; i++) {
        const fl_heap_step *step = &way->steps[i];
        uint32_t meant = fl_heap_class_meant(heap, step->object);
        fl_buf_text(out, i > 0 ? ",\n{" : "\n{");
        fl_heap_json_address(out, "object", heap, step->object);
        fl_heap_json_text(out, meant != FL_HEAP_NONE ? "meant" : "class",
                          meant != FL_HEAP_NONE ? fl_heap_class_at(heap, meant)->name
                                                : fl_heap_text_class(heap, step->object));
        if (i == 0)
            fl_heap_json_text(out, "root", fl_slice_of(root_of(heap, step->object)));
        fl_buf_clear(&by);
        if (step->edge.to != FL_HEAP_NONE) {
            fl_heap_text_edge(&by, &step->edge);
            fl_heap_json_text(out, "by", fl_buf_slice(&by));
        }
        fl_buf_char(out, '}');
    }
    fl_buf_char(out, ']');
    if (by.status != FL_OK && out->status == FL_OK)
        out->status = by.status;
    fl_buf_dispose(&by);
}

/* The caller goes on with a comma and closes the object. */
void fl_heap_json_begin(fl_buf *out, const char *kind, const fl_heap_title *title)
{
    fl_buf_printf(out, "{\"schema\":1,\"kind\":\"heap-%s\",", kind);
    fl_heap_view_title_json(out, title);
}
