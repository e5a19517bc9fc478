/*
 * profile_flame.c - stacks as a flame graph, as folded lines, as nested JSON.
 *
 * The picture: a box for each node of the tree, as wide as its share, above its caller, in the
 * order of names. A node stands behind its parent in the table, so places are computed in one loop
 * and nothing recurses. Boxes thinner than MIN_WIDTH are left out; no eye finds them and a browser
 * would draw them all the same.
 *
 * Colours: one hue for each function, out of a hash of its name, warm as in the graphs that people
 * know (Gregg, "The Flame Graph", ACM Queue 14(2), 2016). Against a base: red where more than
 * there, blue where less, the more the deeper.
 */
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "hash.h"
#include "mem.h"
#include "profile_measure.h"
#include "profile_text.h"
#include "profile_view.h"
#include "slice.h"
#include "utf8.h"

enum {
    WIDTH = 1200,
    SIDE = 10,
    ROW = 17,
    TOP = 44,
    BOTTOM = 12,
    FONT = 12,
    MAX_ROWS = 20000 /* taller pictures are not drawn by browsers (about 2^19 pixels) */
};
#define MIN_WIDTH  0.2
#define CHAR_WIDTH 7.2 /* of a monospaced font of 12 pixels */

/* One picture being drawn. */
typedef struct flame {
    fl_buf *out;
    const fl_call_tree *tree;
    double *left; /* of each node, in units of value; NaN: not drawn */
    double scale; /* pixels a unit */
    bool has_base;
    bool by_base; /* nothing is left of what the base had: that is drawn */
    double most;  /* the largest change of one node's own share, for colours */
} flame;

/* What a box is as wide as. Values below zero have no width. */
static double size_of(const flame *f, const fl_call_tree_node *node)
{
    int64_t value = f->by_base ? node->base : node->value;
    return value > 0 ? (double)value : 0;
}

/* As doubles: a difference of two sums may not fit. */
static double change_of(const fl_call_tree_node *node)
{
    return (double)node->value - (double)node->base;
}

/* In the unit that suits it: boxes are looked at one by one. */
static const char *quantity(char out[FL_MEASURE_TEXT], const flame *f, int64_t value)
{
    return fl_measure_format(out, value, fl_measure_of(f->tree->unit, value));
}

/* --- places --- */

/* Children side by side from their parent's left edge. */
static void place_children(flame *f, const fl_call_tree_node *parent, double at)
{
    for (uint32_t i = parent->first_child; i != FL_PROFILE_NONE; i = f->tree->nodes[i].next) {
        double size = size_of(f, &f->tree->nodes[i]);
        f->left[i] = size * f->scale >= MIN_WIDTH ? at : NAN;
        at += size;
    }
}

/* Parents before children, by the order of the table. */
static void place_all(flame *f)
{
    const fl_call_tree *tree = f->tree;
    f->by_base = size_of(f, &tree->nodes[0]) == 0 && tree->nodes[0].base > 0;
    double whole = size_of(f, &tree->nodes[0]);
    f->scale = whole > 0 ? (WIDTH - 2.0 * SIDE) / whole : 0;
    f->left[0] = 0;
    for (size_t i = 0; i < tree->node_count; i++) {
        const fl_call_tree_node *node = &tree->nodes[i];
        f->most = fmax(f->most, i > 0 ? fabs(change_of(node)) : 0);
        if (!isnan(f->left[i]))
            place_children(f, node, f->left[i]);
    }
}

/* The rows that hold a box. */
static uint32_t drawn_depth(const flame *f)
{
    uint32_t depth = 0;
    for (size_t i = 0; i < f->tree->node_count; i++)
        if (!isnan(f->left[i]) && f->tree->nodes[i].depth > depth)
            depth = f->tree->nodes[i].depth;
    return depth;
}

/* --- boxes --- */

/* The same function has the same colour in every picture. */
static void put_colour(const flame *f, const fl_call_tree_node *node)
{
    if (f->has_base) {
        double share = f->most > 0 ? change_of(node) / f->most : 0;
        int pale = (int)(235 - 170 * fmin(1, fabs(share)));
        if (share > 0)
            fl_buf_printf(f->out, "rgb(255,%d,%d)", pale, pale);
        else
            fl_buf_printf(f->out, "rgb(%d,%d,255)", share < 0 ? pale : 235, share < 0 ? pale : 235);
        return;
    }
    uint64_t hash = fl_hash_stable(node->name);
    fl_buf_printf(f->out, "hsl(%d,%d%%,%d%%)", 8 + (int)(hash % 44), 72 + (int)(hash >> 16) % 20,
                  60 + (int)(hash >> 24 & 7));
}

/* What the pointer shows. */
static void put_hint(const flame *f, const fl_call_tree_node *node)
{
    const fl_call_tree_node *root = &f->tree->nodes[0];
    char value[FL_MEASURE_TEXT], base[FL_MEASURE_TEXT], percent[FL_PERCENTAGE_TEXT];
    int64_t shown = f->by_base ? node->base : node->value;
    int64_t whole = f->by_base ? root->base : root->value;
    fl_slice share = fl_slice_trim(fl_slice_of(fl_percentage_format(percent, shown, whole)));
    fl_buf_text(f->out, "<title>");
    fl_profile_text_xml(f->out, node->depth > 0 ? node->name : FL_SLICE("all"));
    fl_buf_printf(f->out, "\n%s, %.*s", quantity(value, f, node->value), FL_SLICE_ARG(share));
    if (f->has_base)
        fl_buf_printf(f->out, "; the base has %s", quantity(base, f, node->base));
    fl_buf_text(f->out, "</title>");
}

/* As many characters as fit, whole ones. */
static void put_label(const flame *f, fl_slice name, double x, double y, double width)
{
    size_t room = (size_t)((width - 6) / CHAR_WIDTH);
    if (width < 6 + 3 * CHAR_WIDTH || name.len == 0)
        return;
    fl_slice shown = name;
    if (shown.len > room) {
        shown.len = room - 2;
        while (shown.len > 0 && (name.ptr[shown.len] & 0xc0) == 0x80)
            shown.len--;
    }
    fl_buf_printf(f->out, "<text x=\"%.1f\" y=\"%.0f\">", x + 3, y + 12.5);
    fl_profile_text_xml(f->out, shown);
    fl_buf_printf(f->out, "%s</text>", shown.len < name.len ? ".." : "");
}

/* Rows rise from the bottom, one for each level. */
static void put_box(const flame *f, size_t index, double bottom)
{
    assert(!isnan(f->left[index]));
    const fl_call_tree_node *node = &f->tree->nodes[index];
    double x = SIDE + f->left[index] * f->scale, width = size_of(f, node) * f->scale;
    double y = bottom - ROW * ((double)node->depth + 1);
    fl_buf_text(f->out, "<g>");
    put_hint(f, node);
    fl_buf_printf(f->out, "<rect x=\"%.1f\" y=\"%.0f\" width=\"%.1f\" height=\"%d\" fill=\"", x, y,
                  width, ROW - 1);
    put_colour(f, node);
    fl_buf_text(f->out, "\"/>");
    put_label(f, node->depth > 0 ? node->name : FL_SLICE("all"), x, y, width);
    fl_buf_text(f->out, "</g>\n");
}

/* The style is inside, so that the file needs nothing else. */
static void put_head(const flame *f, double height, const char *title)
{
    const fl_call_tree_node *root = &f->tree->nodes[0];
    char value[FL_MEASURE_TEXT], base[FL_MEASURE_TEXT];
    fl_buf_printf(f->out,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%.0f\" "
                  "viewBox=\"0 0 %d %.0f\" font-family=\"monospace\" font-size=\"%d\">\n"
                  "<style>rect{stroke:#fff;stroke-width:.4}g:hover rect{stroke:#000;"
                  "stroke-width:1}text{pointer-events:none}</style>\n"
                  "<rect width=\"100%%\" height=\"100%%\" fill=\"#fdfdfb\" stroke=\"none\"/>\n"
                  "<text x=\"%d\" y=\"20\" font-size=\"15\">",
                  WIDTH, height, WIDTH, height, FONT, SIDE);
    fl_profile_text_xml(f->out, fl_slice_of(title));
    fl_buf_printf(f->out, "</text>\n<text x=\"%d\" y=\"36\" fill=\"#555\">", SIDE);
    fl_profile_text_xml(f->out, f->tree->type);
    fl_buf_printf(f->out, ", %s in all", quantity(value, f, root->value));
    if (f->has_base)
        fl_buf_printf(f->out, "; the base %s. Red: more than there, blue: less",
                      quantity(base, f, root->base));
    fl_buf_text(f->out, "</text>\n");
}

fl_status fl_profile_view_flame(fl_buf *out, const fl_call_tree *tree, bool has_base,
                                const char *title, fl_error *err)
{
    assert(tree->node_count > 0 && title != NULL);
    flame f = {.out = out, .tree = tree, .has_base = has_base};
    f.left = fl_mem_calloc(tree->node_count, sizeof(*f.left));
    if (f.left == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a flame graph");
    for (size_t i = 0; i < tree->node_count; i++)
        f.left[i] = NAN;
    place_all(&f);
    uint32_t depth = drawn_depth(&f);
    double height = TOP + BOTTOM + ROW * ((double)depth + 1);
    if (depth < MAX_ROWS) {
        put_head(&f, height, title);
        for (size_t i = 0; i < tree->node_count; i++)
            if (!isnan(f.left[i]))
                put_box(&f, i, height - BOTTOM);
        fl_buf_text(out, "</svg>\n");
    }
    fl_mem_free(f.left);
    if (depth >= MAX_ROWS)
        return fl_fail(err, FL_E_LIMIT, FL_NO_OFFSET,
                       "a flame graph of %u rows cannot be drawn: at most %d", depth, MAX_ROWS);
    return FL_OK;
}

/* --- lines and JSON --- */

/* The next node in depth-first order, and how many levels were left on the way; FL_PROFILE_NONE at
 * the end. */
static uint32_t next_of(const fl_call_tree *tree, uint32_t at, uint32_t *left)
{
    const fl_call_tree_node *node = &tree->nodes[at];
    *left = 0;
    if (node->first_child != FL_PROFILE_NONE)
        return node->first_child;
    while (node->next == FL_PROFILE_NONE) {
        ++*left;
        if (node->parent == FL_PROFILE_NONE)
            return FL_PROFILE_NONE;
        node = &tree->nodes[node->parent];
    }
    ++*left;
    return node->next;
}

/* Names of the way to a node; ';' and line ends divide, so inside of names they become ','. */
static void put_path_name(fl_buf *out, fl_slice name)
{
    size_t from = out->len;
    fl_profile_text_terminal(out, name);
    for (size_t i = from; out->status == FL_OK && i < out->len; i++)
        if (out->ptr[i] == ';')
            out->ptr[i] = ',';
}

/* What a node holds itself: its samples end there. */
static void own_of(const fl_call_tree *tree, uint32_t at, int64_t *value, int64_t *base)
{
    *value = tree->nodes[at].value;
    *base = tree->nodes[at].base;
    for (uint32_t i = tree->nodes[at].first_child; i != FL_PROFILE_NONE; i = tree->nodes[i].next) {
        *value = fl_profile_add(*value, -tree->nodes[i].value);
        *base = fl_profile_add(*base, -tree->nodes[i].base);
    }
}

/* The way from the root, by turning the parents' links round in `path`. */
static void put_path(fl_buf *out, const fl_call_tree *tree, uint32_t at, uint32_t *path)
{
    size_t count = 0;
    assert(at < tree->node_count && tree->nodes[at].depth <= tree->max_depth);
    for (; tree->nodes[at].depth > 0; at = tree->nodes[at].parent)
        path[count++] = at;
    for (size_t i = count; i > 0; i--) {
        put_path_name(out, tree->nodes[path[i - 1]].name);
        if (i > 1)
            fl_buf_char(out, ';');
    }
}

fl_status fl_profile_view_folded(fl_buf *out, const fl_call_tree *tree, bool has_base,
                                 fl_error *err)
{
    uint32_t left, *path = fl_mem_calloc((size_t)tree->max_depth + 1, sizeof(*path));
    if (path == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for a stack");
    for (uint32_t at = next_of(tree, 0, &left); at != FL_PROFILE_NONE;
         at = next_of(tree, at, &left)) {
        int64_t value, base;
        own_of(tree, at, &value, &base);
        if (value == 0 && base == 0)
            continue;
        put_path(out, tree, at, path);
        if (has_base)
            fl_buf_printf(out, " %" PRId64, base);
        fl_buf_printf(out, " %" PRId64 "\n", value);
    }
    fl_mem_free(path);
    return FL_OK;
}

/* Opens the object; who closes it knows when its children have ended. */
static void put_json_node(fl_buf *out, const fl_call_tree_node *node, bool has_base)
{
    fl_buf_text(out, "{\"name\":");
    fl_profile_text_json(out, node->depth > 0 ? node->name : FL_SLICE("all"));
    fl_buf_printf(out, ",\"value\":%" PRId64, node->value);
    if (has_base)
        fl_buf_printf(out, ",\"base\":%" PRId64, node->base);
    fl_buf_text(out, ",\"children\":[");
}

/* Depth first, with as many brackets closed as levels were left. */
void fl_profile_view_stacks_json(fl_buf *out, const fl_call_tree *tree, bool has_base)
{
    uint32_t left = 0;
    fl_buf_text(out, "{\"schema\":\"faultline.profile/1\",\"view\":\"flame\",\"sample_type\":");
    fl_profile_text_json(out, tree->type);
    fl_buf_text(out, ",\"unit\":");
    fl_profile_text_json(out, tree->unit);
    fl_buf_text(out, ",\"root\":");
    for (uint32_t at = 0; at != FL_PROFILE_NONE;) {
        put_json_node(out, &tree->nodes[at], has_base);
        at = next_of(tree, at, &left);
        for (uint32_t i = 0; i < left; i++)
            fl_buf_text(out, "]}");
        if (left > 0 && at != FL_PROFILE_NONE)
            fl_buf_char(out, ',');
    }
    fl_buf_text(out, "}\n");
}
