/* Any bytes: no crash in any view over the graph, and each answer is one, as text and as JSON. */
#include <assert.h>

#include "fuzz.h"
#include "heap_show.h"
#include "hprof.h"

static const char *const views[] = {"loaders", "threads",    "finalizers",
                                    "top",     "dominators", "unreachable"};

static fl_heap_title title_of(const fl_hprof *dump, const fl_heap *heap)
{
    fl_hprof_facts facts = fl_hprof_facts_of(dump);
    fl_census_totals totals = fl_census_totals_of(fl_heap_census(heap));
    return (fl_heap_title){.file = "f",
                           .version = facts.version,
                           .id_bytes = facts.id_bytes,
                           .file_bytes = facts.bytes,
                           .damage = fl_hprof_damage(dump),
                           .layout = totals.layout,
                           .without_roots = !fl_heap_has_roots(heap),
                           .objects = totals.objects,
                           .bytes = totals.bytes};
}

static void show(const fl_hprof *dump, const fl_heap *heap)
{
    fl_heap_title title = title_of(dump, heap);
    fl_buf out = fl_buf_of(FL_MAX_HEAP_VIEW_BYTES);
    for (size_t i = 0; i < 2 * sizeof(views) / sizeof(views[0]); i++) {
        const fl_heap_asked asked = {.title = &title,
                                     .heap = heap,
                                     .top = 3,
                                     .as_json = i % 2 != 0,
                                     .depth = 4,
                                     .object =
                                         i % 3 == 0 && fl_heap_count(heap) > 0 ? 0 : FL_HEAP_NONE};
        fl_heap_show_fn *view = fl_heap_show_of(views[i / 2]);
        fl_buf_clear(&out);
        assert(view(&out, &asked, NULL) == FL_OK && out.status == FL_OK && out.len > 0);
        assert((out.ptr[0] == '{') == asked.as_json && out.ptr[out.len - 1] == '\n');
    }
    fl_buf_dispose(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const fl_heap_options options = {.weak_keeps = size % 2 != 0};
    fl_hprof *dump;
    fl_heap *heap;
    if (fl_hprof_over(&dump, (fl_slice){.ptr = data, .len = size}, NULL) != FL_OK)
        return 0;
    fl_heap_source source = fl_hprof_source(dump);
    if (fl_heap_create(&heap, &source, &options, NULL) == FL_OK)
        show(dump, heap);
    fl_heap_destroy(heap);
    fl_hprof_close(dump);
    return 0;
}
