/* Any text: no crash; a query, or one sentence with a place in the text. */
#include <assert.h>

#include "fuzz.h"
#include "oql.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t nothing[1];
    fl_oql *oql;
    fl_error err = {0};
    fl_slice text = {.ptr = size > 0 ? data : nothing, .len = size};
    if (fl_oql_parse(&oql, text, &err) != FL_OK) {
        assert(err.message[0] != '\0' && (err.offset <= size || err.offset == FL_NO_OFFSET));
        return 0;
    }
    (void)fl_oql_needs_tree(oql);
    (void)fl_oql_needs_inbound(oql);
    fl_oql_destroy(oql);
    return 0;
}
