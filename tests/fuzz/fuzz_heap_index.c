/* An index of a small dump with some bytes changed and its checksums made right again: no crash, no
 * end that does not come, whatever is asked of the heap.
 *
 *   input   u1 which dump, (u2 which byte of those that are not padding, u1 what to add)* */
#include <assert.h>

#include "faultline/limits.h"
#include "fl_hprof_made.h"
#include "fuzz.h"
#include "heap_collections.h"
#include "heap_faults.h"
#include "heap_finalizers.h"
#include "heap_index_made.h"
#include "heap_loaders.h"
#include "heap_paths.h"
#include "heap_threads.h"
#include "hprof.h"

/* Which byte is the n-th that says something. */
static size_t byte_at(const fl_flx_head *head, size_t n)
{
    if (n < sizeof(*head))
        return n;
    n -= sizeof(*head);
    for (unsigned i = 0; i < FL_FLX_SECTIONS; i++) {
        size_t len = (size_t)head->sections[i].count * head->sections[i].size;
        if (n < len)
            return (size_t)head->sections[i].offset + n;
        n -= len;
    }
    return n % sizeof(*head);
}

static void ask_for_contents(const fl_heap *heap)
{
    fl_heap_collections collections = {0};
    fl_heap_strings strings = {0};
    fl_heap_locals locals = {0};
    fl_heap_faults faults = {0};
    assert(fl_heap_collections_find(&collections, heap, NULL) == FL_OK);
    assert(fl_heap_strings_find(&strings, heap, SIZE_MAX, NULL) == FL_OK);
    assert(fl_heap_locals_find(&locals, heap, NULL) == FL_OK);
    assert(fl_heap_faults_find(&faults, heap, &collections, &locals, &strings, NULL) == FL_OK);
    fl_heap_faults_dispose(&faults);
    fl_heap_locals_dispose(&locals);
    fl_heap_strings_dispose(&strings);
    fl_heap_collections_dispose(&collections);
}

static void ask_for_tables(const fl_heap *heap)
{
    fl_heap_loaders loaders = {0};
    fl_heap_threads threads = {0};
    fl_heap_finalizers finalizers = {0};
    fl_heap_frame frames[4];
    assert(fl_heap_loaders_find(&loaders, heap, 0, NULL) == FL_OK);
    assert(fl_heap_threads_find(&threads, heap, NULL) == FL_OK);
    assert(fl_heap_finalizers_find(&finalizers, heap, NULL) == FL_OK);
    for (size_t i = 0; i < threads.count; i++)
        if (threads.rows[i].trace != FL_HEAP_NONE)
            (void)fl_heap_thread_frames(frames, 4, heap, &threads, &threads.rows[i]);
    fl_heap_finalizers_dispose(&finalizers);
    fl_heap_threads_dispose(&threads);
    fl_heap_loaders_dispose(&loaders);
}

/* Everything that is asked of a heap; up along the dominators it must end. */
static void ask(fl_heap *heap)
{
    fl_heap_edge edge;
    fl_heap_paths *paths;
    char text[16];
    size_t count = fl_heap_count(heap);
    for (fl_heap_object o = 0; o < count; o++) {
        size_t kids, roots, steps = 0;
        assert(fl_heap_find(heap, fl_heap_id(heap, o)) == o);
        for (fl_heap_object up = o; up != FL_HEAP_NONE; up = fl_heap_idom(heap, up))
            assert(steps++ < count);
        (void)fl_heap_shallow_bytes(heap, o);
        (void)fl_heap_class_meant(heap, o);
        (void)fl_heap_dominated(heap, o, &kids);
        (void)fl_heap_roots_of(heap, o, &roots);
        (void)fl_heap_string(heap, o, text, sizeof(text));
        for (fl_heap_edges at = fl_heap_edges_of(heap, o); fl_heap_edges_next(&at, &edge);)
            assert(edge.to < count);
    }
    assert(fl_heap_index_inbound(heap, NULL) == FL_OK);
    if (fl_heap_paths_create(&paths, heap, 1, NULL) == FL_OK)
        fl_heap_paths_destroy(paths);
    ask_for_contents(heap);
    ask_for_tables(heap);
}

static void load(const index_made *index, const fl_heap_source *source, bool classes_only)
{
    fl_error damage, err = {0};
    fl_heap_index_key key = index_made_key();
    const fl_heap_index_question question = {&key, {0}, classes_only};
    fl_heap *heap;
    fl_status status =
        fl_heap_index_load(&heap, &damage, index_made_bytes(index), &question, source, &err);
    assert((status == FL_OK) == (heap != NULL));
    assert(status == FL_OK || err.message[0] != '\0');
    if (status == FL_OK)
        ask(heap);
    fl_heap_destroy(heap);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const fl_heap_options options = {0};
    if (size == 0)
        return 0;
    fl_hprof_made made = made_sample((data[0] & 1) != 0 ? 4 : 8);
    fl_hprof *dump;
    fl_heap *heap;
    index_made index;
    if (fl_hprof_over(&dump, made_bytes(&made), NULL) != FL_OK)
        return 0;
    fl_heap_source source = fl_hprof_source(dump);
    if (fl_heap_create(&heap, &source, &options, NULL) != FL_OK ||
        index_made_save(&index, heap, NULL, NULL) != FL_OK)
        return 0;
    const fl_flx_head head = *index_made_head(&index);
    for (size_t i = 1; i + 3 <= size; i += 3)
        index.bytes[byte_at(&head, (size_t)data[i] << 8 | data[i + 1])] += data[i + 2];
    index_made_seal(&index);
    load(&index, &source, false);
    load(&index, &source, true);
    fl_mem_free(index.bytes);
    fl_heap_destroy(heap);
    fl_hprof_close(dump);
    fl_buf_dispose(&made.out);
    return 0;
}
