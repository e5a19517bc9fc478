/*
 * heap_loaders.h - class loaders: what each one defines, what its instances weigh, what it keeps
 * alive, and which ones are there more than once.
 *
 * Two loaders are copies of each other where both are instances of one class, both are kept by the
 * roots, their first URLs are the same, and at least half of the classes of the one that has fewer
 * are in the other one by name: copies load when they need, so that one of them may have less.
 * Where the URLs are not known, 98 of 100 must be. Classes that the virtual machine or a library
 * makes up (proxies, lambdas) are not looked at, nor are arrays. A server that has several programs
 * with one library in each has no copies; one from which a program was taken away, and which still
 * has it, does.
 */
#ifndef FL_HEAP_LOADERS_H
#define FL_HEAP_LOADERS_H

#include "heap.h"
#include "heap_ways.h"

/* Of a loader's names: what is longer is cut. */
enum { FL_HEAP_URL_BYTES = 256 };

typedef struct fl_heap_loader {
    fl_heap_object object;   /* FL_HEAP_NONE: the boot loader */
    uint32_t classes;        /* without those of arrays */
    uint64_t objects, bytes; /* instances of its classes, arrays of them included */
    uint64_t retained_bytes; /* by the loader, its classes and their instances; boot loader: 0 */
    size_t set;              /* of copies that it is one of, from 1 on; 0: it is the only one */
    size_t copies;           /* how many these are, itself included */
    bool is_closed;          /* URLClassLoader.close() was called */
    fl_heap_way *way;        /* from the roots, where it has copies and is told of; else NULL */
} fl_heap_loader;

typedef struct fl_heap_loaders {
    fl_heap_loader *rows; /* that retain most first */
    size_t count;
    fl_heap_way *ways;
    size_t set_count; /* of copies */
} fl_heap_loaders;

/* Ways are found for `most` copies of each of the first `most` sets (0: for all), some 3 KB each.
 * The heap has a tree. FL_E_NOMEM. The caller disposes of *out. */
FL_NODISCARD fl_status fl_heap_loaders_find(fl_heap_loaders *out, const fl_heap *heap, size_t most,
                                            fl_error *err);
void fl_heap_loaders_dispose(fl_heap_loaders *loaders);

/* "file:/opt/shop/lib/app.jar": where it looks first; false where that is not known. */
bool fl_heap_loader_url(const fl_heap *heap, fl_heap_object loader, char out[FL_HEAP_URL_BYTES]);

#endif
