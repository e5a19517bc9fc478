/*
 * web_hypotheses.c - the ranking: each hypothesis with its evidence, heaviest first.
 *
 * The first ones are open, the others a line each that opens: the page is read from the top, and
 * what is below is one key away. Everything is in the page, so that it prints and is searched.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kept_text.h"
#include "report_lanes.h"
#include "timestamp.h"
#include "web_priv.h"

enum { OPEN_AT_FIRST = 2, FIRST_EVIDENCE = 7, NUMBER_TEXT = 32 };

/* Where in the service: what to open next. */
static void put_field(fl_buf *out, const char *name, const char *text)
{
    if (text != NULL)
        fl_html(out, "<div><dt>$</dt><dd class=\"code\">$</dd></div>\n", name, text);
}

/* Whatever of the place is known, a line each. */
static void put_locus(fl_buf *out, const fl_hypothesis *h)
{
    fl_buf_text(out, "<dl class=\"locus\">\n");
    put_field(out, "instance", h->instance);
    if (h->locus == FL_LOCUS_CODE_REGION && h->before != NULL) {
        put_field(out, "code between", h->before);
        put_field(out, "and", h->after != NULL ? h->after : "its end");
    } else {
        put_field(out, fl_locus_name(h->locus), h->locus_name);
    }
    put_field(out, "throws", h->exception_type);
    put_field(out, "message", h->exception_message);
    put_field(out, "at", h->exception_frame);
    if (h->onset.at_ns != 0) {
        fl_buf_text(out, "<div><dt>began</dt><dd>");
        web_time(out, h->onset.at_ns);
        fl_buf_text(out, "</dd></div>\n");
    }
    fl_buf_text(out, "</dl>\n");
}

/* The part of the heap that a step keeps, and of it what it kept in the first dump. */
static void put_share(fl_buf *out, const fl_kept_step *path, size_t i)
{
    const fl_kept_step *step = &path[i];
    double now = 100 * fl_kept_share(path, step->retained_bytes);
    double was = step->has_before ? 100 * fl_kept_share(path, step->before_bytes) : now;
    fl_buf_printf(out,
                  "<svg class=\"bar\" viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" "
                  "aria-hidden=\"true\"><rect class=\"track\" width=\"100\" height=\"8\"/>"
                  "<rect class=\"grown\" width=\"%.1f\" height=\"8\"/>"
                  "<rect class=\"fill\" width=\"%.1f\" height=\"8\"/></svg> ",
                  now, was < now ? was : now);
}

/* Who keeps what was found, from the heap down: each step inside of the one that keeps it. */
static void put_path(fl_buf *out, const fl_evidence *e)
{
    char name[FL_KEPT_NAME_TEXT], figures[FL_KEPT_FIGURES_TEXT], gap[FL_KEPT_GAP_TEXT];
    if (e->path_count == 0)
        return;
    fl_html(out, "<details class=\"kept\" open><summary>Who keeps it$</summary>",
            e->path[0].has_before ? "; what is new since the first dump is red" : "");
    for (size_t i = 0; i < e->path_count; i++) {
        fl_buf_text(out, "\n<ul><li>");
        put_share(out, e->path, i);
        fl_html(out, "<span class=\"dim\">$</span><code>$</code> <span class=\"dim\">$</span>",
                fl_kept_gap(gap, e->path[i].left_out), fl_kept_name(name, &e->path[i]),
                fl_kept_figures(figures, e->path, i));
    }
    for (size_t i = 0; i < e->path_count; i++)
        fl_buf_text(out, "</li></ul>");
    fl_buf_text(out, "</details>");
}

/* A sign, the modality, the sentence, its weight; the query on a line of its own. */
static void put_evidence(fl_buf *out, const web_case *of, const fl_hypothesis *h,
                         const fl_evidence *e)
{
    char weight[NUMBER_TEXT], lane[NUMBER_TEXT];
    const fl_lane *drawn = fl_report_lane_of(of->picture, h, e);
    (void)snprintf(weight, sizeof(weight), "%+.1f", e->weight_nats);
    fl_html(out,
            "<li class=\"$\"><span class=\"sign\" title=\"$\">$</span>"
            "<span class=\"modality\">$</span><span class=\"sentence\">$",
            e->against ? "against" : "for", e->against ? "speaks against it" : "speaks for it",
            e->against ? "\xE2\x88\x92" : "+", fl_modality_name(e->modality), e->text);
    if (drawn != NULL) {
        (void)snprintf(lane, sizeof(lane), "%zu", (size_t)(drawn - of->picture->lanes));
        fl_html(out, " <a class=\"at-lane\" href=\"#lane-$\">lane</a>", lane);
    }
    web_put_evidence_links(out, of, h->service, e);
    fl_html(out,
            "</span><span class=\"weight\" title=\"weight in nats: log Bayes factor\">$</span>",
            isnan(e->weight_nats) ? "" : weight);
    put_path(out, e);
    web_query(out, e->query);
    fl_buf_text(out, "</li>\n");
}

/* More than about seven nobody holds in mind: the rest opens. */
static void put_all_evidence(fl_buf *out, const web_case *of, const fl_hypothesis *h)
{
    char more[NUMBER_TEXT];
    if (h->evidence_count == 0) {
        fl_buf_text(out, "<p class=\"dim\">No evidence of its own.</p>\n");
        return;
    }
    fl_buf_text(out, "<ul class=\"evidence\">\n");
    for (size_t i = 0; i < h->evidence_count && i < FIRST_EVIDENCE; i++)
        put_evidence(out, of, h, &h->evidence[i]);
    fl_buf_text(out, "</ul>\n");
    if (h->evidence_count <= FIRST_EVIDENCE)
        return;
    (void)snprintf(more, sizeof(more), "%zu", h->evidence_count - FIRST_EVIDENCE);
    fl_html(out, "<details class=\"rest\"><summary>$ more</summary><ul class=\"evidence\">\n",
            more);
    for (size_t i = FIRST_EVIDENCE; i < h->evidence_count; i++)
        put_evidence(out, of, h, &h->evidence[i]);
    fl_buf_text(out, "</ul></details>\n");
}

/* The resource is named only where the cause does not already say it. */
static void put_hypothesis(fl_buf *out, const web_case *of, size_t number)
{
    const fl_hypothesis *h = &of->incident->hypotheses[number - 1];
    char rank[NUMBER_TEXT], place[NUMBER_TEXT];
    const char *resource = fl_resource_name(h->resource), *cause = fl_cause_name(h->cause);
    assert(number > 0 && cause != NULL);
    bool has_resource = resource != NULL && strcmp(resource, cause) != 0;
    (void)snprintf(rank, sizeof(rank), "%u", h->rank);
    (void)snprintf(place, sizeof(place), "%zu", number);
    fl_html(out,
            "<li id=\"h$\" data-number=\"$\"><details$><summary><span class=\"rank\">$</span>"
            "<span class=\"probability\">",
            place, place, number <= OPEN_AT_FIRST ? " open" : "", rank);
    web_probability(out, h->probability);
    fl_html(out,
            "</span><b class=\"service\">$</b> <span class=\"cause\">$</span>"
            "<span class=\"dim\">$$$</span></summary>\n",
            h->service != NULL ? h->service : "(service not named)", cause,
            has_resource ? " (" : "", has_resource ? resource : "", has_resource ? ")" : "");
    put_locus(out, h);
    put_all_evidence(out, of, h);
    fl_buf_text(out, "</details></li>\n");
}

/* All of them, in their order. */
void web_put_hypotheses(fl_buf *out, const web_case *of)
{
    const fl_incident *incident = of->incident;
    assert(incident != NULL);
    fl_buf_text(out, "<section aria-labelledby=\"ranking\"><h2 id=\"ranking\">Ranking</h2>\n");
    if (incident->hypothesis_count == 0)
        fl_buf_text(out, "<p>Nothing differs from the baseline by more than chance.</p>\n");
    fl_buf_text(out, "<ol class=\"hypotheses\">\n");
    for (size_t i = 0; i < incident->hypothesis_count; i++)
        put_hypothesis(out, of, i + 1);
    fl_buf_text(out, "</ol></section>\n");
}
