/* fuzz_graph_import.c - a document of the graph, read whole and byte by byte: the same answer. */
#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "graph_import.h"

typedef struct pieces {
    fl_slice left;
    size_t step;
} pieces;

static fl_status read_piece(void *payload, void *buf, size_t cap, size_t *len, fl_error *err)
{
    pieces *from = payload;
    (void)err;
    *len = from->left.len < from->step ? from->left.len : from->step;
    *len = *len < cap ? *len : cap;
    if (*len > 0)
        memcpy(buf, from->left.ptr, *len);
    from->left.ptr += *len;
    from->left.len -= *len;
    return FL_OK;
}

static fl_status import_in(fl_graph_imported *out, fl_slice text, size_t step, fl_error *err)
{
    pieces from = {.left = text, .step = step};
    const fl_graph_source source = {.name = "fuzz", .read = read_piece, .payload = &from};
    return fl_graph_import(out, NULL, &source, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const fl_slice text = {.ptr = data, .len = size};
    fl_graph_imported whole, pieced;
    fl_error first = {0}, second = {0};
    fl_status status = import_in(&whole, text, SIZE_MAX, &first);
    assert(status == import_in(&pieced, text, 1, &second));
    assert(memcmp(&whole, &pieced, sizeof(whole)) == 0);
    assert(status == FL_OK || (strcmp(first.message, second.message) == 0 &&
                               first.offset == second.offset && first.offset <= size));
    return 0;
}
