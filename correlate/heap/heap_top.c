/*
 * heap_top.c - one pass over what hangs on the roots: summed up by class, then classes by package
 * and by loader; and one for the largest objects.
 */
#include "heap_top.h"

#include <assert.h>
#include <stdlib.h>

#include "mem.h"
#include "slice.h"

/* Room beside that for the objects that are wanted, so that few are not sorted often. */
enum { SPARE = 4096 };

static fl_status no_memory(fl_error *err)
{
    return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "out of memory for the top consumers");
}

fl_slice fl_heap_top_package(fl_slice class_name)
{
    size_t end = class_name.len;
    while (end > 0 && class_name.ptr[end - 1] != '.')
        end--;
    return fl_slice_part(class_name, 0, end > 0 ? end - 1 : 0);
}

/* The class that an object is told of by. */
static uint32_t class_for(const fl_heap *heap, fl_heap_object object)
{
    uint32_t meant = fl_heap_class_meant(heap, object);
    return meant != FL_HEAP_NONE ? meant : fl_heap_class_of(heap, object);
}

/* The only pass over objects. */
static void sum_classes(fl_heap_top *out, const fl_heap *heap)
{
    const fl_heap_object *kept = fl_heap_dominated(heap, FL_HEAP_NONE, &out->total_count);
    for (size_t i = 0; i < out->total_count; i++) {
        fl_heap_top_row *row = &out->classes[class_for(heap, kept[i])];
        row->objects++;
        row->retained_bytes += fl_heap_retained_bytes(heap, kept[i]);
    }
}

/* --- the largest objects --- */

typedef struct sized {
    uint64_t bytes;
    fl_heap_object object;
} sized;

/* Of equal ones the lower address comes first. */
static int by_size(const void *a, const void *b)
{
    const sized *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return (x->object > y->object) - (x->object < y->object);
}

/* Gathered in room for more than are wanted; when it is full it is sorted and cut, and what is
 * smaller than the last one then is not gathered any more. */
static fl_status find_largest(fl_heap_top *out, const fl_heap *heap, size_t most, fl_error *err)
{
    size_t total, count = 0;
    const fl_heap_object *all = fl_heap_dominated(heap, FL_HEAP_NONE, &total);
    most = most > 0 && most < total ? most : total;
    size_t cap = most < total / 2 ? 2 * most + SPARE : total, limit = total;
    sized *rows = fl_mem_calloc(cap + 1, sizeof(*rows));
    out->objects = fl_mem_calloc(most + 1, sizeof(*out->objects));
    if (rows == NULL || out->objects == NULL) {
        fl_mem_free(rows);
        return no_memory(err);
    }
    for (size_t i = 0; i < total; i++) {
        const sized row = {fl_heap_retained_bytes(heap, all[i]), all[i]};
        if (limit < total && by_size(&row, &rows[limit]) > 0)
            continue;
        rows[count++] = row;
        if (count < cap || i + 1 == total)
            continue;
        qsort(rows, count, sizeof(*rows), by_size);
        count = most;
        limit = most - 1;
    }
    qsort(rows, count, sizeof(*rows), by_size);
    out->object_count = count < most ? count : most;
    for (size_t i = 0; i < out->object_count; i++)
        out->objects[i] = rows[i].object;
    fl_mem_free(rows);
    return FL_OK;
}

/* --- orders --- */

static int by_bytes(const void *a, const void *b)
{
    const fl_heap_top_row *x = a, *y = b;
    if (x->retained_bytes != y->retained_bytes)
        return x->retained_bytes < y->retained_bytes ? 1 : -1;
    int order = fl_slice_compare(x->name, y->name);
    return order != 0 ? order : (x->loader > y->loader) - (x->loader < y->loader);
}

/* Of packages, which loaders share. */
static int by_name(const void *a, const void *b)
{
    const fl_heap_top_row *x = a, *y = b;
    return fl_slice_compare(x->name, y->name);
}

/* The boot loader is the highest number. */
static int by_loader(const void *a, const void *b)
{
    const fl_heap_top_row *x = a, *y = b;
    return (x->loader > y->loader) - (x->loader < y->loader);
}

/* Rows of which `order` says that they are equal become one; returns how many there are then. */
static size_t merge(fl_heap_top_row *rows, size_t count, int (*order)(const void *, const void *))
{
    size_t kept = 0;
    qsort(rows, count, sizeof(*rows), order);
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && order(&rows[kept - 1], &rows[i]) == 0) {
            rows[kept - 1].objects += rows[i].objects;
            rows[kept - 1].retained_bytes += rows[i].retained_bytes;
        } else
            rows[kept++] = rows[i];
    }
    qsort(rows, kept, sizeof(*rows), by_bytes);
    return kept;
}

/* Classes of which nothing hangs on the roots are left out; the others are the rows of both sums.
 */
static void sum_up(fl_heap_top *out, const fl_heap *heap)
{
    size_t kept = 0;
    for (uint32_t i = 0; i < fl_heap_class_count(heap); i++) {
        const fl_heap_class *facts = fl_heap_class_at(heap, i);
        fl_heap_top_row row = out->classes[i];
        if (row.objects == 0)
            continue;
        assert(kept <= i);
        row.name = facts->name;
        row.loader = facts->loader;
        out->classes[kept] = out->packages[kept] = out->loaders[kept] = row;
        out->packages[kept].name = fl_heap_top_package(facts->name);
        out->packages[kept].loader = FL_HEAP_NONE;
        out->loaders[kept++].name = FL_SLICE("");
    }
    out->class_count = kept;
    qsort(out->classes, kept, sizeof(*out->classes), by_bytes);
    out->package_count = merge(out->packages, kept, by_name);
    out->loader_count = merge(out->loaders, kept, by_loader);
}

/* Sums by package and by loader are made of those by class. */
fl_status fl_heap_top_find(fl_heap_top *out, const fl_heap *heap, size_t most, fl_error *err)
{
    size_t classes = fl_heap_class_count(heap) + 1;
    *out = (fl_heap_top){.object_count = 0};
    out->classes = fl_mem_calloc(classes, sizeof(*out->classes));
    out->packages = fl_mem_calloc(classes, sizeof(*out->packages));
    out->loaders = fl_mem_calloc(classes, sizeof(*out->loaders));
    if (out->classes == NULL || out->packages == NULL || out->loaders == NULL)
        return no_memory(err);
    sum_classes(out, heap);
    sum_up(out, heap);
    return find_largest(out, heap, most, err);
}

void fl_heap_top_dispose(fl_heap_top *top)
{
    fl_mem_free(top->objects);
    fl_mem_free(top->classes);
    fl_mem_free(top->packages);
    fl_mem_free(top->loaders);
    *top = (fl_heap_top){.object_count = 0};
}
