/*
 * web_memory.c - what the graph remembers of such symptoms: causes with their fixes, and incidents
 * that looked alike. A mean never stands without its interval and what it rests on.
 */
#include <assert.h>
#include <stdio.h>

#include "page.h"
#include "web_priv.h"

enum { BELIEF_TEXT = 96, MOST_TITLES = 4 };

/* In words, and before that as a line from the low end to the high one with a mark at the mean. */
void web_put_belief(fl_buf *out, const fl_confidence *c, size_t items)
{
    char text[BELIEF_TEXT];
    assert(c->low <= c->mean && c->mean <= c->high);
    (void)snprintf(text, sizeof(text), "%.2f (90 %%: %.2f to %.2f, n = %zu)", c->mean, c->low,
                   c->high, items);
    /* Mean and interval as a picture: a line from low to high with a mark. */
    fl_buf_printf(out,
                  "<svg class=\"interval\" viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" "
                  "aria-hidden=\"true\"><rect class=\"track\" y=\"3\" width=\"100\" height=\"2\"/>"
                  "<rect class=\"range\" x=\"%.1f\" y=\"2\" width=\"%.1f\" height=\"4\"/>"
                  "<rect class=\"fill\" x=\"%.1f\" width=\"1.5\" height=\"8\"/></svg>",
                  c->low * 100, (c->high - c->low) * 100, c->mean * 100 - 0.75);
    fl_html(out, "<span class=\"belief\">$</span>", text);
}

/* A cause, on what that rests, and what ended it then. */
static void put_path(fl_buf *out, const fl_path *path)
{
    char text[BELIEF_TEXT];
    assert(path->title != NULL);
    fl_html(out, "<li><p class=\"title\">$</p>", path->title);
    web_put_belief(out, &path->confidence, fl_path_items(path));
    (void)snprintf(text, sizeof(text), "explained %zu of %zu", path->supporting,
                   fl_path_items(path));
    fl_html(out, "<p class=\"dim\">$", text);
    if (path->automatic > 0) {
        (void)snprintf(text, sizeof(text), "; %zu not confirmed by a person", path->automatic);
        fl_html(out, "$", text);
    }
    if (path->last_ns != 0) {
        fl_buf_text(out, "; last ");
        web_time(out, path->last_ns);
    }
    fl_buf_text(out, "</p>");
    for (size_t i = 0; i < path->fix_count; i++) {
        fl_html(out, "<div class=\"fix\"><p><span class=\"dim\">fixed by</span> $</p>",
                path->fixes[i].title);
        web_put_belief(out, &path->fixes[i].confidence, path->fixes[i].count);
        fl_buf_text(out, "</div>");
    }
    fl_buf_text(out, "</li>\n");
}

/* A few, and how many more there are. */
static void put_titles(fl_buf *out, const char *word, const char *const *titles, size_t count)
{
    char more[BELIEF_TEXT];
    if (count == 0)
        return;
    fl_html(out, "<div><dt>$</dt><dd>", word);
    for (size_t i = 0; i < count && i < MOST_TITLES; i++)
        fl_html(out, "<span>$</span>", titles[i]);
    (void)snprintf(more, sizeof(more), "and %zu more", count - MOST_TITLES);
    if (count > MOST_TITLES)
        fl_html(out, "<span class=\"dim\">$</span>", more);
    fl_buf_text(out, "</dd></div>");
}

/* How alike, in what, and what it was then. */
static void put_similar(fl_buf *out, const fl_similar *s)
{
    char percent[FL_PERCENT_TEXT], text[BELIEF_TEXT];
    (void)snprintf(text, sizeof(text), "%zu of %zu symptoms shared", s->shared, s->ours);
    fl_html(out,
            "<li><p><a href=\"/incidents/@\">$</a> <b>$</b> alike <span class=\"dim\">$</span></p>"
            "<dl>",
            s->incident, s->incident, fl_page_percent(percent, s->overlap), text);
    put_titles(out, "it was", s->causes, s->cause_count);
    put_titles(out, "helped", s->fixes, s->fix_count);
    put_titles(out, "in common", s->both, s->shared);
    put_titles(out, "only here", s->here, s->ours - s->shared);
    put_titles(out, "only there", s->there, s->there_count);
    fl_buf_text(out, "</dl></li>\n");
}

/* Also where nothing is known: an empty place would be read as a failure. */
void web_put_paths(fl_buf *out, const fl_memory *memory)
{
    fl_buf_text(out, "<section aria-labelledby=\"before\"><h2 id=\"before\">Seen before</h2>\n");
    if (memory->path_count == 0)
        fl_buf_text(out, "<p class=\"dim\">The graph knows no cause of such symptoms yet.</p>\n");
    fl_buf_text(out, "<ol class=\"paths\">\n");
    for (size_t i = 0; i < memory->path_count; i++)
        put_path(out, &memory->paths[i]);
    fl_buf_text(out, "</ol>\n");
    if (memory->cut)
        fl_buf_text(out, "<p class=\"warn\">There is more than was looked at.</p>\n");
    fl_buf_text(out, "</section>\n");
}

/* What could not be asked is said; the rest of the page does not depend on it. */
void web_put_memory(fl_buf *out, const web_case *of)
{
    const fl_memory *memory = of->memory;
    if (memory == NULL) {
        assert(of->memory_failed != NULL);
        fl_html(out,
                "<section aria-labelledby=\"before\"><h2 id=\"before\">Seen before</h2>\n"
                "<p class=\"warn\">The graph could not be asked: $</p></section>\n",
                of->memory_failed);
        return;
    }
    web_put_paths(out, memory);
    if (memory->similar_count == 0)
        return;
    fl_buf_text(out, "<section aria-labelledby=\"alike\"><h2 id=\"alike\">Similar incidents</h2>\n"
                     "<ol class=\"similar\">\n");
    for (size_t i = 0; i < memory->similar_count; i++)
        put_similar(out, &memory->similar[i]);
    fl_buf_text(out, "</ol></section>\n");
}
