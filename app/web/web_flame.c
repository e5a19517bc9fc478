/*
 * web_flame.c - stacks of a finding's profiles as a flame graph with difference, and as a table.
 *
 * A box is as wide as what its stacks held late, below its caller; red where that is more than it
 * was early, blue where it is less, the more the deeper. Where late nothing is left at all, what
 * was there early is drawn. A frame stands behind its parent, so that places are computed in one
 * walk. Boxes have their place in attributes, too: the script that zooms reads it there.
 *
 * The root is on top, as one reads: who calls is above whom it calls. The picture is as wide as its
 * column and its letters scale with it; what is too small to be read on a telephone, or cannot be
 * seen by who looks, is in the table, with names and numbers in full. Colours are classes: the
 * policy of the pages permits no styles of an element's own, and two themes need two palettes.
 *
 * The document comes out of a store that others can write to: sums of children may exceed their
 * parent's, numbers may be missing. That may look odd and must not do harm.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "amount.h"
#include "page.h"
#include "slice.h"
#include "svg_chart.h"
#include "timestamp.h"
#include "web_priv.h"

enum {
    WIDTH = 1000,
    ROW = 20,
    LABEL_BYTES = 256,
    CLASS_TEXT = 16,
    SHADES = 4 /* of red and of blue; the style has as many */
};
#define LETTER    6.7  /* units of a letter, so that a label stays within its box */
#define MIN_WIDTH 0.5  /* thinner boxes are not seen; the table has them */
#define NO_CHANGE 0.02 /* of the largest change: not coloured */

/* One picture being drawn; arrays are by the number of a frame. */
typedef struct flame {
    const fl_picture_stacks *stacks;
    double left[FL_PICTURE_FRAMES], taken[FL_PICTURE_FRAMES]; /* taken: of its width, by children */
    unsigned depth[FL_PICTURE_FRAMES];
    bool by_before;
    double scale, most; /* units of width for one of the value; the largest change below the root */
    unsigned rows;
} flame;

/* What a box is as wide as, in the unit of the samples. */
static double size_of(const flame *f, size_t i)
{
    const fl_picture_frame *frame = &f->stacks->frames[i];
    double size = f->by_before ? frame->before : frame->after;
    return size > 0 ? size : 0; /* also where it is not known */
}

/* 0 where one of the two is not known: it has no colour then. */
static double change_of(const fl_picture_frame *frame)
{
    double change = frame->after - frame->before;
    return isnan(change) ? 0 : change;
}

/* Thin ones would cost as many bytes as wide ones, and there are many. */
static bool is_drawn(const flame *f, size_t i)
{
    return size_of(f, i) * f->scale >= MIN_WIDTH;
}

/* Side by side from their caller's left edge; never beyond its right one, whatever a store says. */
static void place_all(flame *f)
{
    const fl_picture_stacks *stacks = f->stacks;
    f->by_before = !(stacks->frames[0].after > 0);
    f->scale = size_of(f, 0) > 0 ? WIDTH / size_of(f, 0) : 0;
    for (size_t i = 0; i < stacks->frame_count; i++) {
        size_t parent = stacks->frames[i].parent;
        assert(parent < i || i == 0);
        if (i > 0) {
            f->left[i] = f->left[parent] + f->taken[parent];
            f->taken[parent] += size_of(f, i);
            f->depth[i] = f->depth[parent] + 1;
            f->most = fmax(f->most, fabs(change_of(&stacks->frames[i])));
        }
        if (is_drawn(f, i) && f->depth[i] + 1 > f->rows)
            f->rows = f->depth[i] + 1;
    }
}

/* Profiles name their units in words. */
static const char *unit_of(const fl_picture_stacks *stacks)
{
    bool is_bytes = strcmp(stacks->unit, "bytes") == 0;
    return is_bytes ? "By" : strcmp(stacks->unit, "nanoseconds") == 0 ? "ns" : NULL;
}

/* "more3", "less1", "same" */
static const char *shade_of(char out[CLASS_TEXT], const flame *f, size_t i)
{
    double share = f->most > 0 ? change_of(&f->stacks->frames[i]) / f->most : 0;
    share = fmin(1, fmax(-1, share));
    if (fabs(share) < NO_CHANGE)
        return "same";
    (void)snprintf(out, CLASS_TEXT, "%s%d", share > 0 ? "more" : "less",
                   (int)ceil(fabs(share) * SHADES));
    return out;
}

/* Without the folders of its package: "http.(*conn).serve". What stands in brackets may have
 * slashes of its own. */
static const char *short_name(const char *name)
{
    size_t len = strcspn(name, "([<"), from = len;
    while (from > 0 && name[from - 1] != '/')
        from--;
    return name + from;
}

/* As many letters as fit, whole ones. */
static const char *label_of(char out[LABEL_BYTES], const char *name, double width)
{
    size_t len = strlen(name), room = width > 6 ? (size_t)((width - 6) / LETTER) : 0;
    if (room < 3)
        return "";
    if (len <= room && len < LABEL_BYTES)
        return name;
    len = room - 1 < LABEL_BYTES - 4 ? room - 1 : LABEL_BYTES - 4;
    while (len > 0 && ((unsigned char)name[len] & 0xc0) == 0x80)
        len--;
    (void)snprintf(out, LABEL_BYTES, "%.*s\xE2\x80\xA6", (int)len, name);
    return out;
}

/* Its name and numbers are what the pointer and the keys tell. */
static void put_box(fl_buf *out, const flame *f, size_t i)
{
    const fl_picture_frame *frame = &f->stacks->frames[i];
    char shade[CLASS_TEXT], label[LABEL_BYTES];
    char before[FL_AMOUNT_TEXT], after[FL_AMOUNT_TEXT];
    double x = f->left[i] * f->scale, width = size_of(f, i) * f->scale;
    double y = f->depth[i] * (double)ROW;
    fl_buf_printf(out, "<g class=\"frame %s\" data-x=\"%.2f\" data-w=\"%.2f\" data-row=\"%u\" ",
                  shade_of(shade, f, i), x, width, f->depth[i]);
    fl_html(out, "data-name=\"$\"><title>$: $, before $</title>", short_name(frame->name),
            frame->name, fl_amount(after, frame->after, unit_of(f->stacks)),
            fl_amount(before, frame->before, unit_of(f->stacks)));
    fl_buf_printf(out,
                  "<rect x=\"%.2f\" y=\"%.0f\" width=\"%.2f\" height=\"%d\"/>"
                  "<text x=\"%.2f\" y=\"%.0f\">",
                  x, y, width, ROW - 1, x + 3, y + 14);
    fl_html(out, "$</text></g>\n", label_of(label, short_name(frame->name), width));
}

/* Every frame, also those too thin to be drawn. */
static void put_table(fl_buf *out, const fl_picture_stacks *stacks)
{
    char count[FL_COUNT_TEXT], before[FL_AMOUNT_TEXT], after[FL_AMOUNT_TEXT];
    fl_html(out,
            "<details><summary>All $ frames as a table</summary><div class=\"scroll\" "
            "tabindex=\"0\" role=\"region\" aria-label=\"Table of the stacks of $, $\"><table "
            "class=\"flame-table\"><thead><tr><th scope=\"col\">Function</th><th scope=\"col\">"
            "Called by</th><th scope=\"col\">Before</th><th scope=\"col\">After</th></tr></thead>"
            "<tbody>\n",
            fl_page_count(count, stacks->frame_count), stacks->service, stacks->type);
    for (size_t i = 0; i < stacks->frame_count; i++) {
        const fl_picture_frame *frame = &stacks->frames[i];
        fl_html(out, "<tr><td>$</td><td>$</td><td>$</td><td>$</td></tr>\n", frame->name,
                i > 0 ? short_name(stacks->frames[frame->parent].name) : "",
                fl_amount(before, frame->before, unit_of(stacks)),
                fl_amount(after, frame->after, unit_of(stacks)));
    }
    fl_buf_text(out, "</tbody></table></div>");
    if (stacks->frames_left_out > 0)
        fl_html(out, "<p class=\"dim\">$ more carry little of the change.</p>",
                fl_page_count(count, stacks->frames_left_out));
    fl_buf_text(out, "</details>\n");
}

/* What is compared, and how it is drawn. */
static void put_words(fl_buf *out, const flame *f)
{
    const fl_picture_stacks *stacks = f->stacks;
    const fl_picture_frame *root = &stacks->frames[0];
    char before[FL_AMOUNT_TEXT], after[FL_AMOUNT_TEXT];
    fl_html(out, "<p class=\"dim\">$ of $: $ at ", stacks->type, stacks->service,
            fl_amount(after, root->after, unit_of(stacks)));
    web_time(out, stacks->after_ns);
    fl_html(out, ", $ at ", fl_amount(before, root->before, unit_of(stacks)));
    web_time(out, stacks->before_ns);
    fl_html(out,
            ". A box is as wide as what its stacks held $; <span class=\"more\">red</span> is more "
            "than it was, <span class=\"less\">blue</span> is less.</p>\n",
            f->by_before ? "before" : "after");
    web_query(out, stacks->query);
}

/* Words first, then the picture, then the table: in this order they are read aloud. */
static void put_flame(fl_buf *out, const fl_picture_stacks *stacks, size_t number)
{
    flame f = {.stacks = stacks};
    place_all(&f);
    fl_buf_printf(out, "<section class=\"stacks\" aria-labelledby=\"flame-%zu\">", number);
    fl_buf_printf(out, "<h2 id=\"flame-%zu\">", number);
    fl_html(out, "What changed in the profiles of $</h2>\n", stacks->service);
    put_words(out, &f);
    if (f.rows > 1) {
        fl_html(out,
                "<div class=\"tools\" hidden></div>\n<svg class=\"flame\" role=\"img\" "
                "aria-label=\"Flame graph of $, $; the table below has its numbers\" ",
                stacks->service, stacks->type);
        fl_buf_printf(out, "viewBox=\"0 0 %d %u\">\n", WIDTH, f.rows * ROW);
        for (size_t i = 0; i < stacks->frame_count; i++)
            if (is_drawn(&f, i))
                put_box(out, &f, i);
        fl_buf_text(out, "</svg>\n");
    }
    put_table(out, stacks);
    fl_buf_text(out, "</section>\n");
}

/* Nothing where no finding rests on two profiles. */
void web_put_flames(fl_buf *out, const web_case *of)
{
    for (size_t i = 0; of->picture != NULL && i < of->picture->stack_count; i++)
        if (of->picture->stacks[i].frame_count > 0)
            put_flame(out, &of->picture->stacks[i], i);
}
