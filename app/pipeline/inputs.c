/*
 * inputs.c - folders to files. Everything is sorted, so that the order in which a file system lists
 * a folder never reaches the answer.
 *
 * A folder gives the files right in it whose names are those of telemetry; folders below it are not
 * entered. A file that is named itself is taken whatever its name, and `named` then makes it an
 * error if it holds no OTLP. A file that is reached twice is read once.
 */
#include "inputs.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "otlp.h"
#include "slice.h"
#include "stream.h"

enum { MAX_INPUT_FILES = 4096 };

struct listing {
    fl_arena *arena;
    bool (*is_wanted)(const char *name); /* of the files in a folder */
    fl_input *items;
    size_t count;
};

/* `path` is kept as it is: it lives in the arena or in the request. */
static fl_status add(struct listing *list, const char *path, const struct stat *about, bool named,
                     fl_error *err)
{
    assert(list->count <= MAX_INPUT_FILES);
    if (list->count == MAX_INPUT_FILES)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "more than %d input files", MAX_INPUT_FILES);
    list->items[list->count++] =
        (fl_input){.path = path, .bytes = (uint64_t)about->st_size, .named = named};
    return FL_OK;
}

/* Files that vanish while the folder is listed are no error. */
static fl_status add_entry(struct listing *list, const char *folder, const char *name,
                           fl_error *err)
{
    struct stat about;
    if (!list->is_wanted(name))
        return FL_OK;
    const char *path = fl_arena_printf(list->arena, "%s/%s", folder, name);
    if (path == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for file names");
    if (stat(path, &about) != 0 || !S_ISREG(about.st_mode))
        return FL_OK; /* a folder, or gone in between */
    return add(list, path, &about, false, err);
}

/* A folder without any such file is a mistake worth saying. */
static fl_status add_folder(struct listing *list, const char *folder, fl_error *err)
{
    size_t before = list->count;
    fl_status status = FL_OK;
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "cannot read folder %s: %s", folder,
                       strerror(errno));
    for (const struct dirent *entry = readdir(dir); entry != NULL && status == FL_OK;
         entry = readdir(dir))
        status = add_entry(list, folder, entry->d_name, err);
    closedir(dir);
    if (status == FL_OK && list->count == before && list->is_wanted == fl_otlp_is_candidate)
        status =
            fl_fail(err, FL_E_IO, FL_NO_OFFSET,
                    "folder %s holds no .json, .jsonl, .ndjson, .pb, .binpb or .otlp file", folder);
    else if (status == FL_OK && list->count == before)
        status = fl_fail(err, FL_E_IO, FL_NO_OFFSET, "folder %s holds no such file", folder);
    return status;
}

/* By the bytes of the path, whatever the locale. */
static int compare_inputs(const void *left, const void *right)
{
    const fl_input *a = left, *b = right;
    return strcmp(a->path, b->path);
}

fl_status fl_inputs_list(fl_inputs *out, const char *const *paths, size_t count, fl_arena *arena,
                         fl_error *err)
{
    return fl_inputs_list_named(out, paths, count, fl_otlp_is_candidate, arena, err);
}

fl_status fl_inputs_list_named(fl_inputs *out, const char *const *paths, size_t count,
                               bool (*is_wanted)(const char *name), fl_arena *arena, fl_error *err)
{
    assert(out != NULL && (paths != NULL || count == 0));
    struct listing list = {.arena = arena, .is_wanted = is_wanted};
    fl_status status = FL_OK;
    *out = (fl_inputs){0};
    list.items = fl_arena_alloc(arena, MAX_INPUT_FILES, sizeof(*list.items));
    if (list.items == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for file names");
    for (size_t i = 0; i < count && status == FL_OK; i++) {
        struct stat about;
        if (stat(paths[i], &about) != 0)
            return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "cannot read %s: %s", paths[i],
                           strerror(errno));
        status = S_ISDIR(about.st_mode) ? add_folder(&list, paths[i], err)
                                        : add(&list, paths[i], &about, true, err);
    }
    if (status != FL_OK)
        return status;
    qsort(list.items, list.count, sizeof(*list.items), compare_inputs);
    for (size_t i = 0; i < list.count; i++) {
        if (out->count > 0 && compare_inputs(&list.items[out->count - 1], &list.items[i]) == 0)
            continue;
        out->bytes += list.items[i].bytes;
        list.items[out->count++] = list.items[i];
    }
    out->items = list.items;
    return FL_OK;
}

fl_status fl_inputs_read(fl_slice *out, const char *path, size_t max_bytes, fl_arena *arena,
                         fl_error *err)
{
    assert(out != NULL && max_bytes < SIZE_MAX);
    fl_stream *stream;
    fl_status status = fl_stream_open(&stream, path, err);
    if (status != FL_OK)
        return status;
    unsigned char *bytes = fl_arena_bytes(arena, max_bytes + 1);
    size_t len = 0, got = 1;
    if (bytes == NULL)
        status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for %s", path);
    while (status == FL_OK && got > 0 && len <= max_bytes) {
        status = fl_stream_read(stream, bytes + len, max_bytes + 1 - len, &got, err);
        len += status == FL_OK ? got : 0;
    }
    fl_stream_close(stream);
    if (status == FL_OK && len > max_bytes)
        status =
            fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "%s is larger than %zu bytes", path, max_bytes);
    *out = (fl_slice){.ptr = bytes, .len = len};
    return status;
}
