/*
 * pprof.c - tells what a file is, and says so where it is no profile.
 *
 * Order of the questions: a text form by its first line; goroutines one by one, which ingest/
 * goroutine reads; then what people hand over by mistake, by its magic number or first words; what
 * is left is profile.proto, if it begins with one of its tags.
 */
#include "pprof.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "goroutine_read.h"
#include "pprof_priv.h"

fl_status fl_pprof_fail(const fl_pprof_reading *r, fl_status status, uint64_t offset,
                        const char *format, ...)
{
    char sentence[sizeof(((fl_error *)0)->message)];
    va_list args;
    assert(status != FL_OK);
    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    return fl_fail(r->err, status, offset, "%s", sentence);
}

/* --- what it is instead --- */

/* `prefix` is lower case. */
static bool starts_with_word(fl_slice text, const char *prefix)
{
    for (size_t i = 0; prefix[i] != '\0'; i++) {
        if (i == text.len)
            return false;
        unsigned char c = text.ptr[i];
        if (c >= 'A' && c <= 'Z')
            c = (unsigned char)(c - 'A' + 'a');
        if (c != (unsigned char)prefix[i])
            return false;
    }
    return true;
}

/* A word shorter than `min_len` may be chance. */
static const char *known_mistake(fl_slice text, size_t min_len)
{
    static const struct {
        const char *start, *what;
    } mistakes[] = {
        {"<!doctype html", "a web page (text/html)"},
        {"<html", "a web page (text/html)"},
        {"<head", "a web page (text/html)"},
        {"<?xml", "an XML document"},
        {"<", "a web page or an XML document"},
        {"{", "a JSON document"},
        {"[", "a JSON document"},
        {"http/1.", "an HTTP response with its headers"},
        {"java profile 1.", "a Java heap dump"},
        {"\x7f"
         "elf",
         "a program"},
        {"mz", "a program"},
        {"pk\x03\x04", "a zip archive"},
    };
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++)
        if (strlen(mistakes[i].start) >= min_len && starts_with_word(text, mistakes[i].start))
            return mistakes[i].what;
    if (fl_slice_starts_with(text, (fl_slice){(const unsigned char *)"FLR\0", 4}))
        return "a Java Flight Recorder file";
    bool is_trace = starts_with_word(text, "go 1.") && text.len >= 16 &&
                    fl_slice_find((fl_slice){text.ptr, 16}, FL_SLICE(" trace")) < 16;
    return is_trace ? "a Go execution trace" : NULL;
}

/* How much of a text is shown: an answer such as "404 page not found" fits. */
enum { SHOWN_BYTES = 40 };

/* The printable characters that the input begins with, as far as the end of its first line. */
static fl_slice first_words(fl_slice text)
{
    size_t len = 0;
    while (len < text.len && len < SHOWN_BYTES && text.ptr[len] >= ' ' && text.ptr[len] < 0x7f)
        len++;
    return (fl_slice){text.ptr, len};
}

/* No tag of a profile's fields 1 to 15 of another wire type than 0 or 2 is ever written. */
static bool starts_like_proto(fl_slice input)
{
    unsigned tag = input.ptr[0], type = tag & 7, field = tag >> 3;
    return tag < 0x80 && field >= 1 && field <= 15 && (type == 0 || type == 2);
}

/* Says what it is where that is known; an answer in words is shown. */
static fl_status refuse(const fl_pprof_reading *r, fl_slice text, const char *what)
{
    if (what != NULL)
        return fl_pprof_fail(r, FL_E_UNSUPPORTED, 0, "this is %s, not a profile", what);
    fl_slice words = first_words(text);
    if (words.len >= SHOWN_BYTES / 4)
        return fl_pprof_fail(r, FL_E_UNSUPPORTED, 0, "this is text (\"%.*s\"), not a profile",
                             FL_SLICE_ARG(words));
    return fl_pprof_fail(r, FL_E_UNSUPPORTED, 0, "this is not a profile");
}

/* --- goroutines one by one --- */

enum { HEAD_BYTES = 4096 };

/* Words of a person or a program: no protobuf of any size is free of control characters. */
static bool is_words(fl_slice head)
{
    for (size_t i = 0; i < head.len; i++)
        if (head.ptr[i] < ' ' && head.ptr[i] != '\n' && head.ptr[i] != '\r' && head.ptr[i] != '\t')
            return false;
    return head.len > 0;
}

/* Whether goroutines are to be looked for. */
static bool may_be_goroutines(const fl_pprof_reading *r)
{
    fl_slice head = {r->input.ptr, r->input.len < HEAD_BYTES ? r->input.len : HEAD_BYTES};
    return is_words(head) && (r->options.in_logs || fl_goroutines_sniff(head));
}

/* The counts of equal stacks. FL_E_UNSUPPORTED: there are none in it. */
static fl_status read_goroutines(fl_pprof_reading *r)
{
    fl_stream *in = NULL;
    fl_goroutines *goroutines = NULL;
    uint64_t input_bytes = r->profile->input_bytes;
    fl_status status = fl_stream_over(&in, r->input, "goroutines", r->err);
    if (status == FL_OK)
        status = fl_goroutines_read(&goroutines, in, r->err);
    if (status == FL_OK && goroutines->total == 0)
        status = FL_E_UNSUPPORTED;
    if (status == FL_OK)
        status = fl_goroutines_to_profile(r->profile, goroutines, r->err);
    if (status == FL_OK)
        r->profile->input_bytes = input_bytes;
    fl_stream_close(in);
    fl_goroutines_destroy(goroutines);
    return status;
}

/* A profile begins with a message, mostly: 0A and a small length. A text may begin with a newline
 * and white space too, so behind one only a long word tells. */
static fl_status read_form(fl_pprof_reading *r)
{
    fl_slice text = fl_slice_trim(r->input);
    if (r->input.len == 0)
        return fl_pprof_fail(r, FL_E_UNSUPPORTED, 0, "this is an empty file, not a profile");
    if (fl_pprof_is_text(text))
        return fl_pprof_read_text(r);
    if (may_be_goroutines(r)) {
        fl_status status = read_goroutines(r);
        if (status != FL_E_UNSUPPORTED)
            return status;
        *r->err = (fl_error){0};
    }
    bool is_proto = starts_like_proto(r->input) && first_words(text).len < SHOWN_BYTES;
    const char *mistake = known_mistake(text, r->input.ptr[0] == '\n' ? 5 : 0);
    if (mistake != NULL)
        return refuse(r, text, mistake);
    return is_proto ? fl_pprof_read_proto(r) : refuse(r, text, NULL);
}

/* --- the entries --- */

fl_status fl_profile_read(fl_profile *profile, fl_stream *in, const char *name,
                          const fl_pprof_options *options, fl_error *err)
{
    assert(profile != NULL && in != NULL && name != NULL);
    fl_error first = {0};
    fl_pprof_reading r = {.profile = profile, .err = &first};
    if (options != NULL)
        r.options = *options;
    fl_profile_begin(profile);
    fl_status status = fl_profile_load(&r.input, profile, in, err);
    if (status != FL_OK) {
        fl_profile_begin(profile);
        return status;
    }
    status = read_form(&r);
    if (status == FL_OK)
        return FL_OK;
    fl_profile_begin(profile);
    return fl_fail(err, status, first.offset, "%s: %s", name, first.message);
}

fl_status fl_profile_read_file(fl_profile *profile, const char *path,
                               const fl_pprof_options *options, fl_error *err)
{
    assert(path != NULL);
    fl_stream *in = NULL;
    fl_profile_begin(profile);
    fl_status status = fl_stream_open_or_stdin(&in, path, err);
    if (status == FL_OK)
        status = fl_profile_read(profile, in, strcmp(path, "-") == 0 ? "standard input" : path,
                                 options, err);
    fl_stream_close(in);
    return status;
}

fl_status fl_profile_read_bytes(fl_profile *profile, fl_slice bytes, const char *name,
                                const fl_pprof_options *options, fl_error *err)
{
    assert(name != NULL);
    fl_stream *in = NULL;
    fl_profile_begin(profile);
    fl_status status = fl_stream_over(&in, bytes, name, err);
    if (status == FL_OK)
        status = fl_profile_read(profile, in, name, options, err);
    fl_stream_close(in);
    return status;
}
