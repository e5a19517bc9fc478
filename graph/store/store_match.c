/*
 * store_match.c - an id or a unique beginning of one, the same for every kind of store.
 *
 * A kind hands over the first few ids that begin with what was asked, in their order. An id sorts
 * before all ids that begin with it, so that an exact match comes first and wins.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "slice.h"
#include "store_priv.h"

fl_status fl_store_match_add(fl_store_match *found, const char *id, fl_slice document,
                             fl_error *err)
{
    assert(found->prefix != NULL && id != NULL);
    size_t used = strlen(found->ids);
    snprintf(found->ids + used, sizeof(found->ids) - used, "%s%s", used > 0 ? ", " : "", id);
    if (found->count++ > 0)
        return FL_OK;
    found->is_exact = strcmp(id, found->prefix) == 0;
    found->document = fl_mem_alloc(document.len + 1);
    if (found->document == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory while reading a store");
    if (document.len > 0)
        memcpy(found->document, document.ptr, document.len);
    found->document[document.len] = '\0';
    return FL_OK;
}

fl_status fl_store_match_take(char **document, fl_store_match *found, fl_status status,
                              const char *where, fl_error *err)
{
    if (status == FL_OK && found->count == 0)
        status = fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET, "no incident '%.64s' in %.86s",
                         found->prefix, where);
    else if (status == FL_OK && found->count > 1 && !found->is_exact)
        status = fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET, "'%.32s' begins several ids: %s%s",
                         found->prefix, found->ids,
                         found->count == FL_STORE_LISTED_MATCHES ? " ..." : "");
    if (status != FL_OK) {
        fl_mem_free(found->document);
        found->document = NULL;
        return status;
    }
    assert(found->document != NULL);
    *document = found->document;
    return FL_OK;
}
