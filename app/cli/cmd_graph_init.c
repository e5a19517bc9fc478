/*
 * cmd_graph_init.c - graph init: the curated library into the graph, so that the first day is
 * useful.
 */
#include <assert.h>
#include <jansson.h>

#include "cmd_graph.h"
#include "json_put.h"
#include "library_load.h"

/* Rows of one kind each. */
static json_t *counts_json(fl_put *w, const fl_graph_added *counts)
{
    json_t *object = json_object();
    fl_put_count(w, object, "nodes", counts->nodes);
    fl_put_count(w, object, "edges", counts->edges);
    fl_put_count(w, object, "evidence", counts->evidence);
    return object;
}

/* schemas/json/library-loaded.schema.json */
static fl_status write_json(fl_buf *out, const fl_library_loaded *loaded, bool dry_run,
                            fl_error *err)
{
    fl_put w = {FL_OK};
    json_t *document = json_object();
    fl_put_text(&w, document, "schema", "faultline.library-loaded/1");
    fl_put_value(&w, document, "dry_run", json_boolean(dry_run));
    fl_put_count(&w, document, "items", loaded->items);
    fl_put_value(&w, document, "holds", counts_json(&w, &loaded->holds));
    fl_put_value(&w, document, "added", counts_json(&w, &loaded->added));
    fl_put_count(&w, document, "superseded", loaded->superseded);
    return fl_put_document(out, &w, document, err);
}

/* What the library is, then what of it is new here. */
static fl_status write_text(fl_buf *out, const fl_library_loaded *loaded, bool dry_run,
                            fl_error *err)
{
    fl_buf_printf(out, "The curated library has %zu items: %zu nodes, %zu edges, %zu references.\n",
                  loaded->items, loaded->holds.nodes, loaded->holds.edges, loaded->holds.evidence);
    fl_buf_printf(out, "%s %zu nodes, %zu edges, %zu items of evidence",
                  dry_run ? "Would add" : "Added", loaded->added.nodes, loaded->added.edges,
                  loaded->added.evidence);
    if (loaded->superseded > 0)
        fl_buf_printf(out, ", %zu of them to take back what an earlier library said",
                      loaded->superseded);
    fl_buf_text(out, ".\n");
    return fl_buf_check(out, "the answer", err);
}

/* A dry run makes no store where there is none. */
static fl_status open_store(fl_store **out, fl_graph_call *call, bool dry_run, fl_error *err)
{
    char location[FL_LOCATION_BYTES];
    fl_error missing = {0};
    *out = NULL;
    fl_status status = fl_location_find(location, call->args, !dry_run, err);
    if (status != FL_OK)
        return status;
    if (!dry_run)
        return fl_store_open(out, location, FL_STORE_CREATE, err);
    status = fl_store_open(out, location, FL_STORE_EXISTING, &missing);
    if (status == FL_OK || status == FL_E_NOTFOUND)
        return FL_OK;
    return fl_fail(err, status, missing.offset, "%s", missing.message);
}

/* The store stays open until the command has printed: it is the call's. */
static fl_status run(fl_graph_call *call, fl_error *err)
{
    fl_library *library = NULL;
    fl_library_loaded loaded;
    bool dry_run = fl_args_flag(call->args, "dry-run");
    assert(call->stored.store == NULL); /* the action opens its own */
    fl_status status = open_store(&call->stored.store, call, dry_run, err);
    if (status == FL_OK)
        status = fl_library_create(&library, err);
    if (status == FL_OK)
        status = fl_library_add_built_in(library, err);
    if (status == FL_OK)
        status =
            fl_library_load(&loaded, call->stored.store, library, dry_run, call->cli->now_ns, err);
    fl_library_destroy(library);
    if (status != FL_OK)
        return status;
    return fl_graph_wants(call, "json") ? write_json(&call->out, &loaded, dry_run, err)
                                        : write_text(&call->out, &loaded, dry_run, err);
}

const fl_graph_action fl_graph_action_init = {
    .about = {.name = "init",
              .help = "loads the curated library of public incidents; again: what is new in it"},
    .formats = fl_graph_text_json,
    .access = FL_GRAPH_OPENS,
    .run = run,
};
