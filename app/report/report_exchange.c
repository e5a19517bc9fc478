/*
 * report_exchange.c - counts of rows in sentences and in JSON.
 */
#include "report_exchange.h"

#include <assert.h>
#include <inttypes.h>

#include "json_put.h"
#include "page.h"

/* "3 nodes, 2 edges, 1 item of evidence" */
static void write_rows(fl_page *page, uint64_t nodes, uint64_t edges, uint64_t evidence)
{
    fl_page_printf(page, FL_INK_PLAIN,
                   "%" PRIu64 " node%s, %" PRIu64 " edge%s, %" PRIu64 " item%s of evidence", nodes,
                   nodes == 1 ? "" : "s", edges, edges == 1 ? "" : "s", evidence,
                   evidence == 1 ? "" : "s");
}

/* The same three counts; NULL for want of memory, which `w` passes on. */
static json_t *rows_json(fl_put *w, uint64_t nodes, uint64_t edges, uint64_t evidence)
{
    json_t *rows = json_object();
    fl_put_count(w, rows, "nodes", nodes);
    fl_put_count(w, rows, "edges", edges);
    fl_put_count(w, rows, "evidence", evidence);
    return rows;
}

/* Of a check there is nothing new to say. */
fl_status fl_report_imported_text(fl_buf *out, const fl_graph_imported *imported, bool is_dry,
                                  const fl_report_style *style, fl_error *err)
{
    assert(imported != NULL);
    fl_page page = fl_page_on(out, style);
    fl_page_put(&page, FL_INK_PLAIN, is_dry ? "Checked " : "Read ");
    write_rows(&page, imported->nodes, imported->edges, imported->evidence);
    if (!is_dry) {
        fl_page_newline(&page);
        fl_page_put(&page, FL_INK_PLAIN, "New");
        fl_page_pad(&page, 5);
        write_rows(&page, imported->added.nodes, imported->added.edges, imported->added.evidence);
    }
    fl_page_newline(&page);
    return fl_buf_check(out, "the answer", err);
}

fl_status fl_report_imported_json(fl_buf *out, const fl_graph_imported *imported, bool is_dry,
                                  fl_error *err)
{
    fl_put w = {.status = FL_OK};
    json_t *document = json_object();
    assert(imported != NULL);
    fl_put_text(&w, document, "schema", "faultline.graph-import/1");
    fl_put_value(&w, document, "dry_run", json_boolean(is_dry));
    fl_put_value(&w, document, "read",
                 rows_json(&w, imported->nodes, imported->edges, imported->evidence));
    fl_put_value(
        &w, document, "added",
        rows_json(&w, imported->added.nodes, imported->added.edges, imported->added.evidence));
    return fl_put_document(out, &w, document, err);
}

/* SQL, whose comments are the sentences: it can be piped into the database's own shell. */
fl_status fl_report_plan_text(fl_buf *out, const fl_store_plan *plan, bool is_dry, fl_error *err)
{
    assert(plan->version > 0 && plan->version <= plan->newest);
    if (plan->version == plan->newest)
        fl_buf_printf(out, "-- The store has version %" PRId64 ", the newest.\n", plan->version);
    else
        fl_buf_printf(out, "-- The store %s version %" PRId64 "; the newest is %" PRId64 ".\n",
                      is_dry ? "has" : "had", plan->version, plan->newest);
    for (int64_t version = plan->version; version < plan->newest; version++) {
        fl_buf_printf(out, "\n-- %s %" PRId64 " to %" PRId64 "\n",
                      is_dry ? "Would be run, from" : "Was run, from", version, version + 1);
        fl_buf_add(out, *plan->sql[version]);
    }
    return fl_buf_check(out, "the answer", err);
}

/* `version` is that of the store before, as in the text. */
fl_status fl_report_plan_json(fl_buf *out, const fl_store_plan *plan, bool is_dry, fl_error *err)
{
    fl_put w = {.status = FL_OK};
    json_t *document = json_object(), *migrations = json_array();
    assert(plan->version > 0 && plan->version <= plan->newest);
    fl_put_text(&w, document, "schema", "faultline.graph-migrate/1");
    fl_put_value(&w, document, "dry_run", json_boolean(is_dry));
    fl_put_count(&w, document, "version", (uint64_t)plan->version);
    fl_put_count(&w, document, "newest", (uint64_t)plan->newest);
    for (int64_t version = plan->version; version < plan->newest; version++) {
        json_t *migration = json_object();
        fl_put_count(&w, migration, "version", (uint64_t)version + 1);
        fl_put_text(&w, migration, "sql", (const char *)plan->sql[version]->ptr);
        fl_put_item(&w, migrations, migration);
    }
    fl_put_value(&w, document, "migrations", migrations);
    return fl_put_document(out, &w, document, err);
}

/* What FROM has, and how much of it was new to TO. */
fl_status fl_report_copied_text(fl_buf *out, const fl_graph_copied *copied,
                                const fl_report_style *style, fl_error *err)
{
    assert(copied != NULL);
    fl_page page = fl_page_on(out, style);
    fl_page_put(&page, FL_INK_PLAIN, "Read ");
    write_rows(&page, copied->nodes, copied->edges, copied->evidence);
    fl_page_printf(&page, FL_INK_PLAIN, ", %" PRIu64 " incident%s", copied->incidents,
                   copied->incidents == 1 ? "" : "s");
    fl_page_newline(&page);
    fl_page_put(&page, FL_INK_PLAIN, "New");
    fl_page_pad(&page, 5);
    write_rows(&page, copied->added.nodes, copied->added.edges, copied->added.evidence);
    fl_page_printf(&page, FL_INK_PLAIN, ", %" PRIu64 " incident%s", copied->added_incidents,
                   copied->added_incidents == 1 ? "" : "s");
    fl_page_newline(&page);
    return fl_buf_check(out, "the answer", err);
}

/* Rows as in an import, and incidents. */
fl_status fl_report_copied_json(fl_buf *out, const fl_graph_copied *copied, fl_error *err)
{
    fl_put w = {.status = FL_OK};
    json_t *document = json_object();
    assert(copied != NULL);
    json_t *read = rows_json(&w, copied->nodes, copied->edges, copied->evidence);
    json_t *added = rows_json(&w, copied->added.nodes, copied->added.edges, copied->added.evidence);
    fl_put_count(&w, read, "incidents", copied->incidents);
    fl_put_count(&w, added, "incidents", copied->added_incidents);
    fl_put_text(&w, document, "schema", "faultline.graph-copy/1");
    fl_put_value(&w, document, "read", read);
    fl_put_value(&w, document, "added", added);
    return fl_put_document(out, &w, document, err);
}
