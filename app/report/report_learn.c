/*
 * report_learn.c - a proposal in words: the edge, how much it weighs, and the sentence it is from.
 */
#include "report_learn.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "json_put.h"
#include "page.h"

enum { INDENT = 2, BODY = 12, ID_TEXT = 17, BELIEF_TEXT = 64 };

static const fl_page_row row = {INDENT, BODY};

/* Of one item; what of it counts is in the confidence. */
static double weight_of(const fl_proposal *p)
{
    return fl_source_weight(p->is_hedged ? FL_SOURCE_HEDGED : FL_SOURCE_DOCUMENT);
}

/* "explained by", "not explained by" */
static void write_kind(fl_page *page, const fl_proposal *p)
{
    fl_page_pad(page, BODY);
    fl_page_put(page, p->supports ? FL_INK_PLAIN : FL_INK_BAD, p->supports ? "" : "not ");
    fl_page_put(page, FL_INK_DIM, fl_edge_kind_name(p->kind));
    fl_page_put(page, FL_INK_DIM, p->is_hedged ? " (perhaps)" : "");
    fl_page_newline(page);
}

/* Kind of node, words. */
static void write_end(fl_page *page, const fl_graph_node *node, const char *qualifier)
{
    fl_page_pad(page, INDENT);
    fl_page_put(page, FL_INK_DIM, fl_node_kind_name(node->kind));
    fl_page_pad(page, BODY);
    fl_page_wrap(page, FL_INK_BOLD, node->title != NULL ? node->title : node->key);
    if (qualifier != NULL)
        fl_page_printf(page, FL_INK_PLAIN, " %s", qualifier);
    fl_page_newline(page);
}

/* The edge first, then why it is proposed. */
static void write_proposal(fl_page *page, const fl_proposal *p)
{
    char id[ID_TEXT];
    snprintf(id, sizeof(id), "%016" PRIx64, p->id);
    fl_page_printf(page, FL_INK_WARN, "%s", id);
    fl_page_printf(page, FL_INK_DIM, "  weight %.1f, rule \"%s\"", weight_of(p), p->rule);
    fl_page_newline(page);
    write_end(page, &p->from, NULL);
    write_kind(page, p);
    write_end(page, &p->to, p->qualifier);
    fl_page_labelled(page, row, "says", FL_INK_PLAIN, p->sentence);
    fl_page_pad(page, BODY);
    fl_page_printf(page, FL_INK_DIM, "%s, byte %" PRIu64, p->document, p->offset);
    fl_page_newline(page);
}

/* Counts, and what to do next. */
static void write_summary(fl_page *page, const fl_proposals *all, const fl_learn_run *run)
{
    size_t count = fl_proposals_count(all);
    fl_page_printf(page, FL_INK_PLAIN, "%zu proposal%s from %zu document%s in %zu file%s", count,
                   count == 1 ? "" : "s", run->documents, run->documents == 1 ? "" : "s",
                   run->files, run->files == 1 ? "" : "s");
    if (run->failed > 0)
        fl_page_printf(page, FL_INK_BAD, "; %zu could not be read", run->failed);
    if (run->is_dry)
        fl_page_put(page, FL_INK_DIM, "; nothing was kept (--dry-run)");
    else
        fl_page_printf(page, FL_INK_PLAIN, "; %zu new. 'faultline review' walks them",
                       run->added.evidence);
    fl_page_newline(page);
}

fl_status fl_report_learn_text(fl_buf *out, const fl_proposals *all, const fl_learn_run *run,
                               const fl_report_style *style, fl_error *err)
{
    assert(all != NULL && run != NULL);
    fl_page page = fl_page_on(out, style);
    for (size_t i = 0; run->is_dry && i < fl_proposals_count(all); i++) {
        write_proposal(&page, fl_proposals_at(all, i));
        fl_page_newline(&page);
    }
    write_summary(&page, all, run);
    return fl_buf_check(out, "the answer", err);
}

fl_status fl_report_waiting_text(fl_buf *out, const fl_waiting_list *list,
                                 const fl_report_style *style, fl_error *err)
{
    assert(list->items != NULL || list->count == 0);
    fl_page page = fl_page_on(out, style);
    for (size_t i = 0; i < list->count; i++) {
        write_proposal(&page, &list->items[i].proposal);
        fl_page_newline(&page);
    }
    fl_page_printf(&page, FL_INK_PLAIN, "%zu proposal%s wait%s for a review", list->count,
                   list->count == 1 ? "" : "s", list->count == 1 ? "s" : "");
    fl_page_newline(&page);
    return fl_buf_check(out, "the answer", err);
}

void fl_report_waiting_one(fl_buf *out, const fl_waiting *waiting, const fl_report_style *style)
{
    assert(waiting != NULL);
    fl_page page = fl_page_on(out, style);
    write_proposal(&page, &waiting->proposal);
}

/* "0.82 (0.61 to 0.94, n = 7)" */
static const char *belief_text(char out[BELIEF_TEXT], const fl_confidence *c, size_t items)
{
    snprintf(out, BELIEF_TEXT, "%.2f (%.2f to %.2f, n = %zu)", c->mean, c->low, c->high, items);
    return out;
}

fl_status fl_report_reviewed_text(fl_buf *out, const char *what, const fl_reviewed *reviewed,
                                  const fl_report_style *style, fl_error *err)
{
    char before[BELIEF_TEXT], after[BELIEF_TEXT];
    assert(reviewed->from.key != NULL && reviewed->to.key != NULL);
    fl_page page = fl_page_on(out, style);
    fl_page_printf(&page, FL_INK_PLAIN, "Proposal %s", what);
    fl_page_newline(&page);
    write_end(&page, &reviewed->from, NULL);
    fl_page_pad(&page, BODY);
    fl_page_put(&page, FL_INK_DIM, fl_edge_kind_name(reviewed->kind));
    fl_page_newline(&page);
    write_end(&page, &reviewed->to, NULL);
    fl_page_pad(&page, BODY);
    fl_page_printf(&page, FL_INK_PLAIN, "%s -> %s",
                   belief_text(before, &reviewed->before, reviewed->items_before),
                   belief_text(after, &reviewed->after, reviewed->items_after));
    fl_page_newline(&page);
    return fl_buf_check(out, "the answer", err);
}
