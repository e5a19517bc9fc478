/*
 * crash_mapping.c - asks a mapping file for the classes that stand in a report, then for each
 * frame.
 *
 * The frames of a crash report have the descriptor of their method and no line: what is open
 * between methods of one short name is told as "a() or b()".
 */
#include "crash_mapping.h"

#include <assert.h>
#include <string.h>

#include "slice.h"

/* "a.b.c(I)V" to class, method and descriptor. */
static bool split_method(fl_mapping_query *out, const char *text)
{
    fl_slice whole = fl_slice_of(text);
    size_t open = fl_slice_find(whole, FL_SLICE("(")), dot = open;
    for (size_t i = 0; i < open; i++)
        dot = whole.ptr[i] == '.' ? i : dot;
    if (open == whole.len || dot == open)
        return false;
    *out = (fl_mapping_query){.class_name = fl_slice_part(whole, 0, dot),
                              .method = fl_slice_part(whole, dot + 1, open),
                              .descriptor = fl_slice_part(whole, open, whole.len)};
    return true;
}

/* Classes of methods and of their arguments. */
static fl_status want_frames(fl_mapping *mapping, const fl_crash_frame *frames, size_t count,
                             fl_error *err)
{
    fl_mapping_query query;
    fl_status status = FL_OK;
    for (size_t i = 0; i < count && status == FL_OK; i++)
        if (frames[i].method != NULL && split_method(&query, frames[i].method))
            status = fl_mapping_want(mapping, query.class_name, query.descriptor, err);
    return status;
}

/* "org.example.Basket.add(int) or org.example.Basket.put(int)". */
static bool name_frame(fl_crash_frame *frame, const fl_mapping *mapping, fl_arena *arena)
{
    enum { MAX_TEXT_BYTES = 4096 };
    fl_mapping_frame found[FL_MAPPING_MAX_FRAMES];
    fl_mapping_query query;
    if (frame->method == NULL || !split_method(&query, frame->method))
        return true;
    size_t count = fl_mapping_find(mapping, &query, found);
    if (count == 0)
        return true;
    fl_buf text = fl_buf_of(MAX_TEXT_BYTES);
    for (size_t i = 0; i < count; i++)
        fl_buf_printf(&text, "%s%.*s.%.*s(%.*s)", i > 0 ? " or " : "",
                      FL_SLICE_ARG(found[i].class_name), FL_SLICE_ARG(found[i].method),
                      FL_SLICE_ARG(found[i].arguments));
    /* Beyond what a text holds, its beginning. */
    frame->plain = fl_arena_cstr(arena, fl_buf_slice(&text));
    bool is_kept = frame->plain != NULL && text.status != FL_E_NOMEM;
    fl_buf_dispose(&text);
    return is_kept;
}

/* A copy of the frames, with names. */
static fl_status name_frames(const fl_crash_frame **frames, size_t count, const fl_mapping *mapping,
                             fl_arena *arena, fl_error *err)
{
    fl_crash_frame *named = fl_arena_alloc(arena, count + 1, sizeof(*named));
    bool is_kept = named != NULL;
    for (size_t i = 0; i < count && is_kept; i++) {
        named[i] = (*frames)[i];
        is_kept = name_frame(&named[i], mapping, arena);
    }
    if (!is_kept)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for frames");
    *frames = named;
    return FL_OK;
}

/* The file's name stands in front of what is wrong with it. */
static fl_status read_mapping(fl_mapping *mapping, const char *path, const char **warning,
                              fl_arena *arena, fl_error *err)
{
    fl_stream *in = NULL;
    fl_error why = {0};
    uint64_t first;
    *warning = NULL;
    fl_status status = fl_stream_open(&in, path, err);
    if (status != FL_OK)
        return status;
    status = fl_mapping_read(mapping, in, &why);
    fl_stream_close(in);
    if (status != FL_OK)
        return fl_fail(err, status, why.offset, "%.100s: %.80s", path, why.message);
    uint64_t bad = fl_mapping_bad_lines(mapping, &first);
    if (bad == 0)
        return FL_OK;
    *warning = fl_arena_printf(
        arena, "%llu line%s of the mapping %s not understood, the first is line %llu",
        (unsigned long long)bad, bad == 1 ? "" : "s", bad == 1 ? "was" : "were",
        (unsigned long long)first);
    return *warning != NULL ? FL_OK
                            : fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a mapping");
}

/* The frames stay what they were where the file fails. */
fl_status fl_crash_name_java(fl_crash *crash, const char *path, const char **warning,
                             fl_arena *arena, fl_error *err)
{
    fl_mapping *mapping = NULL;
    assert(crash != NULL && path != NULL && warning != NULL);
    fl_status status = fl_mapping_create(&mapping, err);
    if (status == FL_OK)
        status = want_frames(mapping, &crash->frame, 1, err);
    if (status == FL_OK)
        status = want_frames(mapping, crash->native_frames, crash->native_count, err);
    if (status == FL_OK)
        status = want_frames(mapping, crash->java_frames, crash->java_count, err);
    if (status == FL_OK)
        status = read_mapping(mapping, path, warning, arena, err);
    if (status == FL_OK && !name_frame(&crash->frame, mapping, arena))
        status = fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for frames");
    if (status == FL_OK)
        status = name_frames(&crash->native_frames, crash->native_count, mapping, arena, err);
    if (status == FL_OK)
        status = name_frames(&crash->java_frames, crash->java_count, mapping, arena, err);
    fl_mapping_destroy(mapping);
    return status;
}

/* ---- texts ---- */

/* The next line of a text, without its end. */
static bool next_line(fl_slice *rest, fl_slice *line, bool *has_end)
{
    if (rest->len == 0)
        return false;
    size_t end = fl_slice_find(*rest, FL_SLICE("\n"));
    *has_end = end < rest->len;
    *line = fl_slice_part(*rest, 0, end);
    *rest = fl_slice_part(*rest, end + (size_t)*has_end, rest->len);
    return true;
}

/* A text without a single frame is not what the caller meant. */
static fl_status want_text(fl_mapping *mapping, fl_slice text, fl_error *err)
{
    fl_slice line;
    bool has_end, has_frame = false;
    fl_status status = FL_OK;
    while (status == FL_OK && next_line(&text, &line, &has_end)) {
        has_frame |= fl_mapping_is_frame(line);
        status = fl_mapping_want_line(mapping, line, err);
    }
    if (status == FL_OK && !has_frame)
        return fl_fail(err, FL_E_UNSUPPORTED, FL_NO_OFFSET,
                       "neither a crash report of a Java virtual machine nor a stack trace");
    return status;
}

/* Twice over the text: which classes it names, then with their names. */
fl_status fl_crash_name_text(fl_buf *out, fl_slice text, const char *path, const char **warning,
                             fl_arena *arena, fl_error *err)
{
    fl_mapping *mapping = NULL;
    fl_slice rest = text, line;
    bool has_end;
    assert(out != NULL && path != NULL && warning != NULL);
    fl_status status = fl_mapping_create(&mapping, err);
    if (status == FL_OK)
        status = want_text(mapping, text, err);
    if (status == FL_OK)
        status = read_mapping(mapping, path, warning, arena, err);
    while (status == FL_OK && next_line(&rest, &line, &has_end)) {
        fl_mapping_write_line(out, mapping, line);
        if (has_end)
            fl_buf_char(out, '\n');
    }
    fl_mapping_destroy(mapping);
    return status != FL_OK ? status : fl_buf_check(out, "the text", err);
}
