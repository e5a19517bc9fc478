/*
 * naming.c - what was given to name frames with: programs and source maps.
 *
 * Each is read once, when it is given, and then asked for every profile. A source map says itself
 * of which generated file it is (`file`); where it does not, its own name does ("bundle.js.map").
 *
 * Invariant: the first binary_count programs and map_count maps are whole, whatever failed since.
 */
#include "naming.h"

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "buf.h"
#include "faultline/limits.h"
#include "mem.h"
#include "naming_priv.h"
#include "slice.h"
#include "stream.h"

fl_status fl_naming_create(fl_naming **out, fl_error *err)
{
    assert(out != NULL);
    *out = fl_mem_calloc(1, sizeof(**out));
    if (*out == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for names");
    (*out)->arena = fl_arena_of(FL_MAX_NAMING_MAPS * 8192u);
    return FL_OK;
}

/* Profiles that were named borrow from it: it goes after them. */
void fl_naming_destroy(fl_naming *naming)
{
    if (naming == NULL)
        return;
    for (size_t i = 0; i < naming->binary_count; i++)
        fl_symbols_close(naming->binaries[i]);
    for (size_t i = 0; i < naming->map_count; i++)
        fl_srcmap_destroy(naming->maps[i].map);
    fl_arena_dispose(&naming->arena);
    fl_mem_free(naming);
}

bool fl_naming_has_any(const fl_naming *naming)
{
    return naming != NULL && (naming->binary_count > 0 || naming->map_count > 0);
}

/* Read now, so that a wrong file is said before any profile is. */
fl_status fl_naming_add_binary(fl_naming *naming, const char *path, fl_error *err)
{
    assert(naming != NULL && path != NULL);
    if (naming->binary_count == FL_MAX_NAMING_BINARIES)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "more than %d programs",
                       FL_MAX_NAMING_BINARIES);
    fl_status status = fl_symbols_open(&naming->binaries[naming->binary_count], path, err);
    naming->binary_count += status == FL_OK;
    return status;
}

/* The map's JSON, whole: maps are read at once. */
static fl_status read_whole(fl_buf *out, const char *path, fl_error *err)
{
    unsigned char block[32768];
    fl_stream *in;
    size_t len = 1;
    fl_status status = fl_stream_open(&in, path, err);
    if (status != FL_OK)
        return status;
    while (status == FL_OK && len > 0 && out->status == FL_OK) {
        status = fl_stream_read(in, block, sizeof(block), &len, err);
        fl_buf_add(out, (fl_slice){.ptr = block, .len = len});
    }
    fl_stream_close(in);
    return status != FL_OK ? status : fl_buf_check(out, path, err);
}

/* The name of the generated file: what the map says, else its own without ".map". */
static fl_slice generated_name(const fl_srcmap *map, const char *path)
{
    assert(map != NULL && path != NULL);
    fl_slice told = fl_profile_base_name(fl_srcmap_file(map));
    fl_slice own = fl_profile_base_name(fl_slice_of(path));
    static const fl_slice ends[] = {FL_SLICE_INIT(".gz"), FL_SLICE_INIT(".zst"),
                                    FL_SLICE_INIT(".map")};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (fl_slice_ends_with(own, ends[i]))
            own.len -= ends[i].len;
    return told.len > 0 ? told : own;
}

/* A map counts as soon as it is read, so that a failure behind it leaves one owner. */
static fl_status add_map(fl_naming *naming, const char *path, fl_error *err)
{
    if (naming->map_count == FL_MAX_NAMING_MAPS)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "more than %d source maps",
                       FL_MAX_NAMING_MAPS);
    fl_buf text = fl_buf_of(FL_MAX_SYMBOL_BYTES);
    fl_named_map *to = &naming->maps[naming->map_count];
    fl_error why = {0};
    fl_status status = read_whole(&text, path, err);
    if (status == FL_OK && fl_srcmap_read(&to->map, fl_buf_slice(&text), &why) != FL_OK)
        status = fl_fail(err, why.status, why.offset, "%.80s: %.100s", path, why.message);
    fl_buf_dispose(&text);
    if (status != FL_OK)
        return status;
    naming->map_count++;
    to->file = fl_arena_copy(&naming->arena, generated_name(to->map, path));
    to->path = fl_arena_copy(&naming->arena, fl_slice_of(path));
    return to->file.ptr != NULL && to->path.ptr != NULL
               ? FL_OK
               : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for names");
}

/* As bundlers name them, compressed or not. */
static bool is_map_name(const char *name)
{
    fl_slice text = fl_slice_of(name);
    return fl_slice_ends_with(text, FL_SLICE(".map")) ||
           fl_slice_ends_with(text, FL_SLICE(".map.gz")) ||
           fl_slice_ends_with(text, FL_SLICE(".map.zst"));
}

/* In the folder's own order, which does not matter: maps are chosen by name. */
static fl_status add_folder(fl_naming *naming, DIR *folder, const char *path, fl_error *err)
{
    assert(folder != NULL);
    size_t before = naming->map_count;
    fl_status status = FL_OK;
    for (const struct dirent *entry = readdir(folder); entry != NULL && status == FL_OK;
         entry = readdir(folder)) {
        if (!is_map_name(entry->d_name))
            continue;
        char file[4096];
        int len = snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
        if (len > 0 && (size_t)len < sizeof(file))
            status = add_map(naming, file, err);
    }
    if (status == FL_OK && naming->map_count == before)
        return fl_fail(err, FL_E_NOTFOUND, FL_NO_OFFSET, "%.120s holds no .map files", path);
    return status;
}

/* What is no folder is a file, or the stream says why not. */
fl_status fl_naming_add_map(fl_naming *naming, const char *path, fl_error *err)
{
    struct stat is;
    assert(naming != NULL && path != NULL);
    if (stat(path, &is) != 0 || !S_ISDIR(is.st_mode))
        return add_map(naming, path, err);
    DIR *folder = opendir(path);
    if (folder == NULL)
        return fl_fail(err, FL_E_IO, FL_NO_OFFSET, "cannot open %.120s", path);
    fl_status status = add_folder(naming, folder, path, err);
    (void)closedir(folder);
    return status;
}
