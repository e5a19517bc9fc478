/*
 * stored.c - open the store, read the document, load the incident.
 *
 * The arena is as large as what a document can take when it is loaded, and is shared by what the
 * command makes of the incident.
 */
#include "stored.h"

#include <assert.h>

#include "mem.h"
#include "slice.h"

/* The document is copied into the arena; its own bytes go at once. */
fl_status fl_stored_read(fl_stored *out, const char *id, fl_error *err)
{
    char *document = NULL;
    fl_status status = fl_store_get(out->store, id, &document, err);
    if (status == FL_OK)
        status = fl_report_load(&out->incident, &out->arena, fl_slice_of(document), err);
    fl_mem_free(document);
    return status;
}

fl_status fl_stored_open_store(fl_store **out, const fl_args *args, fl_error *err)
{
    char location[FL_LOCATION_BYTES];
    fl_status status = fl_location_find(location, args, false, err);
    return status == FL_OK ? fl_store_open(out, location, FL_STORE_EXISTING, err) : status;
}

fl_status fl_stored_open(fl_stored *out, const fl_args *args, const char *id, fl_error *err)
{
    assert(out != NULL && args != NULL);
    *out = (fl_stored){.arena = fl_arena_of(4 * FL_MAX_DOCUMENT_BYTES)};
    fl_status status = fl_stored_open_store(&out->store, args, err);
    return status == FL_OK && id != NULL ? fl_stored_read(out, id, err) : status;
}

fl_status fl_stored_symptoms(fl_symptoms *out, fl_stored *stored, const fl_args *args,
                             const fl_stored_asked *asked, fl_error *err)
{
    const char *given[FL_MAX_GIVEN];
    if (stored->incident != NULL)
        return fl_symptoms_of(out, stored->incident, asked->now_ns, &stored->arena, err);
    size_t count = fl_args_list(args, "symptom", given);
    fl_graph_node *nodes = fl_arena_alloc(&stored->arena, FL_MAX_SYMPTOMS, sizeof(*nodes));
    if (nodes == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the symptoms");
    if (count == 0 || count > FL_MAX_SYMPTOMS)
        return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET, "%s, or --symptom KEY up to %d times",
                       asked->wants, FL_MAX_SYMPTOMS);
    for (size_t i = 0; i < count; i++)
        nodes[i] = (fl_graph_node){.id = fl_node_id(FL_NODE_SYMPTOM, fl_slice_of(given[i])),
                                   .kind = FL_NODE_SYMPTOM,
                                   .key = given[i],
                                   .recorded_ns = asked->now_ns};
    *out = (fl_symptoms){.nodes = nodes, .count = count};
    return FL_OK;
}

void fl_stored_dispose(fl_stored *stored)
{
    fl_store_close(stored->store);
    fl_arena_dispose(&stored->arena);
}
