/*
 * kept_text.c - figures as people read them. A document may hold any numbers: a step may keep more
 * than the heap, or have kept more before.
 */
#include "kept_text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "amount.h"
#include "page.h"

enum { SHOWN_BYTES = 200 }; /* of one name */

/* Bytes of a name that are shown: all, or up to the beginning of a character. */
static int shown(const char *name)
{
    size_t len = strlen(name), end = len < SHOWN_BYTES ? len : SHOWN_BYTES;
    while (end < len && end > 0 && ((unsigned char)name[end] & 0xC0) == 0x80)
        end--;
    return (int)end;
}

/* As `faultline heap --view paths` writes a row, so that both can be read side by side: a field
 * stands before its class, behind a dot. */
const char *fl_kept_name(char out[FL_KEPT_NAME_TEXT], const fl_kept_step *step)
{
    const char *type = step->type != NULL ? step->type : "";
    assert(step->kind < FL_KEPT_KIND_COUNT);
    const char *more = strlen(type) > SHOWN_BYTES ? "..." : "";
    if (step->kind == FL_KEPT_HEAP)
        (void)snprintf(out, FL_KEPT_NAME_TEXT, "the heap");
    else if (step->kind == FL_KEPT_CLASS)
        (void)snprintf(out, FL_KEPT_NAME_TEXT, "class %.*s%s", shown(type), type, more);
    else if (step->field != NULL)
        (void)snprintf(out, FL_KEPT_NAME_TEXT, ".%.*s %.*s%s", shown(step->field), step->field,
                       shown(type), type, more);
    else
        (void)snprintf(out, FL_KEPT_NAME_TEXT, "%.*s%s", shown(type), type, more);
    return out;
}

/* Told where they would stand: a reader who counts steps is not to miss any. */
const char *fl_kept_gap(char out[FL_KEPT_GAP_TEXT], uint64_t left_out)
{
    if (left_out == 0)
        out[0] = '\0';
    else
        (void)snprintf(out, FL_KEPT_GAP_TEXT, "(%" PRIu64 " step%s) ", left_out,
                       left_out > 1 ? "s" : "");
    return out;
}

/* Bars are drawn by it: nothing beyond the whole, and nothing of a heap that keeps nothing. */
double fl_kept_share(const fl_kept_step *path, uint64_t bytes)
{
    assert(path != NULL);
    double whole = (double)path[0].retained_bytes;
    return whole <= 0 ? 0 : (double)bytes < whole ? (double)bytes / whole : 1;
}

/* The heap has no share of itself, and one object is not counted: what is left out is what says
 * nothing. */
const char *fl_kept_figures(char out[FL_KEPT_FIGURES_TEXT], const fl_kept_step *path, size_t i)
{
    char bytes[FL_AMOUNT_TEXT], before[FL_AMOUNT_TEXT], count[FL_COUNT_TEXT];
    char percent[FL_PERCENT_TEXT], share[FL_PERCENT_TEXT + 2] = "", was[FL_AMOUNT_TEXT + 16] = "";
    char many[FL_COUNT_TEXT + 16] = "";
    const fl_kept_step *step = &path[i];
    if (i > 0)
        (void)snprintf(share, sizeof(share), ", %s",
                       fl_page_percent(percent, fl_kept_share(path, step->retained_bytes)));
    if (step->has_before)
        (void)snprintf(was, sizeof(was), ", %s before",
                       fl_amount(before, (double)step->before_bytes, "By"));
    if (step->objects > 1)
        (void)snprintf(many, sizeof(many), "; %s objects", fl_page_count(count, step->objects));
    (void)snprintf(out, FL_KEPT_FIGURES_TEXT, "%s%s%s%s",
                   fl_amount(bytes, (double)step->retained_bytes, "By"), share, was, many);
    return out;
}
