/*
 * yaml_fields.h - members of a mapping by name and kind, for readers of rules that people write.
 *
 * Strict: a member that nobody asks for is refused, since a misspelt key would be a rule that
 * silently does nothing. Complaints are "SOURCE:LINE:COLUMN: what is wrong" (yaml_tree.h).
 */
#ifndef FL_YAML_FIELDS_H
#define FL_YAML_FIELDS_H

#include "yaml_tree.h"

/* One document being read. */
typedef struct fl_yaml_fields {
    const char *source;
    fl_arena *arena; /* where texts are copied to */
    fl_error *err;
} fl_yaml_fields;

#define FL_YAML_COMPLAIN(in, at, ...) fl_yaml_fail((at), (in)->source, (in)->err, __VA_ARGS__)

/* "no memory for SOURCE" */
fl_status fl_yaml_no_memory(const fl_yaml_fields *in);
/* `map` is a mapping and has no members but `names`, which ends with NULL. `what` for the sentence:
 * "an item". */
FL_NODISCARD fl_status fl_yaml_check_keys(const fl_yaml_fields *in, const fl_yaml *map,
                                          const char *what, const char *const *names);
/* A text that is not empty, trimmed, in the arena; NULL where it is absent and not required. */
FL_NODISCARD fl_status fl_yaml_take_text(const char **out, const fl_yaml_fields *in,
                                         const fl_yaml *map, const char *name, bool required);
/* A list; NULL where it is absent and not required. */
FL_NODISCARD fl_status fl_yaml_take_list(const fl_yaml **out, const fl_yaml_fields *in,
                                         const fl_yaml *map, const char *name, bool required);
/* A list of texts, into the arena; none where it is absent. */
FL_NODISCARD fl_status fl_yaml_take_texts(const char *const **out, size_t *count,
                                          const fl_yaml_fields *in, const fl_yaml *map,
                                          const char *name);

#endif
