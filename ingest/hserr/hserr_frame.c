/*
 * hserr_frame.c - one frame of a crash report.
 *
 *   V  [libjvm.so+0xed2f94]  Unsafe_PutLong+0x124         library, offset, symbol; also C and v
 *   C  [libfoo.so+0x1139]                                  without a symbol
 *   C  0x00007f3c2c0f1b2a                                  in no library
 *   v  ~StubRoutines::call_stub
 *   j  GcLab.crash()V+28                                   method and signature, then the bytecode
 *   j  sun.misc.Unsafe.putAddress(JJ)V+5 jdk.unsupported@17.0.15
 *   J 123 c2 java.util.HashMap.hash(Ljava/lang/Object;)I java.base@17.0.15 (20 bytes) @ 0x... [...]
 *   J 52% ! C1 a.b.C.d()V (12 bytes) @ ...                 Java 8; % and ! are marks of the
 * compiler
 *
 * A frame that is none of these keeps its text alone: it is shown as it stands.
 */
#include <assert.h>
#include <string.h>

#include "hserr_priv.h"

bool fl_hserr_take(fl_slice *in, fl_slice text)
{
    if (!fl_slice_starts_with(*in, text))
        return false;
    *in = fl_slice_part(*in, text.len, in->len);
    return true;
}

/* Its value, or -1. */
static int hex_digit(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool fl_hserr_take_hex(fl_slice *in, uint64_t *out)
{
    fl_slice rest = *in;
    size_t digits = 0;
    *out = 0;
    if (!fl_hserr_take(&rest, FL_SLICE("0x")))
        return false;
    for (; digits < rest.len && hex_digit(rest.ptr[digits]) >= 0; digits++) {
        if (digits == 16) /* more than 64 bits */
            return false;
        *out = *out << 4 | (uint64_t)hex_digit(rest.ptr[digits]);
    }
    if (digits == 0)
        return false;
    *in = fl_slice_part(rest, digits, rest.len);
    return true;
}

/* Columns are padded with spaces. */
static fl_slice trim_left(fl_slice text)
{
    size_t at = 0;
    while (at < text.len && text.ptr[at] == ' ')
        at++;
    return fl_slice_part(text, at, text.len);
}

/* Texts that the arena had no room for end the reading. */
static const char *keep(fl_slice text, fl_arena *arena, bool *failed)
{
    const char *kept = fl_arena_cstr(arena, text);
    *failed |= kept == NULL;
    return kept;
}

/* "name+0x124", of a name that may hold "+" itself (operator+): the last one counts. */
static fl_slice without_offset(fl_slice symbol)
{
    for (size_t at = symbol.len; at > 0; at--) {
        fl_slice tail = fl_slice_part(symbol, at, symbol.len);
        uint64_t offset;
        if (symbol.ptr[at - 1] == '+')
            return fl_hserr_take_hex(&tail, &offset) && at > 1 ? fl_slice_part(symbol, 0, at - 1)
                                                               : symbol;
    }
    return symbol;
}

/* "[library+0xoffset]  symbol+0x1  (file.cpp:12)"; the place is only in builds for debugging. */
static void take_native(fl_crash_frame *out, fl_slice in, fl_arena *arena, bool *failed)
{
    fl_slice inside = in;
    size_t plus = 0, end = fl_slice_find(in, FL_SLICE("]"));
    if (!fl_hserr_take(&inside, FL_SLICE("[")) || end == in.len)
        return;
    inside = fl_slice_part(in, 1, end);
    for (size_t i = 0; i < inside.len; i++)
        plus = inside.ptr[i] == '+' ? i : plus;
    fl_slice offset = fl_slice_part(inside, plus + (plus > 0), inside.len);
    if (plus == 0 || !fl_hserr_take_hex(&offset, &out->offset) || offset.len > 0) {
        out->offset = 0;
        return;
    }
    out->library = keep(fl_slice_part(inside, 0, plus), arena, failed);
    fl_slice symbol = trim_left(fl_slice_part(in, end + 1, in.len));
    size_t place = fl_slice_find(symbol, FL_SLICE("  ("));
    symbol = without_offset(fl_slice_trim(fl_slice_part(symbol, 0, place)));
    if (symbol.len > 0)
        out->symbol = keep(symbol, arena, failed);
}

/* The word with a signature in it: what stands before is the compiler's, behind it the module. */
static void take_method(fl_crash_frame *out, fl_slice in, fl_arena *arena, bool *failed)
{
    fl_slice rest = in;
    while (rest.len > 0) {
        size_t end = fl_slice_find(rest, FL_SLICE(" "));
        fl_slice word = fl_slice_part(rest, 0, end);
        size_t open = fl_slice_find(word, FL_SLICE("("));
        size_t close = fl_slice_find(word, FL_SLICE(")"));
        if (open > 0 && open < close && close + 1 < word.len) {
            size_t plus =
                close + fl_slice_find(fl_slice_part(word, close, word.len), FL_SLICE("+"));
            out->method = keep(fl_slice_part(word, 0, plus), arena, failed);
            return;
        }
        rest = trim_left(fl_slice_part(rest, end, rest.len));
    }
}

bool fl_hserr_frame(fl_crash_frame *out, fl_slice line, fl_arena *arena, bool *failed)
{
    assert(out != NULL && failed != NULL);
    *out = (fl_crash_frame){0};
    if (line.len < 3 || line.ptr[1] != ' ' || memchr("JjVvCA", line.ptr[0], 6) == NULL)
        return false;
    fl_slice in = fl_slice_trim(fl_slice_part(line, 2, line.len));
    out->kind = (char)line.ptr[0];
    out->text = keep(in, arena, failed);
    if (out->kind == 'J' || out->kind == 'j' || out->kind == 'A')
        take_method(out, in, arena, failed);
    else
        take_native(out, in, arena, failed);
    return !*failed;
}
