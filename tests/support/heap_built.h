/*
 * heap_built.h - heaps out of a table of classes and objects that a test writes behind it.
 */
#ifndef FL_HEAP_BUILT_H
#define FL_HEAP_BUILT_H

#include "fl_hprof_made.h"
#include "heap.h"
#include "hprof.h"

typedef struct built_class {
    uint64_t id, super;
    const char *name; /* as the virtual machine writes it: "[B", "java/lang/String" */
    const made_member *statics;
    size_t static_count;
    const made_member *fields;
    size_t field_count;
} built_class;

typedef struct built_heap {
    fl_hprof_made made;
    fl_hprof *dump;
    fl_heap *heap;
} built_heap;

enum { BUILT_MAX_CLASSES = 32 };

/* The dump up to its classes, each of them a root; its segment stays open for objects. */
static inline fl_hprof_made built_begin(unsigned id_bytes, const built_class *classes, size_t count)
{
    uint64_t statics[BUILT_MAX_CLASSES], fields[BUILT_MAX_CLASSES];
    fl_hprof_made m = made_begin("1.0.2", id_bytes);
    for (size_t i = 0; i < count; i++) {
        made_loaded(&m, classes[i].id, classes[i].name);
        statics[i] = made_names(&m, classes[i].statics, classes[i].static_count);
        fields[i] = made_names(&m, classes[i].fields, classes[i].field_count);
    }
    made_segment(&m);
    for (size_t i = 0; i < count; i++) {
        made_class item = {classes[i].id,      classes[i].super,        0,
                           classes[i].statics, classes[i].static_count, statics[i],
                           classes[i].fields,  classes[i].field_count,  fields[i]};
        made_class_item(&m, &item);
        made_root(&m, 0x05, classes[i].id);
    }
    return m;
}

/* Ends the dump that `built->made` is, and reads it. */
static inline fl_status built_open(built_heap *built, bool with_inbound, fl_error *err)
{
    static const fl_heap_options options = {.layout = FL_HEAP_LAYOUT_COMPRESSED};
    made_segment_end(&built->made);
    made_end(&built->made);
    fl_status status = fl_hprof_over(&built->dump, made_bytes(&built->made), err);
    if (status != FL_OK)
        return status;
    fl_heap_source source = fl_hprof_source(built->dump);
    status = fl_heap_create(&built->heap, &source, &options, err);
    return status == FL_OK && with_inbound ? fl_heap_index_inbound(built->heap, err) : status;
}

static inline void built_close(built_heap *built)
{
    fl_heap_destroy(built->heap);
    fl_hprof_close(built->dump);
    fl_buf_dispose(&built->made.out);
    *built = (built_heap){0};
}

static inline void built_string(fl_hprof_made *m, uint64_t id, uint64_t class_id, uint64_t text,
                                unsigned coder)
{
    made_instance(m, id, class_id, m->id_bytes + 1);
    made_id(m, text);
    made_number(m, coder, 1);
}

#endif
