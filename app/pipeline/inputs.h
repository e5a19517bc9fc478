/*
 * inputs.h - the files that a triage reads.
 */
#ifndef FL_INPUTS_H
#define FL_INPUTS_H

#include <stdbool.h>

#include "arena.h"

typedef struct fl_input {
    const char *path;
    uint64_t bytes; /* on disk */
    bool named;     /* given by name, not found in a folder */
} fl_input;

typedef struct fl_inputs {
    const fl_input *items;
    size_t count;
    uint64_t bytes;
} fl_inputs;

/* The files among `paths` and, one level deep, in the folders among them, that may hold OTLP; in
 * the order of their paths, each once. FL_E_IO: a path cannot be read, or a folder holds no such
 * file. */
FL_NODISCARD fl_status fl_inputs_list(fl_inputs *out, const char *const *paths, size_t count,
                                      fl_arena *arena, fl_error *err);

/* The same for other files: of a folder, those whose name `is_wanted`. */
FL_NODISCARD fl_status fl_inputs_list_named(fl_inputs *out, const char *const *paths, size_t count,
                                            bool (*is_wanted)(const char *name), fl_arena *arena,
                                            fl_error *err);

/* A whole small file (at most `max_bytes`), in the arena. */
FL_NODISCARD fl_status fl_inputs_read(fl_slice *out, const char *path, size_t max_bytes,
                                      fl_arena *arena, fl_error *err);

#endif
