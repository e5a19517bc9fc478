/*
 * web_context.c - around the ranking: what happened meanwhile, the signs by which a daemon opened
 * the incident, what was ruled out and why, clocks that differed.
 */
#include <assert.h>
#include <stdio.h>

#include "slice.h"
#include "timestamp.h"
#include "web_priv.h"

enum { MOST_SIGNS = 50, TEXT = 96 };

/* What profiles found, step by step. */
static void put_moments(fl_buf *out, const fl_incident *incident)
{
    if (incident->moment_count == 0)
        return;
    fl_buf_text(out, "<section aria-labelledby=\"events\"><h2 id=\"events\">Events</h2>\n"
                     "<ol class=\"events\">\n");
    for (size_t i = 0; i < incident->moment_count; i++) {
        const fl_moment *moment = &incident->moments[i];
        fl_buf_text(out, "<li>");
        web_time(out, moment->at_ns);
        fl_html(out, " <b>$</b> $", moment->service, moment->text);
        web_query(out, moment->query);
        fl_buf_text(out, "</li>\n");
    }
    fl_buf_text(out, "</ol></section>\n");
}

/* NULL where it is missing, or no text. */
static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* Only addresses that a click may open; "javascript:" is none of them. */
static bool is_web_address(const char *url)
{
    fl_slice text = fl_slice_of(url);
    return url != NULL && (fl_slice_starts_with(text, FL_SLICE("https://")) ||
                           fl_slice_starts_with(text, FL_SLICE("http://")));
}

/* When, what, whose, and why it belongs here; a link to its own page where it has one. */
static void put_sign(fl_buf *out, const json_t *sign)
{
    const char *onset = text_of(sign, "onset"), *url = text_of(sign, "url");
    int64_t at_ns = 0;
    fl_buf_text(out, "<li>");
    if (onset != NULL && fl_time_parse(&at_ns, fl_slice_of(onset), 0, NULL) == FL_OK)
        web_time(out, at_ns);
    fl_html(out, " <span class=\"modality\">$</span> ", text_of(sign, "kind"));
    fl_html(out, is_web_address(url) ? "<a rel=\"noreferrer\" href=\"$\">" : "<b>$",
            is_web_address(url) ? url : "");
    fl_html(out, is_web_address(url) ? "$</a> $" : "$</b> $", text_of(sign, "name"),
            text_of(sign, "service"));
    fl_html(out, "<p class=\"dim\">$</p></li>\n", text_of(sign, "reason"));
}

/* The first of many: they opened it. */
static void put_signs(fl_buf *out, const json_t *live)
{
    const json_t *signs = json_object_get(live, "signs");
    size_t count = json_array_size(signs);
    char more[TEXT];
    if (count == 0)
        return;
    json_int_t total = json_integer_value(json_object_get(live, "signs_total"));
    fl_buf_text(out, "<section aria-labelledby=\"signs\"><h2 id=\"signs\">Why it was opened</h2>\n"
                     "<ol class=\"events\">\n");
    for (size_t i = 0; i < count && i < MOST_SIGNS; i++)
        put_sign(out, json_array_get(signs, i));
    fl_buf_text(out, "</ol>\n");
    if (total > MOST_SIGNS) {
        (void)snprintf(more, sizeof(more), "and %lld more", (long long)total - MOST_SIGNS);
        fl_html(out, "<p class=\"dim\">$</p>\n", more);
    }
    fl_buf_text(out, "</section>\n");
}

/* What a reader would suspect next, and why not. */
static void put_ruled_out(fl_buf *out, const fl_incident *incident)
{
    if (incident->ruled_out_count == 0)
        return;
    fl_buf_text(out, "<section aria-labelledby=\"ruled\"><h2 id=\"ruled\">Ruled out</h2>\n"
                     "<dl class=\"ruled\">\n");
    for (size_t i = 0; i < incident->ruled_out_count; i++)
        fl_html(out, "<div><dt>$</dt><dd>$</dd></div>\n",
                incident->ruled_out[i].service != NULL ? incident->ruled_out[i].service
                                                       : "(service not named)",
                incident->ruled_out[i].text);
    fl_buf_text(out, "</dl></section>\n");
}

/* By how much, and how well that is known. */
static void put_clocks(fl_buf *out, const fl_incident *incident)
{
    char text[TEXT];
    if (incident->clock_count == 0)
        return;
    fl_buf_text(out, "<section aria-labelledby=\"clocks\"><h2 id=\"clocks\">Clocks that differed"
                     "</h2>\n<dl class=\"ruled\">\n");
    for (size_t i = 0; i < incident->clock_count; i++) {
        const fl_clock_skew *clock = &incident->clocks[i];
        double offset_ms = (double)clock->offset_ns / 1e6, error_ms = (double)clock->error_ns / 1e6;
        (void)snprintf(text, sizeof(text), "%.1f ms %s (\xC2\xB1 %.1f ms, %llu calls); put right",
                       offset_ms < 0 ? -offset_ms : offset_ms, offset_ms < 0 ? "behind" : "ahead",
                       error_ms, (unsigned long long)clock->calls);
        fl_html(out, "<div><dt>$</dt><dd>$</dd></div>\n", clock->service, text);
    }
    fl_buf_text(out, "</dl></section>\n");
}

/* Below the ranking. */
void web_put_findings(fl_buf *out, const web_case *of)
{
    assert(of->incident != NULL);
    if (of->picture != NULL && of->picture->event_count > 0)
        web_put_events(out, of->picture); /* with these moments, and what else happened */
    else
        put_moments(out, of->incident);
    put_ruled_out(out, of->incident);
}

/* Beside it. */
void web_put_context(fl_buf *out, const web_case *of)
{
    assert(of->incident != NULL);
    put_signs(out, of->live);
    put_clocks(out, of->incident);
}
