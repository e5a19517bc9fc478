/* Any bytes: no crash, and the same verdict and values as jansson. */
#include <assert.h>

#include "fuzz.h"
#include "json_oracle.h"

enum { MAX_COMPARED_BYTES = 1 << 14 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_arena arena = fl_arena_of(1u << 20);
    fl_slice bytes = {.ptr = data, .len = size};
    if (size <= MAX_COMPARED_BYTES) {
        const char *wrong = json_oracle_compare(bytes, &arena);
        assert(wrong == NULL);
    }
    /* Each value in every type that it could be asked for. */
    for (int type = 0; type < 6; type++) {
        fl_json in = fl_json_over(bytes, &arena);
        while (fl_json_peek(&in) != FL_JSON_END && fl_json_ok(&in)) {
            fl_json_mark mark = fl_json_here(&in);
            switch (type) {
            case 0:
                (void)fl_json_i64(&in);
                break;
            case 1:
                (void)fl_json_u64(&in);
                break;
            case 2:
                (void)fl_json_double(&in);
                break;
            case 3:
                (void)fl_json_bool(&in);
                break;
            case 4:
                (void)fl_json_string(&in);
                break;
            default:
                (void)fl_json_null(&in);
                break;
            }
            if (!fl_json_ok(&in) || in.pos == mark.pos) {
                fl_json_rewind(&in, mark);
                fl_json_skip(&in);
            }
        }
    }
    fl_arena_dispose(&arena);
    return 0;
}
