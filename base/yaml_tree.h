/*
 * yaml_tree.h - a small YAML document as a tree, each node with its place, for rules that people
 * write.
 *
 * Types come from who reads a node, never from how a scalar looks: every scalar is text. One
 * document a file; aliases, anchors' reuse, keys that are not scalars, keys given twice and more
 * than FL_YAML_MAX_DEPTH levels are refused with "SOURCE:LINE:COLUMN: what is wrong".
 */
#ifndef FL_YAML_TREE_H
#define FL_YAML_TREE_H

#include <stdbool.h>

#include "arena.h"

enum { FL_YAML_MAX_DEPTH = 16 };

typedef enum fl_yaml_kind { FL_YAML_TEXT, FL_YAML_LIST, FL_YAML_MAP } fl_yaml_kind;

typedef struct fl_yaml {
    fl_yaml_kind kind;
    fl_slice text;         /* TEXT; a NUL follows it. It holds none itself */
    fl_slice key;          /* of a mapping's member; empty elsewhere */
    uint64_t offset;       /* of the value, in bytes */
    size_t line, column;   /* of the member's key, else of the value; from 1 */
    struct fl_yaml *first; /* members or items, in their order; NULL: none */
    struct fl_yaml *next;  /* the sibling */
    size_t count;          /* of members or items */
} fl_yaml;

/* The tree of `text` in `arena`. FL_E_SYNTAX as above, at its offset; FL_E_NOMEM. */
FL_NODISCARD fl_status fl_yaml_read(const fl_yaml **out, fl_arena *arena, fl_slice text,
                                    const char *source, fl_error *err);
/* NULL where the mapping has no such member. */
const fl_yaml *fl_yaml_member(const fl_yaml *map, fl_slice key);
/* FL_E_SYNTAX about a node: "SOURCE:LINE:COLUMN: what". */
fl_status fl_yaml_fail(const fl_yaml *at, const char *source, fl_error *err, const char *format,
                       ...) FL_PRINTF(4, 5);

#endif
