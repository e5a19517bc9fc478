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

#include "crash_mapping.h"
#include "crash_symbols.h"
#include "hserr.h"
#include "mem.h"
#include "slice.h"

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
        out->is_place = false;
        out->verdict = "not known where";
        out->meaning = "the report names no frame; the machine's log may say more";
    }
}

/* ---- memory ---- */

/* The category that has most; NULL where nothing was counted. */
static const fl_crash_category *largest(const fl_crash *crash)
{
    const fl_crash_category *most = NULL;
    for (size_t i = 0; i < crash->category_count; i++)
        if (most == NULL || crash->categories[i].committed_bytes > most->committed_bytes)
            most = &crash->categories[i];
    return most != NULL && most->committed_bytes > 0 ? most : NULL;
}

/* What makes a category smaller; names are those of Java 8 to 25. */
static const char *remedy_of(const char *category)
{
    static const struct {
        const char *name, *remedy;
    } remedies[] = {
        {"Java Heap", "a smaller -Xmx leaves room for the rest"},
        {"Thread", "fewer threads, or smaller stacks (-Xss)"},
        {"Class", "class loaders that are never freed (faultline heap shows them)"},
        {"Metaspace", "class loaders that are never freed (faultline heap shows them)"},
        {"Code", "a smaller -XX:ReservedCodeCacheSize"},
        {"GC", "a smaller heap, or a collector with less beside it"},
        {"Other", "direct buffers and Unsafe: -XX:MaxDirectMemorySize"},
        {"Internal", "in Java 8 direct buffers: -XX:MaxDirectMemorySize"},
        {"Compiler", "a method that the compiler cannot end: -XX:CompileCommand=exclude"},
    };
    for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++)
        if (strcmp(category, remedies[i].name) == 0)
            return remedies[i].remedy;
    return "see what that is in the manual of your Java";
}

/* The machine's memory. Where the virtual machine counted its own, what has most of it. */
static const char *meaning_of_native(const fl_crash *crash, fl_arena *arena)
{
    const fl_crash_category *most = largest(crash);
    if (most == NULL)
        return "not the Java heap but the machine or the container is full: fewer or smaller heaps"
               " on it (-Xmx), fewer threads, or a higher limit;"
               " -XX:NativeMemoryTracking=summary would have told what the memory went to";
    const char *whole = crash->committed_bytes == 0
                            ? "what"
                            : fl_arena_printf(arena, "the %llu MiB that",
                                              (unsigned long long)(crash->committed_bytes >> 20));
    if (whole == NULL)
        return NULL;
    return fl_arena_printf(
        arena,
        "the machine, the container or a limit of the process is full, which no OutOfMemoryError"
        " tells; of %s the virtual machine counts as its own, %s has most (%llu MiB): %s",
        whole, most->name, (unsigned long long)(most->committed_bytes >> 20),
        remedy_of(most->name));
}

/* "fatal error: OutOfMemory encountered: Java heap space" says which memory it was. */
static void judge_java_memory(fl_crash_report *out)
{
    const char *detail = out->crash.detail;
    bool is_heap =
        strstr(detail, "Java heap space") != NULL || strstr(detail, "GC overhead") != NULL;
    bool is_classes = strstr(detail, "Metaspace") != NULL || strstr(detail, "class space") != NULL;
    out->is_place = false;
    out->verdict = is_heap      ? "the Java heap was full"
                   : is_classes ? "the memory for classes was full"
                                : "a Java program ran out of a memory";
    out->meaning =
        is_heap ? "an OutOfMemoryError, at which -XX:+CrashOnOutOfMemoryError ends the program; who"
                  " asked last need not be who filled the heap: ask faultline heap about a dump"
                  " (-XX:+HeapDumpOnOutOfMemoryError)"
        : is_classes
            ? "an OutOfMemoryError, at which -XX:+CrashOnOutOfMemoryError ends the program: class"
              " loaders that are never freed, or a -XX:MaxMetaspaceSize too small for the program;"
              " faultline heap shows class loaders in a dump"
            : "an OutOfMemoryError, at which -XX:+CrashOnOutOfMemoryError ends the program; the"
              " detail says of which memory";
}

/* A signal that somebody sent says nothing of the code that it interrupted. */
static void judge_sent(fl_crash_report *out, fl_arena *arena)
{
    const fl_crash *crash = &out->crash;
    bool is_own = crash->sender_pid != 0 && crash->sender_pid == crash->pid;
    const char *sender =
        crash->sender_pid != 0
            ? fl_arena_printf(arena, "process %llu", (unsigned long long)crash->sender_pid)
            : "a process that is not of its container";
    if (sender == NULL)
        return;
    out->is_place = false;
    out->verdict = is_own ? "the program sent itself a signal" : "another process sent a signal";
    out->meaning =
        is_own ? "native code called kill() or raise(), as abort() and failed assertions do: the"
                 " stack shows who"
               : fl_arena_printf(arena,
                                 "no code crashed: %s sent it (kill); the frame is only"
                                 " what was interrupted. Look for a supervisor, a watchdog or a"
                                 " script",
                                 sender);
}

/* One sentence for whoever reads nothing else. */
static fl_status judge(fl_crash_report *out, fl_arena *arena, fl_error *err)
{
    const fl_crash *crash = &out->crash;
    if (crash->cause == FL_CRASH_OUT_OF_MEMORY) {
        out->verdict = "the machine had no memory for the virtual machine";
        out->meaning = meaning_of_native(crash, arena);
    } else if (crash->cause == FL_CRASH_JAVA_MEMORY)
        judge_java_memory(out);
    else if (crash->cause == FL_CRASH_INTERNAL) {
        out->verdict = "the virtual machine found itself in a state that cannot be";
        out->meaning = "an error of the virtual machine, or memory that native code destroyed:"
                       " update Java, then -Xcheck:jni";
    } else if (crash->is_sent)
        judge_sent(out, arena);
    else {
        out->is_place = true;
        judge_frame(out, arena);
    }
    out->called_by = first_own(crash);
    return out->verdict != NULL && out->meaning != NULL
               ? FL_OK
               : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a crash report");
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
        fl_error why = {0};
        status = fl_hserr_read(&out->crash, again, arena, &why);
        fl_stream_close(again);
        if (status != FL_OK && status != FL_E_UNSUPPORTED)
            status = fl_fail(err, status, why.offset, "%s", why.message);
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
    const char *warning = NULL, *refused = NULL;
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
    const fl_crash_files files = {.binaries = request->binaries,
                                  .binary_count = request->binary_count,
                                  .folder = request->symbols_folder,
                                  .system = "/usr/lib/debug"};
    status = fl_crash_name_native(&out->crash, &files, &refused, arena, err);
    if (status == FL_OK && refused != NULL)
        warn(out, warnings,
             fl_arena_printf(arena,
                             "%s is not the debug file of its library: its CRC32 is another; take"
                             " the one of the same build",
                             refused));
    if (status == FL_OK)
        status = judge(out, arena, err);
    if (!out->crash.is_whole)
        warn(out, warnings, "the report ends in the middle: what is missing is not known");
    if (out->crash.left_out > 0)
        warn(out, warnings, "some frames or lines are beyond what is kept");
    return status;
}
