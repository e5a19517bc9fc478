/*
 * web_frame.c - head, navigation and foot of every page; times, counts and bars.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "page.h"
#include "timestamp.h"
#include "web_priv.h"

static const struct place {
    const char *path, *name;
} places[] = {{"/", "Incidents"}, {"/graph", "Knowledge graph"}};

/* The page where the reader is says so to screen readers, too. */
static void put_navigation(fl_buf *out, const char *here)
{
    fl_buf_text(out, "<nav aria-label=\"Pages\">");
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        bool is_here = here != NULL && strcmp(here, places[i].path) == 0;
        fl_html(out, is_here ? "<a href=\"$\" aria-current=\"page\">$</a>" : "<a href=\"$\">$</a>",
                places[i].path, places[i].name);
    }
    fl_buf_text(out, "</nav>\n");
}

/* What scripts need to know stands in the body's attributes. */
void web_begin(fl_buf *out, const fl_web *web, const web_frame *frame)
{
    assert(frame->title != NULL && web->build[0] != '\0');
    fl_buf_text(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                     "<meta name=\"color-scheme\" content=\"light dark\">\n");
    if (frame->is_retried)
        fl_buf_text(out, "<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>\n");
    fl_html(out,
            "<title>$ \xC2\xB7 Faultline</title>\n"
            "<link rel=\"stylesheet\" href=\"/static/@/style.css\">\n"
            "<link rel=\"icon\" href=\"/static/@/icon.svg\" type=\"image/svg+xml\">\n"
            "<script type=\"module\" src=\"/static/@/app.js\"></script>\n",
            frame->title, web->build, web->build, web->build);
    if (frame->script != NULL)
        fl_html(out, "<script type=\"module\" src=\"/static/@/@\"></script>\n", web->build,
                frame->script);
    fl_html(out,
            frame->is_live || frame->is_retried ? "</head>\n<body data-build=\"$\" data-live>\n"
                                                : "</head>\n<body data-build=\"$\">\n",
            web->build);
    fl_buf_text(out, "<a class=\"skip\" href=\"#main\">Skip to the content</a>\n"
                     "<header class=\"top\"><a class=\"brand\" href=\"/\">Faultline</a>\n");
    put_navigation(out, frame->here);
    fl_buf_text(out, "<p class=\"notice\" role=\"status\" id=\"notice\"></p></header>\n"
                     "<main id=\"main\" tabindex=\"-1\">\n");
}

/* The help is shown by the script that has the keys. */
void web_end(fl_buf *out)
{
    fl_buf_text(out, "</main>\n<footer>Times are UTC. <button type=\"button\" class=\"link\" "
                     "id=\"help\" hidden>Keyboard</button></footer>\n</body>\n</html>\n");
}

/* "2026-11-23 00:06:50", and all of it for programs. */
void web_time(fl_buf *out, int64_t at_ns)
{
    char text[FL_TIME_TEXT], exact[FL_TIME_TEXT];
    if (at_ns == 0)
        return;
    fl_time_format_s(text, at_ns);
    text[10] = ' ';
    text[strlen(text) - 1] = '\0'; /* the 'Z' */
    fl_html(out, "<time datetime=\"$\">$</time>", fl_time_format(exact, at_ns), text);
}

/* The unit of which there are two at least: "119 min", then "2 h". */
const char *web_age(char out[WEB_AGE_TEXT], int64_t age_ns)
{
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    int64_t s = age_ns > 0 ? age_ns / FL_NS_PER_S : 0;
    size_t i = 0;
    while (i < 3 && s < 2 * units[i].seconds)
        i++;
    (void)snprintf(out, WEB_AGE_TEXT, "%lld %s", (long long)(s / units[i].seconds), units[i].name);
    return out;
}

/* Two units of width at least, so that little is told from nothing. */
void web_probability(fl_buf *out, double ratio)
{
    char percent[FL_PERCENT_TEXT];
    bool is_known = !isnan(ratio);
    double part = !is_known ? 0 : ratio < 0.02 ? 2 : ratio > 1 ? 100 : ratio * 100;
    fl_buf_printf(out,
                  "<svg class=\"bar\" viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" "
                  "aria-hidden=\"true\"><rect class=\"track\" width=\"100\" height=\"8\"/>"
                  "<rect class=\"fill\" width=\"%.1f\" height=\"8\"/></svg>",
                  part);
    fl_html(out, "<span class=\"percent\">$</span>", fl_page_percent(percent, ratio));
}

/* The button is shown by the script: without one it could do nothing. */
void web_query(fl_buf *out, const char *query)
{
    if (query == NULL)
        return;
    fl_html(out,
            "<span class=\"query\"><code>$</code><button type=\"button\" class=\"copy\" "
            "hidden>Copy</button></span>",
            query);
}
