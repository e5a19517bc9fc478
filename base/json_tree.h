/*
 * json_tree.h - a small JSON document as the tree that yaml_tree.h makes of YAML, for files that
 * people may write in either.
 *
 * Texts are decoded; numbers, true, false and null are the text that stands there. A member's place
 * is that of its value. What YAML's reader refuses is refused here as well, in the same words: a
 * member given twice, more than FL_YAML_MAX_DEPTH levels, a NUL in a text.
 */
#ifndef FL_JSON_TREE_H
#define FL_JSON_TREE_H

#include "yaml_tree.h"

/* The tree of `text` in `arena`. FL_E_SYNTAX: "SOURCE:LINE:COLUMN: what is wrong", at its offset;
 * FL_E_NOMEM. */
FL_NODISCARD fl_status fl_json_tree_read(const fl_yaml **out, fl_arena *arena, fl_slice text,
                                         const char *source, fl_error *err);

#endif
