/*
 * library_priv.h - from a document's tree to its items.
 */
#ifndef FL_LIBRARY_PRIV_H
#define FL_LIBRARY_PRIV_H

#include "library.h"
#include "yaml_fields.h"

/* Twenty times the built-in library. */
enum {
    FL_LIBRARY_MAX_ITEMS = 2048,
    FL_LIBRARY_MAX_NAMES = 4096, /* components and settings with their aliases, each */
    FL_LIBRARY_MAX_BYTES = 64 << 20,
    FL_LIBRARY_MAX_TREE_BYTES = 64 << 20
};

struct fl_library_alias {
    const char *alias; /* of a setting as a variable; the name itself is one */
    const char *name;
};

struct fl_library_names {
    struct fl_library_alias *items;
    size_t count;
};

/* All that documents hold, each list with room for the most. */
struct fl_library_lists {
    fl_library_item *items;
    fl_library_gone *gone;
    size_t item_count, gone_count;
    struct fl_library_names components, settings;
};

/* Appends to `out`, whose lists have room; on failure its counts may have grown. */
FL_NODISCARD fl_status fl_library_read(struct fl_library_lists *out, const fl_yaml_fields *in,
                                       const fl_yaml *root);

typedef enum fl_library_spelling {
    FL_LIBRARY_AS_COMPONENT, /* small letters, white space as '-' */
    FL_LIBRARY_AS_SETTING,   /* and '_' as '-' */
    FL_LIBRARY_AS_VARIABLE /* and '.' as '-': as far as an environment variable tells names apart */
} fl_library_spelling;

/* A name in one spelling; cut where it is too long. Returns `out`. */
const char *fl_library_fold(char out[FL_LIBRARY_NAME_BYTES], fl_slice name,
                            fl_library_spelling spelling);

#endif
