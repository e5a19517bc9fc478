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
static fl_status read_incident(fl_stored *out, const char *id, fl_error *err)
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
    return status == FL_OK && id != NULL ? read_incident(out, id, err) : status;
}

void fl_stored_dispose(fl_stored *stored)
{
    fl_store_close(stored->store);
    fl_arena_dispose(&stored->arena);
}
