/*
 * signatures_priv.h - from a document's tree to its signatures.
 */
#ifndef FL_SIGNATURES_PRIV_H
#define FL_SIGNATURES_PRIV_H

#include "signatures.h"
#include "yaml_tree.h"

/* A hundred times the built-in library. */
enum { MAX_SIGNATURES = 4096, MAX_LIBRARY_BYTES = 64 << 20, MAX_DOCUMENT_TREE_BYTES = 64 << 20 };

struct signature_place {
    const char *source;
    size_t line; /* of the name */
    fl_signature_origin origin;
};

/* One entry for each form. */
struct signature_list {
    fl_leak_signature *items;
    struct signature_place *places;
    size_t count;
};

/* `source` outlives the list; everything else is put into `arena`. */
FL_NODISCARD fl_status fl_signatures_read(struct signature_list *out, const fl_yaml *root,
                                          const char *source, fl_arena *arena, fl_error *err);

#endif
