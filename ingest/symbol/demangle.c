/*
 * demangle.c - whether a name is mangled, and by whom.
 *
 *   _Z...                     Itanium C++ ABI (demangle_parse.c); also Rust's older scheme, which
 * is _ZN...17h<16 digits>E     the same with a hash as its last word and $LT$ for what is no letter
 *   ... .constprop.0          what GCC and clang put behind the name of a part or a copy
 *
 * It is read here, since the demangler of libstdc++ takes forever for some names with a few changed
 * bytes, and its answer has no bound.
 */
#include "demangle.h"

#include <assert.h>
#include <string.h>

#include "demangle_priv.h"

enum { MAX_TEXT_BYTES = 16 << 10, HASH_DIGITS = 16, SCRATCH_BYTES = 8 << 20 };

/* Other schemes (Rust's newer one with _R, Microsoft's with ?) are left as they stand. */
bool fl_demangle_is_mangled(fl_slice name)
{
    return fl_slice_starts_with(name, FL_SLICE("_Z")) && name.len > 2;
}

/* ---- Rust ---- */

/* The path in front of "::h0123456789abcdef", which is the last word of Rust's names. */
static bool is_rust(fl_slice text, fl_slice *path)
{
    static const fl_slice mark = FL_SLICE_INIT("::h");
    if (text.len <= mark.len + HASH_DIGITS)
        return false;
    size_t at = text.len - HASH_DIGITS;
    if (!fl_slice_ends_with(fl_slice_part(text, 0, at), mark))
        return false;
    for (size_t i = at; i < text.len; i++)
        if ((text.ptr[i] < '0' || text.ptr[i] > '9') && (text.ptr[i] < 'a' || text.ptr[i] > 'f'))
            return false;
    *path = fl_slice_part(text, 0, at - mark.len);
    return true;
}

/* What stands for a letter that linkers do not take; steps over it. */
static bool take_escape(fl_slice *in, const char **out)
{
    static const struct {
        fl_slice word;
        const char *text;
    } words[] = {{FL_SLICE_INIT("$LT$"), "<"},  {FL_SLICE_INIT("$GT$"), ">"},
                 {FL_SLICE_INIT("$LP$"), "("},  {FL_SLICE_INIT("$RP$"), ")"},
                 {FL_SLICE_INIT("$RF$"), "&"},  {FL_SLICE_INIT("$BP$"), "*"},
                 {FL_SLICE_INIT("$C$"), ","},   {FL_SLICE_INIT("$SP$"), "@"},
                 {FL_SLICE_INIT("$u20$"), " "}, {FL_SLICE_INIT("$u22$"), "\""},
                 {FL_SLICE_INIT("$u27$"), "'"}, {FL_SLICE_INIT("$u2b$"), "+"},
                 {FL_SLICE_INIT("$u3b$"), ";"}, {FL_SLICE_INIT("$u5b$"), "["},
                 {FL_SLICE_INIT("$u5d$"), "]"}, {FL_SLICE_INIT("$u7b$"), "{"},
                 {FL_SLICE_INIT("$u7d$"), "}"}, {FL_SLICE_INIT("$u7e$"), "~"},
                 {FL_SLICE_INIT(".."), "::"}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (fl_slice_starts_with(*in, words[i].word)) {
            *in = fl_slice_part(*in, words[i].word.len, in->len);
            *out = words[i].text;
            return true;
        }
    return false;
}

/* No escape is shorter than its text, so the room of the path is enough. A word that would begin
 * with an escape has "_" in front. */
static fl_slice plain_rust(fl_slice path, unsigned char *room)
{
    size_t len = 0;
    bool begins = true;
    for (fl_slice rest = path; rest.len > 0;) {
        const char *text;
        if (begins && fl_slice_starts_with(rest, FL_SLICE("_$")))
            rest = fl_slice_part(rest, 1, rest.len);
        begins = false;
        if (take_escape(&rest, &text)) {
            memcpy(room + len, text, strlen(text));
            len += strlen(text);
            continue;
        }
        begins = rest.ptr[0] == ':';
        room[len++] = rest.ptr[0];
        rest = fl_slice_part(rest, 1, rest.len);
    }
    assert(len <= path.len);
    return (fl_slice){.ptr = room, .len = len};
}

/* ---- all ---- */

/* The name without what stands behind it, and that: ".constprop.0", "@plt". */
static fl_slice without_suffix(fl_slice name, fl_slice *suffix)
{
    size_t at = 2;
    while (at < name.len && name.ptr[at] != '.' && name.ptr[at] != '@')
        at++;
    *suffix = fl_slice_part(name, at, name.len);
    return fl_slice_part(name, 0, at);
}

/* Rust puts ".." for "::" in its names, which is then no suffix. */
static fl_slice read_name(fl_slice name, fl_slice *suffix, unsigned char plain[MAX_TEXT_BYTES],
                          fl_arena *scratch)
{
    fl_slice path, text = fl_demangle_parse(fl_slice_part(name, 2, name.len), scratch);
    *suffix = (fl_slice){0};
    if (text.len == 0) {
        fl_slice begin = without_suffix(name, suffix);
        text =
            suffix->len > 0 ? fl_demangle_parse(fl_slice_part(begin, 2, begin.len), scratch) : text;
    }
    assert(text.len <= MAX_TEXT_BYTES);
    return is_rust(text, &path) ? plain_rust(path, plain) : text;
}

bool fl_demangle(fl_slice *out, fl_slice name, fl_arena *arena)
{
    unsigned char plain[MAX_TEXT_BYTES];
    fl_slice suffix;
    const char *made = "";
    assert(out != NULL && arena != NULL);
    *out = name;
    if (!fl_demangle_is_mangled(name) || name.len > FL_DEMANGLE_MAX_BYTES ||
        memchr(name.ptr, '\0', name.len) != NULL) /* no table of symbols has that in a name */
        return true;
    fl_arena scratch = fl_arena_of(SCRATCH_BYTES);
    fl_slice text = read_name(name, &suffix, plain, &scratch);
    if (text.len > 0) {
        made = fl_arena_printf(arena, suffix.len > 0 ? "%.*s [clone %.*s]" : "%.*s%.*s",
                               FL_SLICE_ARG(text), FL_SLICE_ARG(suffix));
        *out = made != NULL ? fl_slice_of(made) : name;
    }
    fl_arena_dispose(&scratch);
    return made != NULL;
}
