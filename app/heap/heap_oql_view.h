/*
 * heap_oql_view.h - the answer to a query about a heap, as a table of text and as JSON.
 */
#ifndef FL_HEAP_OQL_VIEW_H
#define FL_HEAP_OQL_VIEW_H

#include "heap_view.h"
#include "oql.h"

/* What is shown of an object's text beside its class and address. */
#define FL_HEAP_OQL_TEXT_BYTES 120u

typedef struct fl_heap_oql_view {
    const fl_heap_title *title;
    const fl_heap *heap;
    const char *query;
    const fl_oql_table *table;
} fl_heap_oql_view;

void fl_heap_view_oql(fl_buf *out, const fl_heap_oql_view *view);
/* "rows" is an array of arrays: null, true, false, numbers, texts; an object is {"object":ADDRESS,
 * "class":NAME} and "text" where it is a String; a list is {"count":N,"items":[...]}. */
void fl_heap_view_oql_json(fl_buf *out, const fl_heap_oql_view *view);

#endif
