/*
 * signatures_load.c - files of signatures, each read whole: they are written by people, and small.
 */
#include "signatures_load.h"

#include <assert.h>

#include "inputs.h"
#include "slice.h"

enum { MAX_FILE_BYTES = 1 << 20, LIST_BYTES = 16 << 20 };

/* Other files may lie in such a folder: a README, what an editor left. */
static bool is_yaml(const char *name)
{
    fl_slice text = fl_slice_of(name);
    return name[0] != '.' && (fl_slice_ends_with(text, FL_SLICE(".yaml")) ||
                              fl_slice_ends_with(text, FL_SLICE(".yml")));
}

/* The text is needed no longer than it is read: the library keeps its own copies. */
static fl_status load_file(fl_signatures *library, const char *path, fl_error *err)
{
    fl_slice text;
    fl_arena scratch = fl_arena_of(2 * MAX_FILE_BYTES);
    fl_status status = fl_inputs_read(&text, path, MAX_FILE_BYTES, &scratch, err);
    if (status == FL_OK)
        status = fl_signatures_add(library, text, path, FL_SIGNATURE_OWN, err);
    fl_arena_dispose(&scratch);
    return status;
}

fl_status fl_signatures_load(fl_signatures *library, const char *const *paths, size_t count,
                             fl_error *err)
{
    assert(library != NULL);
    fl_inputs files;
    fl_arena arena = fl_arena_of(LIST_BYTES);
    fl_status status = fl_inputs_list_named(&files, paths, count, is_yaml, &arena, err);
    for (size_t i = 0; status == FL_OK && i < files.count; i++)
        status = load_file(library, files.items[i].path, err);
    fl_arena_dispose(&arena);
    return status;
}
