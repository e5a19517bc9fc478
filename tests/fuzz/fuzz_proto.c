/* Any bytes: no crash, and what the plain reading of the format gives, messages inside included. */
#include <assert.h>

#include "fuzz.h"
#include "proto_oracle.h"

enum { MAX_DEPTH = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_proto stack[MAX_DEPTH];
    size_t depth = 0;
    stack[depth++] = fl_proto_over((fl_slice){.ptr = data, .len = size});
    const char *wrong = proto_oracle_compare(stack[0].bytes);
    assert(wrong == NULL);
    while (depth > 0) {
        fl_proto *in = &stack[depth - 1];
        if (!fl_proto_next(in)) {
            assert(in->err.offset <= size);
            depth--;
            continue;
        }
        switch (in->type) {
        case FL_PROTO_BYTES:
            if (depth == MAX_DEPTH)
                break;
            fl_proto_enter(&stack[depth], in);
            assert(data + stack[depth].base_offset == in->body.ptr);
            wrong = proto_oracle_compare(stack[depth].bytes);
            assert(wrong == NULL);
            depth++;
            break;
        case FL_PROTO_VARINT:
            (void)fl_proto_sint(in);
            (void)fl_proto_i64(in);
            break;
        case FL_PROTO_FIXED64:
            (void)fl_proto_double(in);
            break;
        default:
            (void)fl_proto_fixed32(in);
            break;
        }
        assert(fl_proto_ok(in));
    }
    return 0;
}
