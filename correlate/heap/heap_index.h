/*
 * heap_index.h - a heap that was made once, as bytes to make it from again without reading the
 * dump.
 *
 * An index holds what the passes over a dump found: where its names, classes and roots stand, what
 * each class has, and by object its number, class, place and dominator and what it retains. It
 * belongs to one dump and one way to look at it (layout, weak references). Texts, values and
 * references are not in it: they are read out of the dump, as ever. docs/formats/flx.md has the
 * bytes.
 *
 * An index is input that may be damaged or made to harm: a heap out of it never reads beyond the
 * index or the dump and never goes round in circles. Arrays are used where they lie, without a
 * copy, once they were checked: the numbers in them are in range, ids ascend, and what the
 * dominators say is one tree. Where an object stands in the dump is checked when it is asked for.
 */
#ifndef FL_HEAP_INDEX_H
#define FL_HEAP_INDEX_H

#include "heap.h"

/* Raised whenever what stands in an index, or what it is computed by, changes. */
#define FL_HEAP_INDEX_VERSION 3u

/* Whose index it is. The same dump has the same key, any other one most likely has not. */
typedef struct fl_heap_index_key {
    uint64_t dump_bytes; /* unpacked */
    uint64_t file_bytes;
    int64_t mtime_ns;          /* of the file */
    unsigned char sample[32];  /* a digest of parts of the dump */
    unsigned char program[16]; /* the version of what made it, padded with 0 */
} fl_heap_index_key;

/* Where an index is written to: in any order, each byte at most once. */
typedef struct fl_heap_index_sink {
    fl_status (*put)(void *payload, uint64_t offset, fl_slice bytes, fl_error *err);
    void *payload;
} fl_heap_index_sink;

/* What is wanted of an index. */
typedef struct fl_heap_index_question {
    const fl_heap_index_key *key;
    fl_heap_options options;
    bool classes_only; /* names, classes and their sums: the heap then has no objects */
} fl_heap_index_question;

/* Whether bytes begin as an index does, of whatever version. */
bool fl_heap_index_is(fl_slice bytes);

/* Of a heap with its tree, that was made from a dump; reads that once more. `damage` is why the
 * dump could not be read to its end; NULL: it was. FL_E_UNSUPPORTED where the tree is none that an
 * index can prove, FL_E_NOMEM, and what the sink fails with. */
FL_NODISCARD fl_status fl_heap_index_save(const fl_heap *heap, const fl_heap_index_key *key,
                                          const fl_error *damage, const fl_heap_index_sink *sink,
                                          fl_error *err);

/* The heap out of an index; `bytes` are aligned as memory of mmap() is and outlive it, as the dump
 * does. *damage gets what was saved. FL_E_NOTFOUND: the index is of another dump, program or way to
 * look at it; FL_E_SYNTAX, FL_E_TRUNCATED: it is damaged; both with the sentence for a person.
 * FL_E_NOMEM. The caller owns *out. */
FL_NODISCARD fl_status fl_heap_index_load(fl_heap **out, fl_error *damage, fl_slice bytes,
                                          const fl_heap_index_question *question,
                                          const fl_heap_source *source, fl_error *err);

#endif
