/* Any text: no crash; a query that a small heap answers, or one sentence with a place in the text.
 */
#include <assert.h>

#include "fuzz.h"
#include "heap_of_maps.h"
#include "oql.h"

/* Made once: a query changes nothing in it. */
static const fl_heap *heap(void)
{
    static built_heap maps;
    fl_error err = {0};
    if (maps.heap == NULL) {
        fl_status status = maps_open(&maps, 8, &err);
        assert(status == FL_OK);
    }
    return maps.heap;
}

static void answer(const fl_oql *oql, size_t size)
{
    static const fl_oql_options options = {.limit = 16};
    fl_oql_answer *rows;
    fl_error err = {0};
    if (fl_oql_run(&rows, oql, heap(), &options, &err) != FL_OK) {
        assert(err.message[0] != '\0' && (err.offset <= size || err.offset == FL_NO_OFFSET));
        return;
    }
    const fl_oql_table *table = fl_oql_table_of(rows);
    assert(table->row_count <= 16 && table->row_count <= table->total);
    fl_oql_answer_destroy(rows);
}

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
    answer(oql, size);
    fl_oql_destroy(oql);
    return 0;
}
