/*
 * heap_text.h - what views of a heap share: objects, ways and tables as text, members of JSON.
 */
#ifndef FL_HEAP_TEXT_H
#define FL_HEAP_TEXT_H

#include "heap_view.h"
#include "heap_ways.h"

fl_slice fl_heap_text_class(const fl_heap *heap, fl_heap_object object);
/* "java.util.HashMap @ 0x7f00", "class shop.Cache" of a class object. */
void fl_heap_text_object(fl_buf *out, const fl_heap *heap, fl_heap_object object);
/* A String that a field has; "" where there is none. */
void fl_heap_text_field(char *out, size_t cap, const fl_heap *heap, fl_heap_object object,
                        const char *field);
/* ".ENTRIES", "[3]", "<loader>": how one object refers to the next. */
void fl_heap_text_edge(fl_buf *out, const fl_heap_edge *edge);
/* From the root down, a line each, behind `margin` spaces. */
void fl_heap_text_way(fl_buf *out, const fl_heap *heap, const fl_heap_way *way, int margin);
/* As many of `count` rows as are shown; the line that says how many are not. */
size_t fl_heap_text_shown(size_t top, size_t count);
/* `what` is the plural, in s; of one it is told in the singular. */
void fl_heap_text_left(fl_buf *out, uint64_t left, const char *what);
void fl_heap_text_more(fl_buf *out, size_t top, size_t count, const char *what);

/* "key":"0x7f00" */
void fl_heap_json_address(fl_buf *out, const char *key, const fl_heap *heap, fl_heap_object object);
/* ,"key":"text" */
void fl_heap_json_text(fl_buf *out, const char *key, fl_slice text);
/* [{"object", "class", "by"}] */
void fl_heap_json_way(fl_buf *out, const fl_heap *heap, const fl_heap_way *way);
/* {"schema":1,"kind":"heap-KIND", and what stands in the title. */
void fl_heap_json_begin(fl_buf *out, const char *kind, const fl_heap_title *title);

#endif
