/*
 * crash_symbols.c - asks libraries, or the files that their DWARF was moved to, for the functions
 * at a report's addresses.
 *
 * A library with DWARF answers itself. For one without it the separate file is looked for
 * (symbol_debug.h), and where there is none the library's symbol table tells the functions.
 */
#include "crash_symbols.h"

#include <assert.h>
#include <string.h>

#include "demangle.h"
#include "slice.h"
#include "symbol.h"
#include "symbol_debug.h"

/* What is asked for one library after the other. */
typedef struct asking {
    fl_crash *crash;
    const fl_crash_files *files;
    const char *refused;
    fl_arena *arena;
    fl_error *err;
} asking;

/* One sentence for all of this file. */
static fl_status no_memory(asking *in)
{
    return fl_fail(in->err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for frames");
}

/* ---- one frame ---- */

/* "unsafe.cpp:262" of "/src/unsafe.cpp"; NULL where there is no line. */
static const char *place_of(const fl_symbol *symbol, fl_arena *arena, bool *failed)
{
    size_t start = symbol->file.len;
    if (symbol->file.len == 0 || symbol->line == 0)
        return NULL;
    while (start > 0 && symbol->file.ptr[start - 1] != '/')
        start--;
    fl_slice name = fl_slice_part(symbol->file, start, symbol->file.len);
    const char *made = fl_arena_printf(arena, "%.*s:%u", FL_SLICE_ARG(name), symbol->line);
    *failed |= made == NULL;
    return made;
}

/* A linker's name as the source has it. */
static const char *plain_name(fl_slice name, fl_arena *arena, bool *failed)
{
    fl_slice plain = name;
    *failed |= !fl_demangle(&plain, name, arena);
    const char *made = fl_arena_cstr(arena, plain);
    *failed |= made == NULL;
    return made;
}

/* "name (unsafe.cpp:202)" of each but the last, which is the frame's own function. */
static void add_inlined(fl_crash_frame *frame, const fl_symbol *found, size_t count,
                        fl_arena *arena, bool *failed)
{
    const char **texts = fl_arena_alloc(arena, count, sizeof(*texts));
    assert(count > 1);
    *failed |= texts == NULL;
    for (size_t i = 0; i + 1 < count && !*failed; i++) {
        const char *place = place_of(&found[i], arena, failed);
        const char *name = plain_name(found[i].function, arena, failed);
        texts[i] =
            place != NULL && name != NULL ? fl_arena_printf(arena, "%s (%s)", name, place) : name;
        *failed |= texts[i] == NULL;
    }
    if (*failed)
        return;
    frame->inlined = texts;
    frame->inlined_count = count - 1;
}

/* The frame of one that called is behind the call: the address before it is asked for. A name that
 * the report has stays. */
static bool name_frame(fl_crash_frame *frame, const fl_symbols *symbols, bool is_call,
                       fl_arena *arena)
{
    fl_symbol found[FL_MAX_INLINED];
    bool failed = false;
    uint64_t address = is_call && frame->offset > 0 ? frame->offset - 1 : frame->offset;
    size_t count = fl_symbols_find(symbols, address, found);
    if (count == 0)
        return true;
    if (frame->symbol == NULL) {
        frame->symbol = plain_name(found[count - 1].function, arena, &failed);
        frame->is_looked_up = true;
    }
    frame->source = place_of(&found[count - 1], arena, &failed);
    if (count > 1)
        add_inlined(frame, found, count, arena, &failed);
    return !failed;
}

/* ---- one library ---- */

/* "libfoo.so" of "/usr/lib/libfoo.so" and of "libfoo.so.debug". */
static bool is_of(const char *path, const char *library)
{
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    size_t len = strlen(library);
    return strncmp(name, library, len) == 0 &&
           (name[len] == '\0' || strcmp(name + len, ".debug") == 0);
}

/* By the name of the library where it is known, else by the name of the file. */
static bool is_meant(const char *binary, const char *library, const char *of_frame)
{
    return library != NULL ? strcmp(library, of_frame) == 0 : is_of(binary, of_frame);
}

/* The frames of one library; `library` NULL: of that which the binary is by its name. */
static fl_status name_frames(asking *in, const fl_symbols *symbols, const char *binary,
                             const char *library)
{
    fl_crash *crash = in->crash;
    bool kept = true;
    fl_crash_frame *frames = fl_arena_alloc(in->arena, crash->native_count + 1, sizeof(*frames));
    if (frames == NULL)
        return no_memory(in);
    for (size_t i = 0; i < crash->native_count; i++) {
        frames[i] = crash->native_frames[i];
        if (frames[i].library != NULL && is_meant(binary, library, frames[i].library))
            kept &= name_frame(&frames[i], symbols, i > 0, in->arena);
    }
    if (crash->frame.library != NULL && is_meant(binary, library, crash->frame.library))
        kept &= name_frame(&crash->frame, symbols, false, in->arena);
    crash->native_frames = frames;
    return kept ? FL_OK : no_memory(in);
}

/* A library without DWARF gives way to its separate file. */
static fl_status prefer_debug(asking *in, fl_symbols **symbols, const char *path,
                              const char *folder)
{
    const fl_debug_search where = {.path = path, .folder = folder, .system = in->files->system};
    fl_symbols *debug = NULL;
    const char *refused = NULL;
    if (fl_symbols_has_dwarf(*symbols))
        return FL_OK;
    if (!fl_symbols_open_debug(&debug, &refused, *symbols, &where, in->arena))
        return no_memory(in);
    if (in->refused == NULL)
        in->refused = refused;
    if (debug != NULL) {
        fl_symbols_close(*symbols);
        *symbols = debug;
    }
    return FL_OK;
}

/* A file that the caller named must be readable; one that a folder does not have may be
 * missing. */
static fl_status name_by_binary(asking *in, const char *binary)
{
    fl_symbols *symbols = NULL;
    fl_status status = fl_symbols_open(&symbols, binary, in->err);
    if (status == FL_OK)
        status = prefer_debug(in, &symbols, binary, in->files->folder);
    if (status == FL_OK)
        status = name_frames(in, symbols, binary, NULL);
    fl_symbols_close(symbols);
    return status;
}

/* ---- a folder of libraries ---- */

/* Whether the library's link names this file: it then was looked at, and has other bytes. */
static bool is_refused(const fl_symbols *library, const char *path)
{
    uint32_t crc;
    const char *slash = strrchr(path, '/');
    assert(slash != NULL);
    fl_slice link = library != NULL ? fl_symbols_debug_link(library, &crc) : (fl_slice){0};
    return link.len > 0 && fl_slice_equal(link, fl_slice_of(slash + 1));
}

/* Whether a file may be of this build: it is not where both have an id, and these differ. One that
 * a link refused needs the same id. */
static bool may_be_of(const fl_symbols *file, const fl_symbols *library, const char *path)
{
    fl_slice its = fl_symbols_gnu_build_id(file);
    fl_slice id = library != NULL ? fl_symbols_gnu_build_id(library) : (fl_slice){0};
    if (id.len == 0 || its.len == 0)
        return !is_refused(library, path);
    return fl_slice_equal(its, id);
}

/* "NAME.debug" without a link to it, as long as it is not of another build. True where it is
 * taken. */
static bool prefer_beside(fl_symbols **symbols, const char *path)
{
    fl_symbols *beside = NULL;
    if ((*symbols != NULL && fl_symbols_has_dwarf(*symbols)) ||
        fl_symbols_open(&beside, path, NULL) != FL_OK)
        return false;
    bool is_taken = may_be_of(beside, *symbols, path);
    fl_symbols_close(is_taken ? *symbols : beside);
    if (is_taken)
        *symbols = beside;
    return is_taken;
}

/* The best file for a library, or NULL in *out: the folder has none. */
static fl_status open_library(asking *in, fl_symbols **out, const char *library)
{
    const char *folder = in->files->folder, *refused = in->refused;
    *out = NULL;
    if (strchr(library, '/') != NULL)
        return FL_OK;
    const char *own = fl_arena_printf(in->arena, "%s/%s", folder, library);
    const char *beside = fl_arena_printf(in->arena, "%s/%s.debug", folder, library);
    if (own == NULL || beside == NULL)
        return no_memory(in);
    fl_status status = FL_OK;
    if (fl_symbols_open(out, own, NULL) == FL_OK)
        status = prefer_debug(in, out, own, folder);
    if (status == FL_OK && prefer_beside(out, beside))
        in->refused = refused; /* what a link refused has the same build id, or another was found */
    return status;
}

/* Whether no frame before asked for this library. */
static bool is_new(const fl_crash *crash, size_t i)
{
    const char *library = crash->native_frames[i].library;
    if (library == NULL ||
        (crash->frame.library != NULL && strcmp(library, crash->frame.library) == 0))
        return false;
    for (size_t k = 0; k < i; k++)
        if (crash->native_frames[k].library != NULL &&
            strcmp(crash->native_frames[k].library, library) == 0)
            return false;
    return true;
}

/* One library, for all its frames. */
static fl_status name_by_folder(asking *in, const char *library)
{
    fl_symbols *symbols;
    fl_status status = open_library(in, &symbols, library);
    if (status == FL_OK && symbols != NULL)
        status = name_frames(in, symbols, library, library);
    fl_symbols_close(symbols);
    return status;
}

/* ---- the report's own names ---- */

/* A virtual machine without a demangler, or in want of memory, writes names as the linker has them.
 */
static fl_status write_plain(asking *in)
{
    fl_crash *crash = in->crash;
    bool failed = false;
    fl_crash_frame *frames = fl_arena_alloc(in->arena, crash->native_count + 1, sizeof(*frames));
    if (frames == NULL)
        return no_memory(in);
    for (size_t i = 0; i <= crash->native_count; i++) {
        fl_crash_frame *frame = i == crash->native_count ? &crash->frame : &frames[i];
        if (i < crash->native_count)
            *frame = crash->native_frames[i];
        if (frame->symbol != NULL && fl_demangle_is_mangled(fl_slice_of(frame->symbol)))
            frame->symbol = plain_name(fl_slice_of(frame->symbol), in->arena, &failed);
    }
    crash->native_frames = frames;
    return failed ? no_memory(in) : FL_OK;
}

/* Files that were named first; each library of the stack once. */
fl_status fl_crash_name_native(fl_crash *crash, const fl_crash_files *files, const char **refused,
                               fl_arena *arena, fl_error *err)
{
    assert(crash != NULL && files != NULL && refused != NULL && files->system != NULL);
    asking in = {.crash = crash, .files = files, .arena = arena, .err = err};
    fl_status status = write_plain(&in);
    for (size_t i = 0; i < files->binary_count && status == FL_OK; i++)
        status = name_by_binary(&in, files->binaries[i]);
    if (status == FL_OK && files->folder != NULL && crash->frame.library != NULL)
        status = name_by_folder(&in, crash->frame.library);
    for (size_t i = 0; i < crash->native_count && status == FL_OK && files->folder != NULL; i++)
        if (is_new(crash, i))
            status = name_by_folder(&in, crash->native_frames[i].library);
    *refused = in.refused;
    return status;
}
