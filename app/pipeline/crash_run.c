/*
 * crash_run.c - what crashed, out of a report's frames.
 *
 * The letter of the problematic frame says whose code it was. A crash inside of the virtual machine
 * or of generated code often has its cause elsewhere, in native code or in Unsafe that wrote where
 * it should not; so the first Java frame that is not of the platform is named beside it.
 */
#include "crash_run.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "crash_mapping.h"
#include "hserr.h"
#include "mem.h"
#include "slice.h"
#include "symbol.h"

enum { MAX_WARNINGS = 4 };

/* Packages of the platform; everything else is somebody's own. */
static bool is_platform(const char *method)
{
    static const char *const packages[] = {"java.", "javax.", "jdk.", "sun.", "com.sun."};
    for (size_t i = 0; i < sizeof(packages) / sizeof(packages[0]); i++)
        if (strncmp(method, packages[i], strlen(packages[i])) == 0)
            return true;
    return false;
}

/* The first of the frames, by its name in the source where that is known. */
static const char *first_own_of(const fl_crash_frame *frames, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *method = frames[i].plain != NULL ? frames[i].plain : frames[i].method;
        if (method != NULL && !is_platform(method))
            return method;
    }
    return NULL;
}

/* Of the thread that crashed: native frames hold Java ones, too, in the order of the stack. */
static const char *first_own(const fl_crash *crash)
{
    const char *own = first_own_of(crash->native_frames, crash->native_count);
    return own != NULL ? own : first_own_of(crash->java_frames, crash->java_count);
}

/* Libraries that come with the virtual machine or the system, whose crash is seldom their own. */
static bool is_system(const char *library)
{
    static const char *const names[] = {"libc.so",       "libc-",     "libpthread", "ld-linux",
                                        "libm.so",       "libstdc++", "libjava.so", "libnio.so",
                                        "libnet.so",     "libzip.so", "libjli.so",  "ntdll.dll",
                                        "KERNELBASE.dll"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strncmp(library, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/* The verdict of a signal, by the letter of its frame. */
static void judge_frame(fl_crash_report *out, fl_arena *arena)
{
    const fl_crash_frame *frame = &out->crash.frame;
    switch (frame->kind) {
    case 'C':
        out->verdict = frame->library != NULL
                           ? fl_arena_printf(arena, "native code of %s", frame->library)
                           : "native code outside of every library";
        out->meaning =
            frame->library == NULL
                ? "no code is there: a call over a pointer that was null or destroyed, or into a"
                  " library that was unloaded: look at who called it"
            : !is_system(frame->library)
                ? "the library or who called it over JNI is at fault, not the virtual machine: "
                  "update"
                  " it, or look at the arguments of the Java frame that called it (-Xcheck:jni"
                  " checks them)"
                : "a library of the system was given something wrong, such as a buffer that was"
                  " already freed or a file that was cut while it was mapped: look at who called "
                  "it";
        return;
    case 'J':
    case 'A':
        out->verdict = "compiled Java code";
        out->meaning = "either the compiler made wrong code (exclude the method with"
                       " -XX:CompileCommand=exclude,CLASS::METHOD, or update Java), or native code"
                       " destroyed memory before: -Xcheck:jni, and no Unsafe";
        return;
    case 'j':
        out->verdict = "interpreted Java code";
        out->meaning = "interpreted code does not crash by itself: native code or Unsafe destroyed"
                       " memory before; -Xcheck:jni finds much of it";
        return;
    case 'V':
    case 'v':
        out->verdict = "the virtual machine";
        out->meaning =
            "where a Java frame below uses Unsafe or JNI, that gave it a wrong address;"
            " else memory was destroyed before, or it is an error of the virtual machine:"
            " update Java";
        return;
    default:
        out->verdict = "not known where";
        out->meaning = "the report names no frame; the machine's log may say more";
    }
}

/* One sentence for whoever reads nothing else. */
static fl_status judge(fl_crash_report *out, fl_arena *arena, fl_error *err)
{
    const fl_crash *crash = &out->crash;
    if (crash->cause == FL_CRASH_OUT_OF_MEMORY) {
        out->verdict = "the machine had no memory for the virtual machine";
        out->meaning =
            "not the Java heap but the machine or the container is full: fewer or smaller"
            " heaps on it (-Xmx), fewer threads, or a higher limit";
    } else if (crash->cause == FL_CRASH_INTERNAL) {
        out->verdict = "the virtual machine found itself in a state that cannot be";
        out->meaning = "an error of the virtual machine, or memory that native code destroyed:"
                       " update Java, then -Xcheck:jni";
    } else
        judge_frame(out, arena);
    out->called_by = first_own(crash);
    return out->verdict != NULL
               ? FL_OK
               : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a crash report");
}

/* ---- names of libraries ---- */

/* "libfoo.so" of "/usr/lib/libfoo.so" and of "libfoo.so.debug". */
static bool is_of(const char *path, const char *library)
{
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    size_t len = strlen(library);
    return strncmp(name, library, len) == 0 &&
           (name[len] == '\0' || strcmp(name + len, ".debug") == 0);
}

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

/* "name (unsafe.cpp:202)" of each but the last, which is the frame's own function. */
static void add_inlined(fl_crash_frame *frame, const fl_symbol *found, size_t count,
                        fl_arena *arena, bool *failed)
{
    const char **texts = fl_arena_alloc(arena, count, sizeof(*texts));
    *failed |= texts == NULL;
    for (size_t i = 0; i + 1 < count && !*failed; i++) {
        const char *place = place_of(&found[i], arena, failed);
        texts[i] = place != NULL
                       ? fl_arena_printf(arena, "%.*s (%s)", FL_SLICE_ARG(found[i].function), place)
                       : fl_arena_cstr(arena, found[i].function);
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
        frame->symbol = fl_arena_cstr(arena, found[count - 1].function);
        frame->is_looked_up = true;
        failed = frame->symbol == NULL;
    }
    frame->source = place_of(&found[count - 1], arena, &failed);
    if (count > 1)
        add_inlined(frame, found, count, arena, &failed);
    return !failed;
}

static bool is_meant(const char *binary, const char *library, const char *of_frame)
{
    return library != NULL ? strcmp(library, of_frame) == 0 : is_of(binary, of_frame);
}

/* The frames of one library; `library` NULL: of that which the binary is by its name. */
static fl_status name_frames(fl_crash *crash, const char *binary, const char *library,
                             fl_arena *arena, fl_error *err)
{
    fl_symbols *symbols = NULL;
    bool kept = true;
    fl_status status = fl_symbols_open(&symbols, binary, err);
    fl_crash_frame *frames = fl_arena_alloc(arena, crash->native_count + 1, sizeof(*frames));
    if (status != FL_OK || frames == NULL) {
        fl_symbols_close(symbols);
        return status != FL_OK ? status
                               : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for frames");
    }
    for (size_t i = 0; i < crash->native_count; i++) {
        frames[i] = crash->native_frames[i];
        if (frames[i].library != NULL && is_meant(binary, library, frames[i].library))
            kept &= name_frame(&frames[i], symbols, i > 0, arena);
    }
    if (crash->frame.library != NULL && is_meant(binary, library, crash->frame.library))
        kept &= name_frame(&crash->frame, symbols, false, arena);
    crash->native_frames = frames;
    fl_symbols_close(symbols);
    return kept ? FL_OK : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for frames");
}

/* ---- a folder of libraries ---- */

/* "FOLDER/.build-id/45/1839....debug", where distributions keep the DWARF of a library that was
 * built under this id; NULL: not there, or of another build. */
static const char *debug_file(const char *folder, fl_slice id, fl_arena *arena)
{
    fl_symbols *symbols = NULL;
    if (id.len < 4)
        return NULL;
    const char *path = fl_arena_printf(arena, "%s/.build-id/%.2s/%.*s.debug", folder, id.ptr,
                                       (int)(id.len - 2), (const char *)id.ptr + 2);
    bool is_same = path != NULL && fl_symbols_open(&symbols, path, NULL) == FL_OK &&
                   fl_slice_equal(fl_symbols_gnu_build_id(symbols), id);
    fl_symbols_close(symbols);
    return is_same ? path : NULL;
}

/* Whether a file may be of this build: it is not where both have an id, and these differ. */
static bool may_be_of(const char *path, fl_slice id)
{
    fl_symbols *symbols = NULL;
    bool is_other = false;
    if (id.len > 0 && fl_symbols_open(&symbols, path, NULL) == FL_OK) {
        fl_slice its = fl_symbols_gnu_build_id(symbols);
        is_other = its.len > 0 && !fl_slice_equal(its, id);
    }
    fl_symbols_close(symbols);
    return !is_other;
}

/* The best file for a library: DWARF by its build id, beside it or where the system keeps it, else
 * "NAME.debug" that is not of another build, else the library itself; NULL: the folder has none. */
static const char *find_file(const char *folder, const char *library, fl_arena *arena)
{
    fl_symbols *symbols = NULL;
    const char *found = NULL;
    fl_slice id = {0};
    const char *own = fl_arena_printf(arena, "%s/%s", folder, library);
    const char *beside = fl_arena_printf(arena, "%s/%s.debug", folder, library);
    if (own == NULL || beside == NULL || strchr(library, '/') != NULL)
        return NULL;
    if (fl_symbols_open(&symbols, own, NULL) == FL_OK) {
        id = fl_symbols_gnu_build_id(symbols);
        found = debug_file(folder, id, arena);
        if (found == NULL)
            found = debug_file("/usr/lib/debug", id, arena);
    }
    if (found == NULL && access(beside, R_OK) == 0 && may_be_of(beside, id))
        found = beside;
    if (found == NULL && symbols != NULL)
        found = own;
    fl_symbols_close(symbols);
    return found;
}

/* Each library of the stack once. What the folder does not have keeps its frames as they are. */
static fl_status name_by_folder(fl_crash *crash, const char *folder, fl_arena *arena, fl_error *err)
{
    fl_status status = FL_OK;
    for (size_t i = 0; i <= crash->native_count && status == FL_OK; i++) {
        const char *library = i == 0 ? crash->frame.library : crash->native_frames[i - 1].library;
        bool is_new = library != NULL && (i == 0 || crash->frame.library == NULL ||
                                          strcmp(library, crash->frame.library) != 0);
        for (size_t k = 0; k + 1 < i && is_new; k++)
            is_new = crash->native_frames[k].library == NULL ||
                     strcmp(crash->native_frames[k].library, library) != 0;
        const char *file = is_new ? find_file(folder, library, arena) : NULL;
        if (file != NULL)
            status = name_frames(crash, file, library, arena, err);
    }
    return status;
}

/* ---- the whole ---- */

/* A sentence that is there. */
static void warn(fl_crash_report *out, const char **warnings, const char *text)
{
    assert(out->warning_count < MAX_WARNINGS);
    if (text != NULL)
        warnings[out->warning_count++] = text;
}

/* What is no crash report may be a text with stack traces, which a mapping is asked about: so with
 * one all bytes are kept. */
static fl_status read_or_retrace(fl_crash_report *out, fl_stream *in, const char *mapping,
                                 const char **warning, fl_arena *arena, fl_error *err)
{
    fl_stream_block block = {0};
    fl_stream *again = NULL;
    fl_slice all;
    fl_buf text = fl_buf_of(2 * (size_t)FL_CRASH_MAX_TEXT_BYTES);
    fl_status status = fl_stream_read_all(&all, &block, in, FL_CRASH_MAX_TEXT_BYTES, err);
    if (status == FL_OK && all.len > FL_CRASH_MAX_TEXT_BYTES)
        status = fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET, "more than %d MiB of text",
                         FL_CRASH_MAX_TEXT_BYTES >> 20);
    if (status == FL_OK)
        status = fl_stream_over(&again, all, "the text", err);
    if (status == FL_OK) {
        status = fl_hserr_read(&out->crash, again, arena, NULL);
        fl_stream_close(again);
        if (status != FL_OK && status != FL_E_UNSUPPORTED)
            status = fl_fail(err, status, FL_NO_OFFSET, "no memory for a crash report");
        else if (status == FL_E_UNSUPPORTED) {
            status = fl_crash_name_text(&text, all, mapping, warning, arena, err);
            if (status == FL_OK)
                out->retraced = fl_arena_copy(arena, fl_buf_slice(&text));
            if (status == FL_OK && out->retraced.ptr == NULL)
                status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the text");
        } else
            status = fl_crash_name_java(&out->crash, mapping, warning, arena, err);
    }
    fl_buf_dispose(&text);
    fl_mem_free(block.ptr);
    return status;
}

/* The report, with the mapping's names. */
static fl_status read_report(fl_crash_report *out, const fl_crash_request *request,
                             const char **warning, fl_arena *arena, fl_error *err)
{
    fl_stream *in = NULL;
    fl_error why = {0};
    fl_status status = fl_stream_open_or_stdin(&in, request->path, err);
    if (status != FL_OK)
        return status;
    status = request->mapping != NULL
                 ? read_or_retrace(out, in, request->mapping, warning, arena, &why)
                 : fl_hserr_read(&out->crash, in, arena, &why);
    fl_stream_close(in);
    return status == FL_OK
               ? FL_OK
               : fl_fail(err, status, why.offset, "%.100s: %.180s", request->path, why.message);
}

/* Reading, then names, then the judgement, which does not depend on the names. */
fl_status fl_crash_run(fl_crash_report *out, const fl_crash_request *request, fl_arena *arena,
                       fl_error *err)
{
    const char *warning = NULL;
    assert(out != NULL && request->path != NULL);
    *out = (fl_crash_report){0};
    const char **warnings = fl_arena_alloc(arena, MAX_WARNINGS, sizeof(*warnings));
    if (warnings == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a crash report");
    out->warnings = warnings;
    fl_status status = read_report(out, request, &warning, arena, err);
    if (status == FL_OK)
        warn(out, warnings, warning);
    if (status != FL_OK || out->retraced.ptr != NULL)
        return status;
    for (size_t i = 0; i < request->binary_count && status == FL_OK; i++)
        status = name_frames(&out->crash, request->binaries[i], NULL, arena, err);
    if (status == FL_OK && request->symbols_folder != NULL)
        status = name_by_folder(&out->crash, request->symbols_folder, arena, err);
    if (status == FL_OK)
        status = judge(out, arena, err);
    if (!out->crash.is_whole)
        warn(out, warnings, "the report ends in the middle: what is missing is not known");
    if (out->crash.left_out > 0)
        warn(out, warnings, "some frames or lines are beyond what is kept");
    return status;
}
