/* Any bytes as a mapping file, with the classes that a trace of its own last lines asks for: no
 * crash; answers are within their limit, and every frame has a method. */
#include <assert.h>

#include "fuzz.h"
#include "mapping.h"
#include "slice.h"

/* The trace stands behind the first "===": what is before is the mapping. */
static void each_line(fl_mapping *mapping, fl_slice text, fl_buf *page)
{
    while (text.len > 0) {
        size_t end = fl_slice_find(text, FL_SLICE("\n"));
        fl_slice line = fl_slice_part(text, 0, end);
        if (page != NULL)
            fl_mapping_write_line(page, mapping, line);
        else if (fl_mapping_want_line(mapping, line, NULL) != FL_OK)
            return;
        text = fl_slice_part(text, end + (end < text.len), text.len);
    }
}

static void ask(const fl_mapping *mapping, const char *descriptor, uint32_t line)
{
    static const char *const names[] = {"a", "b", "<init>"};
    fl_mapping_frame found[FL_MAPPING_MAX_FRAMES];
    for (size_t i = 0; i < 9; i++) {
        const fl_mapping_query query = {.class_name = fl_slice_of(names[i / 3]),
                                        .method = fl_slice_of(names[i % 3]),
                                        .descriptor = fl_slice_of(descriptor),
                                        .line = line};
        size_t count = fl_mapping_find(mapping, &query, found);
        assert(count <= FL_MAPPING_MAX_FRAMES);
        for (size_t k = 0; k < count; k++)
            assert(found[k].method.len > 0 && found[k].class_name.len > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_slice all = {.ptr = data, .len = size};
    size_t cut = fl_slice_find(all, FL_SLICE("==="));
    fl_slice trace = fl_slice_part(all, cut, all.len);
    fl_stream *in = NULL;
    fl_mapping *mapping = NULL;
    fl_error err = {0};
    fl_buf page = fl_buf_of(8u << 20);
    if (fl_mapping_create(&mapping, &err) != FL_OK)
        return 0;
    if (fl_mapping_want(mapping, FL_SLICE("a"), FL_SLICE("(I[La/b;J)Lb;"), &err) == FL_OK)
        each_line(mapping, trace, NULL);
    if (fl_stream_over(&in, fl_slice_part(all, 0, cut), "fuzz", &err) == FL_OK) {
        if (fl_mapping_read(mapping, in, &err) == FL_OK) {
            ask(mapping, "", 0);
            ask(mapping, "", 4);
            ask(mapping, "(I[Lb;)V", 1);
            each_line(mapping, trace, &page);
        } else
            assert(err.message[0] != '\0');
    }
    fl_stream_close(in);
    fl_mapping_destroy(mapping);
    fl_buf_dispose(&page);
    return 0;
}
