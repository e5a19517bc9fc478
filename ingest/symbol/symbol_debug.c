/*
 * symbol_debug.c - where distributions and build systems put what strip took out.
 *
 * The build id comes first: it stands in both files and needs no reading of the whole. A debug link
 * tells only a name and the CRC32 of the bytes, so a candidate is read to its end before it is
 * believed. (GDB's manual, "Separate Debug Files".)
 */
#define _XOPEN_SOURCE 700 /* realpath() */
#include "symbol_debug.h"

#include <assert.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faultline/limits.h"
#include "slice.h"

/* What goes through the places for one library. */
typedef struct searching {
    const fl_symbols *library;
    const fl_debug_search *where;
    const char *own; /* the folder of the library */
    fl_arena *arena;
    fl_symbols *found;
    const char *refused;
    bool failed; /* the arena ran out */
} searching;

/* A path that the arena keeps; NULL ends the search. */
static const char *kept(searching *in, const char *path)
{
    in->failed |= path == NULL;
    return path;
}

/* "/a/b" of "/a/b/libx.so"; "." where there is no folder in front. */
static const char *folder_of(const char *path, fl_arena *arena)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return ".";
    size_t len = slash == path ? 1 : (size_t)(slash - path);
    return fl_arena_cstr(arena, (fl_slice){.ptr = (const unsigned char *)path, .len = len});
}

/* ---- by build id ---- */

/* A file under the name of an id that has another one inside was put there by mistake. */
static bool try_build_id(searching *in, const char *root)
{
    fl_slice id = fl_symbols_gnu_build_id(in->library);
    if (id.len < 4 || root == NULL)
        return false;
    const char *path = kept(in, fl_arena_printf(in->arena, "%s/.build-id/%.2s/%.*s.debug", root,
                                                (const char *)id.ptr, (int)(id.len - 2),
                                                (const char *)id.ptr + 2));
    if (path == NULL || fl_symbols_open(&in->found, path, NULL) != FL_OK)
        return false;
    if (fl_slice_equal(fl_symbols_gnu_build_id(in->found), id))
        return true;
    fl_symbols_close(in->found);
    in->found = NULL;
    return false;
}

/* ---- by debug link ---- */

/* The CRC32 of a whole file; false: it cannot be read, or is no file. */
static bool crc_of(const char *path, uint32_t *crc)
{
    enum { BLOCK = 64 << 10 };
    unsigned char block[BLOCK];
    struct stat is;
    ssize_t got = 0;
    *crc = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    bool is_file = fstat(fd, &is) == 0 && S_ISREG(is.st_mode);
    while (is_file && (got = read(fd, block, sizeof(block))) > 0)
        *crc = libdeflate_crc32(*crc, block, (size_t)got);
    (void)close(fd);
    return is_file && got == 0;
}

/* The first that is there and is another build is worth a word, if none better is found. */
static bool try_link(searching *in, const char *path)
{
    uint32_t wanted, crc;
    (void)fl_symbols_debug_link(in->library, &wanted);
    if (kept(in, path) == NULL || !crc_of(path, &crc))
        return false;
    if (crc != wanted) {
        in->refused = in->refused != NULL ? in->refused : path;
        return false;
    }
    return fl_symbols_open(&in->found, path, NULL) == FL_OK;
}

/* ROOT/NAME and ROOT/.debug/NAME. */
static bool try_root(searching *in, const char *root)
{
    uint32_t crc;
    fl_slice name = fl_symbols_debug_link(in->library, &crc);
    if (root == NULL)
        return false;
    return try_link(in, fl_arena_printf(in->arena, "%s/%.*s", root, FL_SLICE_ARG(name))) ||
           try_link(in, fl_arena_printf(in->arena, "%s/.debug/%.*s", root, FL_SLICE_ARG(name)));
}

/* SYSTEM/usr/lib/jvm/NAME: only a folder that is there has a whole path. */
static bool try_system(searching *in)
{
    char whole[PATH_MAX];
    uint32_t crc;
    fl_slice name = fl_symbols_debug_link(in->library, &crc);
    if (realpath(in->own, whole) == NULL)
        return false;
    return try_link(
        in, fl_arena_printf(in->arena, "%s%s/%.*s", in->where->system, whole, FL_SLICE_ARG(name)));
}

bool fl_symbols_open_debug(fl_symbols **out, const char **refused, const fl_symbols *library,
                           const fl_debug_search *where, fl_arena *arena)
{
    uint32_t crc;
    assert(out != NULL && refused != NULL && where->path != NULL && where->system != NULL);
    searching in = {.library = library, .where = where, .arena = arena};
    in.own = kept(&in, folder_of(where->path, arena));
    bool is_found = !in.failed && (try_build_id(&in, where->folder) || try_build_id(&in, in.own) ||
                                   try_build_id(&in, where->system));
    if (!is_found && !in.failed && fl_symbols_debug_link(library, &crc).len > 0)
        is_found = try_root(&in, in.own) || try_root(&in, where->folder) || try_system(&in);
    assert(is_found == (in.found != NULL));
    *out = in.found;
    *refused = is_found ? NULL : in.refused;
    return !in.failed;
}
