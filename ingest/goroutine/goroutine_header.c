/*
 * goroutine_header.c - the line that begins a goroutine.
 *
 *   header  = "goroutine " number { " " name "=" value } " [" state { ", " more } [ labels ] "]:"
 *   more    = number " minutes" | "locked to thread" | "synctest bubble " number
 *   labels  = " labels:{" quoted ": " quoted { ", " quoted ": " quoted } "}"      (since Go 1.26)
 *
 * A state may end with " (leaked)" (the collector found that nothing can wake it) and " (scan)"
 * (it is being scanned), which are no part of the state itself; " (durable)" and "(nil chan)" are.
 * What stands between number and bracket is written by a crash with GOTRACEBACK=system.
 */
#include <assert.h>
#include <string.h>

#include "goroutine_priv.h"
#include "number.h"
#include "slice.h"

static const fl_slice BEGIN = FL_SLICE_INIT("goroutine "), END = FL_SLICE_INIT("]:"),
                      LABELS = FL_SLICE_INIT(" labels:{");

/* The bytes of `text` from `at` on. */
static fl_slice rest_of(fl_slice text, size_t at)
{
    assert(at <= text.len);
    return (fl_slice){.ptr = text.ptr + at, .len = text.len - at};
}

/* How many decimal digits `text` begins with. */
static size_t digits_of(fl_slice text)
{
    size_t len = 0;
    while (len < text.len && text.ptr[len] >= '0' && text.ptr[len] <= '9')
        len++;
    return len;
}

/* Asked of every line outside of a goroutine: most fail at the first byte. */
bool fl_goheader_begins(fl_slice line)
{
    if (line.len < BEGIN.len + 1 || line.ptr[0] != 'g' || !fl_slice_starts_with(line, BEGIN))
        return false;
    fl_slice rest = rest_of(line, BEGIN.len);
    size_t digits = digits_of(rest);
    return digits > 0 && digits < rest.len && rest.ptr[digits] == ' ' &&
           memchr(rest.ptr + digits, '[', rest.len - digits) != NULL;
}

/* Cut `suffix` off the state. */
static bool cut_off(fl_slice *state, fl_slice suffix)
{
    bool ends = fl_slice_ends_with(*state, suffix);
    if (ends)
        state->len -= suffix.len;
    return ends;
}

/* One of the parts behind a comma; unknown ones of later versions are passed over. */
static bool read_part(fl_goheader *out, fl_slice part)
{
    static const fl_slice minutes = FL_SLICE_INIT(" minutes");
    if (fl_slice_equal(part, FL_SLICE("locked to thread")))
        out->is_locked = true;
    else if (cut_off(&part, minutes))
        return fl_parse_u64(part, &out->minutes) && out->minutes <= UINT32_MAX;
    return true;
}

/* The parts of "state, more, more", labels cut off. */
static bool read_parts(fl_goheader *out, fl_slice text, size_t *at)
{
    size_t labels = fl_slice_find(text, LABELS);
    text.len = labels;
    bool is_first = true;
    for (size_t pos = 0; pos <= text.len;) {
        const unsigned char *comma = memchr(text.ptr + pos, ',', text.len - pos);
        size_t end = comma != NULL ? (size_t)(comma - text.ptr) : text.len;
        fl_slice part = fl_slice_trim((fl_slice){.ptr = text.ptr + pos, .len = end - pos});
        if (is_first)
            out->state = part;
        else if (!read_part(out, part)) {
            *at += pos;
            return false;
        }
        is_first = false;
        pos = end + 1;
    }
    return true;
}

/* *at is where the line went wrong; labels may hold anything, so that they are cut off by name. */
bool fl_goheader_parse(fl_goheader *out, fl_slice line, size_t *at, const char **why)
{
    assert(fl_slice_starts_with(line, BEGIN));
    *out = (fl_goheader){0};
    fl_slice rest = rest_of(line, BEGIN.len);
    size_t digits = digits_of(rest);
    *at = BEGIN.len;
    if (!fl_parse_u64((fl_slice){.ptr = rest.ptr, .len = digits}, &out->id)) {
        *why = "a goroutine's number is not one of 64 bits";
        return false;
    }
    const unsigned char *open = memchr(rest.ptr, '[', rest.len);
    *at = line.len;
    if (open == NULL || !fl_slice_ends_with(line, END)) {
        *why = "a goroutine's header does not end with ]:";
        return false;
    }
    *at = (size_t)(open - line.ptr) + 1;
    if (*at > line.len - END.len) {
        *why = "a goroutine's header has no state";
        return false;
    }
    fl_slice inner = {.ptr = line.ptr + *at, .len = line.len - END.len - *at};
    if (!read_parts(out, inner, at)) {
        *why = "a goroutine's wait is not a number of minutes";
        return false;
    }
    (void)cut_off(&out->state, FL_SLICE(" (scan)"));
    out->is_leaked = cut_off(&out->state, FL_SLICE(" (leaked)"));
    return true;
}
