/*
 * postmortem_write.c - a template with its fields filled.
 *
 *   template := (text | "{{" name "}}")*      blanks around the name are passed over
 *
 * What is no field is copied as it stands: it is the template author's, in the format of the draft.
 * Everything that a field writes passes markup.h. A row is one item of a list, so that people can
 * delete a line and be understood:
 *
 *   - [ ] **pool in pay**: probability 87 % (`query`) `auto:F1`
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fl_postmortem_html.h"
#include "fl_postmortem_markdown.h"
#include "kept_text.h"
#include "markup.h"
#include "postmortem_priv.h"
#include "slice.h"
#include "svg_chart.h"
#include "symptoms.h"

/* ---- rows as Markdown ---- */

/* A list in a list for each step. A step has no mark of its own: who deletes its line changes
 * nothing, and a name that looks like a mark is none, since it is escaped. */
static void put_markdown_path(fl_buf *out, const pm_row *row)
{
    char name[FL_KEPT_NAME_TEXT], figures[FL_KEPT_FIGURES_TEXT], gap[FL_KEPT_GAP_TEXT];
    size_t depth = row->is_below ? 2 : 1;
    for (size_t i = 0; i < row->path_count; i++, depth++) {
        for (size_t k = 0; k < depth; k++)
            fl_buf_text(out, "  ");
        fl_buf_text(out, "- ");
        fl_buf_text(out, fl_kept_gap(gap, row->path[i].left_out));
        fl_markup_markdown(out, fl_kept_name(name, &row->path[i]));
        fl_buf_text(out, ": ");
        fl_markup_markdown(out, fl_kept_figures(figures, row->path, i));
        fl_buf_char(out, '\n');
    }
}

/* Everything of a row on one line, the mark last. */
static void put_markdown_row(fl_buf *out, pm_draft *draft, const pm_row *row)
{
    assert(row->id != NULL && row->text != NULL);
    fl_buf_text(out, row->is_below ? "  - " : "- ");
    fl_buf_text(out, row->is_choice ? "[ ] " : "");
    if (row->at_ns != 0) {
        fl_markup_markdown(out, fl_pm_time(draft, row->at_ns));
        fl_buf_char(out, ' ');
    }
    if (row->service != NULL) {
        fl_markup_markdown(out, row->service);
        fl_buf_text(out, ": ");
    }
    if (row->lead != NULL) {
        fl_buf_text(out, "**");
        fl_markup_markdown(out, row->lead);
        fl_buf_text(out, row->is_below ? "** " : "**: ");
    }
    fl_markup_markdown(out, row->text);
    if (row->source != NULL) {
        fl_buf_text(out, " (");
        fl_markup_code(out, row->source);
        fl_buf_char(out, ')');
    }
    fl_buf_printf(out, " `auto:%s`\n", row->id);
    put_markdown_path(out, row);
}

/* An empty section says why it is empty, in its place. */
static void put_markdown(fl_buf *out, pm_draft *draft, const pm_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        put_markdown_row(out, draft, &rows->items[i]);
    if (rows->count == 0)
        fl_buf_printf(out, "*%s*\n", rows->empty);
}

/* ---- rows as HTML ---- */

/* Each step is inside of the one that keeps it. */
static void put_html_path(fl_buf *out, const pm_row *row)
{
    char name[FL_KEPT_NAME_TEXT], figures[FL_KEPT_FIGURES_TEXT], gap[FL_KEPT_GAP_TEXT];
    for (size_t i = 0; i < row->path_count; i++) {
        fl_buf_text(out, i > 0 ? "\n<ul><li>" : "\n<ul class=\"kept\"><li>");
        fl_buf_text(out, fl_kept_gap(gap, row->path[i].left_out));
        fl_buf_text(out, "<code>");
        fl_markup_html(out, fl_kept_name(name, &row->path[i]));
        fl_buf_text(out, "</code> ");
        fl_markup_html(out, fl_kept_figures(figures, row->path, i));
    }
    for (size_t i = 0; i < row->path_count; i++)
        fl_buf_text(out, "</li></ul>");
}

/* The item is left open: rows that belong to it may follow inside. */
static void put_html_row(fl_buf *out, pm_draft *draft, const pm_row *row)
{
    assert(row->id != NULL && row->text != NULL);
    fl_buf_printf(out, "<li id=\"%s\">", row->id);
    if (row->at_ns != 0) {
        fl_buf_text(out, "<time>");
        fl_markup_html(out, fl_pm_time(draft, row->at_ns));
        fl_buf_text(out, "</time> ");
    }
    if (row->service != NULL) {
        fl_markup_html(out, row->service);
        fl_buf_text(out, ": ");
    }
    if (row->lead != NULL) {
        fl_buf_text(out, "<b>");
        fl_markup_html(out, row->lead);
        fl_buf_text(out, row->is_below ? "</b> " : "</b>: ");
    }
    fl_markup_html(out, row->text);
    if (row->source != NULL) {
        fl_buf_text(out, " <code>");
        fl_markup_html(out, row->source);
        fl_buf_text(out, "</code>");
    }
    fl_buf_printf(out, " <code class=\"mark\">auto:%s</code>", row->id);
    put_html_path(out, row);
}

/* Rows that belong to the one above are a list inside of it. */
static void put_html(fl_buf *out, pm_draft *draft, const pm_rows *rows)
{
    bool is_below = false;
    if (rows->count == 0) {
        fl_buf_printf(out, "<p class=\"empty\">%s</p>\n", rows->empty);
        return;
    }
    fl_buf_text(out, "<ul>\n");
    for (size_t i = 0; i < rows->count; i++) {
        const pm_row *row = &rows->items[i];
        if (row->is_below && !is_below)
            fl_buf_text(out, "\n<ul>\n");
        else if (!row->is_below && is_below)
            fl_buf_text(out, "</li>\n</ul></li>\n");
        else if (i > 0)
            fl_buf_text(out, "</li>\n");
        is_below = row->is_below;
        put_html_row(out, draft, row);
    }
    fl_buf_text(out, is_below ? "</li>\n</ul></li>\n</ul>\n" : "</li>\n</ul>\n");
}

/* The picture's own order: what users met, then the evidence. */
static void put_charts(fl_buf *out, const pm_draft *draft)
{
    const fl_picture *picture = draft->in->picture;
    size_t count = picture != NULL ? picture->lane_count : 0;
    if (count == 0)
        fl_buf_text(out, "<p class=\"empty\">No series are kept of this incident.</p>\n");
    fl_buf_text(out, "<div class=\"charts\">\n");
    for (size_t i = 0; i < count && i < PM_MOST_CHARTS; i++) {
        fl_buf_text(out, "<figure>\n");
        fl_svg_lane(out, picture, i);
        fl_buf_text(out, "<figcaption>");
        fl_markup_html(out, picture->lanes[i].service);
        fl_buf_text(out, ": ");
        fl_markup_html(out, picture->lanes[i].name);
        fl_buf_text(out, "; ");
        fl_markup_html(out, picture->lanes[i].why);
        fl_buf_text(out, "</figcaption>\n</figure>\n");
    }
    fl_buf_text(out, "</div>\n");
}

/* All of them below each other on one axis. */
static void put_overview(fl_buf *out, const pm_draft *draft)
{
    if (draft->in->picture == NULL) {
        fl_buf_text(out, "<p class=\"empty\">No series are kept of this incident.</p>\n");
        return;
    }
    fl_svg_overview(out, draft->in->picture, PM_MOST_CHARTS);
}

/* ---- fields ---- */

static const char *const other_fields[] = {"head", "title", "incident", "at", "overview", "charts"};
enum { FIELD_HEAD, FIELD_TITLE, FIELD_INCIDENT, FIELD_AT, FIELD_OVERVIEW, FIELD_CHARTS, FIELDS };

/* One run over a template. */
typedef struct filling {
    pm_draft *draft;
    const fl_postmortem_options *options;
    bool is_html;
    size_t line; /* of the template, from 1 */
} filling;

/* A word inside of the author's own line. */
static void put_plain(fl_buf *out, const filling *f, const char *text)
{
    if (f->is_html)
        fl_markup_html(out, text);
    else
        fl_markup_markdown(out, text);
}

/* What a draft is of, for whoever reads it back: an id has no marks that mean something. */
static void put_head(fl_buf *out, const filling *f)
{
    const char *const *frame =
        f->is_html ? (const char *const[]){"", ""} : (const char *const[]){"<!-- ", " -->"};
    fl_buf_printf(out, "%sfaultline.postmortem/1 ", frame[0]);
    fl_markup_html(out, f->draft->in->incident->id);
    uint64_t ranking = fl_symptoms_ranking(f->draft->in->incident, f->draft->factors);
    fl_buf_printf(out, " factors=%zu ranking=%016" PRIx64 "%s", f->draft->factors, ranking,
                  frame[1]);
}

/* Fields that are no section. */
static void put_other(fl_buf *out, const filling *f, size_t field)
{
    if (field == FIELD_HEAD)
        put_head(out, f);
    else if (field == FIELD_TITLE)
        put_plain(out, f, f->draft->title);
    else if (field == FIELD_INCIDENT)
        put_plain(out, f, f->draft->in->incident->id);
    else if (field == FIELD_AT)
        put_plain(out, f, fl_pm_time(f->draft, f->draft->in->incident->at_ns));
    else if (field == FIELD_OVERVIEW)
        put_overview(out, f->draft);
    else
        put_charts(out, f->draft);
}

/* The sentence lists what there is, so that a misspelling is mended at once. */
static fl_status unknown(const filling *f, fl_slice name, fl_error *err)
{
    char names[256] = "";
    size_t used = 0;
    for (size_t s = 0; s < PM_SECTIONS + FIELDS; s++)
        used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", s > 0 ? ", " : "",
                                 s < PM_SECTIONS ? fl_pm_section_name((pm_section)s)
                                                 : other_fields[s - PM_SECTIONS]);
    assert(used < sizeof(names));
    return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                   "template %.60s line %zu: there is no field '%.*s'; there are %s",
                   f->options->template_name, f->line, name.len < 40 ? (int)name.len : 40,
                   (const char *)name.ptr, names);
}

/* By its name; a picture in Markdown is refused, and not left out silently. */
static fl_status put_field(fl_buf *out, const filling *f, fl_slice name, fl_error *err)
{
    for (size_t s = 0; s < PM_SECTIONS; s++)
        if (fl_slice_equal(name, fl_slice_of(fl_pm_section_name((pm_section)s)))) {
            const pm_rows *rows = &f->draft->sections[s];
            if (f->is_html)
                put_html(out, f->draft, rows);
            else
                put_markdown(out, f->draft, rows);
            return FL_OK;
        }
    for (size_t field = 0; field < FIELDS; field++) {
        if (!fl_slice_equal(name, fl_slice_of(other_fields[field])))
            continue;
        if (field >= FIELD_OVERVIEW && !f->is_html)
            return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                           "template %.60s line %zu: the field '%s' is a picture, which only "
                           "--format html has",
                           f->options->template_name, f->line, other_fields[field]);
        put_other(out, f, field);
        return FL_OK;
    }
    return unknown(f, name, err);
}

/* For the line that a message names. */
static size_t lines_in(fl_slice text)
{
    size_t lines = 0;
    for (size_t i = 0; i < text.len; i++)
        lines += text.ptr[i] == '\n';
    return lines;
}

/* A field that stands alone on its line ends it itself. */
static fl_slice skip_newline(const fl_buf *out, fl_slice rest)
{
    bool is_ended = out->len > 0 && out->ptr[out->len - 1] == '\n';
    return is_ended && rest.len > 0 && rest.ptr[0] == '\n' ? fl_slice_part(rest, 1, rest.len)
                                                           : rest;
}

/* Copies and fills from field to field; what a field wrote is never read as a template. */
fl_status fl_pm_fill(fl_buf *out, pm_draft *draft, const fl_postmortem_options *options,
                     fl_error *err)
{
    filling f = {.draft = draft,
                 .options = options,
                 .is_html = options->format == FL_POSTMORTEM_HTML,
                 .line = 1};
    fl_slice rest = options->template;
    if (rest.ptr == NULL)
        rest = f.is_html ? fl_postmortem_html : fl_postmortem_markdown;
    fl_status status = FL_OK;
    while (status == FL_OK) {
        size_t open = fl_slice_find(rest, fl_slice_of("{{"));
        if (open >= rest.len)
            break;
        fl_slice text = fl_slice_part(rest, 0, open);
        fl_slice inner = fl_slice_part(rest, open + 2, rest.len);
        size_t close = fl_slice_find(inner, fl_slice_of("}}"));
        fl_buf_add(out, text);
        f.line += lines_in(text);
        if (close >= inner.len)
            return fl_fail(err, FL_E_SYNTAX, FL_NO_OFFSET,
                           "template %.60s line %zu: '{{' is not closed by '}}'",
                           options->template_name, f.line);
        status = put_field(out, &f, fl_slice_trim(fl_slice_part(inner, 0, close)), err);
        f.line += lines_in(fl_slice_part(inner, 0, close));
        fl_slice after = fl_slice_part(inner, close + 2, inner.len);
        rest = skip_newline(out, after);
        f.line += after.len - rest.len;
    }
    if (status == FL_OK)
        fl_buf_add(out, rest);
    return status == FL_OK ? fl_buf_check(out, "the postmortem", err) : status;
}
