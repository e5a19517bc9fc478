/*
 * slice.c - comparing and searching runs of bytes.
 *
 * A slice may be empty with ptr NULL: memcmp and memchr are never handed a NULL, not even for 0
 * bytes, which would be undefined. Order is that of bytes, not of any locale.
 */
#include "slice.h"

int fl_slice_compare(fl_slice a, fl_slice b)
{
    size_t shared = a.len < b.len ? a.len : b.len;
    int order = shared > 0 ? memcmp(a.ptr, b.ptr, shared) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

bool fl_slice_starts_with(fl_slice text, fl_slice prefix)
{
    return text.len >= prefix.len &&
           (prefix.len == 0 || memcmp(text.ptr, prefix.ptr, prefix.len) == 0);
}

bool fl_slice_ends_with(fl_slice text, fl_slice suffix)
{
    return text.len >= suffix.len && (suffix.len == 0 || memcmp(text.ptr + (text.len - suffix.len),
                                                                suffix.ptr, suffix.len) == 0);
}

size_t fl_slice_find(fl_slice text, fl_slice needle)
{
    if (needle.len == 0)
        return 0;
    for (size_t at = 0; text.len - at >= needle.len; at++) {
        size_t starts = text.len - at - needle.len + 1; /* places where it could still begin */
        const unsigned char *hit = memchr(text.ptr + at, needle.ptr[0], starts);
        if (hit == NULL)
            return text.len;
        at = (size_t)(hit - text.ptr);
        if (memcmp(hit, needle.ptr, needle.len) == 0)
            return at;
    }
    return text.len;
}

/* White space of C's "C" locale. */
static bool is_space(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

fl_slice fl_slice_trim(fl_slice text)
{
    while (text.len > 0 && is_space(text.ptr[text.len - 1]))
        text.len--;
    while (text.len > 0 && is_space(text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    return text;
}
