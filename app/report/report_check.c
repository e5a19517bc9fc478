/*
 * report_check.c - faults by kind, the first of each kind in words; notes after them.
 */
#include "report_check.h"

#include <assert.h>
#include <inttypes.h>

#include "json_put.h"
#include "page.h"
#include "slice.h"

enum { INDENT = 2, BODY = 18, ID_TEXT = 24 };

/* A kind that floods does not hide the others. */
fl_status fl_check_list_add(const fl_graph_fault *fault, void *payload, fl_error *err)
{
    fl_check_list *list = payload;
    size_t at = list->counts[fault->kind];
    assert(list->arena != NULL);
    if (at == FL_CHECK_LISTED)
        return FL_OK;
    list->items[fault->kind][at] = *fault;
    list->items[fault->kind][at].sentence =
        fl_arena_cstr(list->arena, fl_slice_of(fault->sentence));
    if (list->items[fault->kind][at].sentence == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for what was found");
    list->counts[fault->kind]++;
    return FL_OK;
}

/* The first of a kind, and how many more there are. */
static void write_kind(fl_page *page, const fl_graph_checked *checked, const fl_check_list *list,
                       fl_fault_kind kind)
{
    for (size_t i = 0; i < list->counts[kind]; i++) {
        fl_page_pad(page, INDENT);
        fl_page_put(page, fl_fault_is_note(kind) ? FL_INK_WARN : FL_INK_BAD,
                    i == 0 ? fl_fault_kind_name(kind) : "");
        fl_page_pad(page, BODY);
        fl_page_wrap(page, FL_INK_PLAIN, list->items[kind][i].sentence);
        fl_page_newline(page);
    }
    if (checked->counts[kind] > list->counts[kind]) {
        fl_page_pad(page, BODY);
        fl_page_printf(page, FL_INK_DIM, "and %" PRIu64 " more",
                       checked->counts[kind] - list->counts[kind]);
        fl_page_newline(page);
    }
}

/* The verdict first; a store in order is one line. */
fl_status fl_report_check_text(fl_buf *out, const fl_graph_checked *checked,
                               const fl_check_list *list, const fl_report_style *style,
                               fl_error *err)
{
    assert(checked != NULL && list != NULL);
    fl_page page = fl_page_on(out, style);
    uint64_t faults = fl_graph_checked_faults(checked);
    if (faults == 0)
        fl_page_put(&page, FL_INK_GOOD, "Nothing is wrong");
    else
        fl_page_printf(&page, FL_INK_BAD, "%" PRIu64 " fault%s", faults, faults == 1 ? "" : "s");
    fl_page_printf(&page, FL_INK_PLAIN,
                   " in %" PRIu64 " nodes, %" PRIu64 " edges, %" PRIu64 " items of evidence",
                   checked->nodes, checked->edges, checked->evidence);
    fl_page_newline(&page);
    for (fl_fault_kind kind = 0; kind < FL_FAULT_KIND_COUNT; kind++)
        write_kind(&page, checked, list, kind);
    return fl_buf_check(out, "the answer", err);
}

/* Of one kind: how many, and the first of them. */
static json_t *kind_json(fl_put *w, const fl_graph_checked *checked, const fl_check_list *list,
                         fl_fault_kind kind)
{
    char id[ID_TEXT];
    json_t *object = json_object(), *first = json_array();
    fl_put_text(w, object, "kind", fl_fault_kind_name(kind));
    fl_put_value(w, object, "note", json_boolean(fl_fault_is_note(kind)));
    fl_put_count(w, object, "count", checked->counts[kind]);
    for (size_t i = 0; i < list->counts[kind]; i++) {
        json_t *fault = json_object();
        snprintf(id, sizeof(id), "%" PRIu64, list->items[kind][i].id);
        fl_put_text(w, fault, "id", list->items[kind][i].id != 0 ? id : NULL);
        fl_put_text(w, fault, "sentence", list->items[kind][i].sentence);
        fl_put_item(w, first, fault);
    }
    fl_put_value(w, object, "first", first);
    return object;
}

/* Kinds that nothing was found of are left out. */
fl_status fl_report_check_json(fl_buf *out, const fl_graph_checked *checked,
                               const fl_check_list *list, fl_error *err)
{
    fl_put w = {.status = FL_OK};
    json_t *document = json_object(), *looked_at = json_object(), *found = json_array();
    assert(checked != NULL && list != NULL);
    fl_put_text(&w, document, "schema", "faultline.graph-check/1");
    fl_put_count(&w, document, "faults", fl_graph_checked_faults(checked));
    fl_put_count(&w, looked_at, "nodes", checked->nodes);
    fl_put_count(&w, looked_at, "edges", checked->edges);
    fl_put_count(&w, looked_at, "evidence", checked->evidence);
    fl_put_value(&w, document, "checked", looked_at);
    for (fl_fault_kind kind = 0; kind < FL_FAULT_KIND_COUNT; kind++)
        if (checked->counts[kind] > 0)
            fl_put_item(&w, found, kind_json(&w, checked, list, kind));
    fl_put_value(&w, document, "found", found);
    return fl_put_document(out, &w, document, err);
}
