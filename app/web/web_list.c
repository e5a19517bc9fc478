/*
 * web_list.c - the incidents, last stored first, a page of rows at a time.
 *
 * A page begins behind the last row of the one before it, by time and id, so that incidents which
 * come meanwhile move nothing: /?after=NANOSECONDS.ID
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "number.h"
#include "slice.h"
#include "timestamp.h"
#include "web_priv.h"

enum { ROWS = 100, ID_TEXT = 128 };

typedef struct asked {
    fl_store_question question;
    const char *service, *state;
    char behind_id[ID_TEXT];
} asked;

/* What is written while rows are visited. */
typedef struct writing {
    fl_buf *out;
    size_t rows;
    int64_t now_ns, last_ns;
    char last_id[ID_TEXT];
    bool has_more;
} writing;

/* False: it is not a place that we gave. */
static bool read_place(asked *out, const char *after)
{
    const char *dot = after != NULL ? strchr(after, '.') : NULL;
    int64_t at_ns;
    if (dot == NULL)
        return after == NULL;
    fl_slice digits = fl_slice_part(fl_slice_of(after), 0, (size_t)(dot - after));
    if (!fl_parse_i64(digits, &at_ns) || strlen(dot + 1) >= ID_TEXT)
        return false;
    memcpy(out->behind_id, dot + 1, strlen(dot + 1) + 1);
    out->question.behind_ns = at_ns;
    out->question.behind_id = out->behind_id;
    return true;
}

/* An empty field of the form is none. */
static const char *given(const fl_http_request *request, const char *name)
{
    const char *value = fl_http_query(request, name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* The service stands first: it is what people know by name. */
static void put_cause(fl_buf *out, const fl_store_row *row)
{
    bool is_found = strcmp(row->verdict, fl_verdict_name(FL_VERDICT_CAUSE_FOUND)) == 0;
    if (is_found)
        fl_html(out, "<td><b>$</b> <span class=\"cause\">$</span></td>",
                row->service != NULL ? row->service : "(service not named)",
                row->cause != NULL ? row->cause : "unknown");
    else
        fl_html(out, "<td class=\"unsure\">no confident cause$$</td>",
                row->service != NULL ? "; perhaps " : "", row->service);
}

/* One more row than a page has tells that there is another page. */
static fl_status put_row(const fl_store_row *row, void *payload, fl_error *err)
{
    writing *w = payload;
    assert(w->out != NULL && w->rows <= ROWS && row->id != NULL);
    char age[WEB_AGE_TEXT];
    if (w->rows == ROWS) {
        w->has_more = true;
        return FL_OK;
    }
    w->rows++;
    w->last_ns = row->stored_ns;
    (void)snprintf(w->last_id, sizeof(w->last_id), "%s", row->id);
    const char *state = row->state != NULL ? row->state : "";
    fl_html(w->out, "<tr><td class=\"state\"><span class=\"badge $\">$</span></td>", state,
            row->state != NULL ? state : "triaged");
    fl_html(w->out, "<td><a href=\"/incidents/@\">", row->id);
    web_time(w->out, row->at_ns - row->at_ns % FL_NS_PER_S);
    fl_html(w->out, "</a> <span class=\"id\">$</span></td><td class=\"age\">$</td>", row->id,
            web_age(age, w->now_ns - row->at_ns));
    put_cause(w->out, row);
    fl_buf_text(w->out, "<td class=\"probability\">");
    web_probability(w->out, row->probability);
    fl_buf_text(w->out, "</td></tr>\n");
    return fl_buf_check(w->out, "the list", err);
}

/* A form that works without a script; what was asked for stays in it. */
static void put_filter(fl_buf *out, const asked *by)
{
    static const char *const states[] = {"open", "closed", "merged"};
    fl_html(out,
            "<form class=\"filter\" action=\"/\" role=\"search\"><label>Service "
            "<input name=\"service\" value=\"$\" autocomplete=\"off\" data-key=\"/\"></label>\n"
            "<label>State <select name=\"state\"><option value=\"\">any</option>",
            by->service);
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        fl_html(out, "<option value=\"$\"$>$</option>", states[i],
                by->state != NULL && strcmp(by->state, states[i]) == 0 ? " selected" : "",
                states[i]);
    fl_buf_text(out, "</select></label>\n<button>Show</button></form>\n");
}

/* Links keep what the list was narrowed by. */
static void put_more(fl_buf *out, const asked *by, const writing *w)
{
    char at[32];
    assert(!w->has_more || w->rows == ROWS);
    (void)snprintf(at, sizeof(at), "%lld", (long long)w->last_ns);
    if (by->question.behind_id != NULL)
        fl_html(out, "<a href=\"/?service=@&amp;state=@\">Newest</a> ", by->service, by->state);
    if (w->has_more)
        fl_html(out, "<a rel=\"next\" href=\"/?service=@&amp;state=@&amp;after=@.@\">Older</a>",
                by->service, by->state, at, w->last_id);
}

static const char table_head[] =
    "<table class=\"incidents\"><caption class=\"hidden\">Incidents, the last stored first"
    "</caption>\n<thead><tr><th scope=\"col\">State</th><th scope=\"col\">Began</th>"
    "<th scope=\"col\">Age</th><th scope=\"col\">Where and what</th>"
    "<th scope=\"col\">Probability</th></tr></thead>\n<tbody>\n";

/* Nothing yet is how everybody begins: what to do next is said. */
static void put_none(fl_buf *out, const asked *by)
{
    if (by->service != NULL || by->state != NULL || by->question.behind_id != NULL)
        fl_buf_text(out, "<p>There is none of these. <a href=\"/\">All incidents</a></p>\n");
    else
        fl_buf_text(out,
                    "<p>No incident is stored yet. <code>faultline triage</code> stores one, and "
                    "<code>faultline serve</code> opens them by itself when alerts fire or a "
                    "service that users call breaks.</p>\n");
}

/* Rows first, since only they tell whether there are any. */
static fl_status put_rows(fl_buf *rows, writing *w, fl_web *web, const asked *by, fl_error *err)
{
    fl_store *store = NULL;
    fl_status status = web_borrow(&store, web, err);
    *w = (writing){.out = rows, .now_ns = web_now(web)};
    if (status == FL_OK)
        status = fl_store_find(store, &by->question, put_row, w, err);
    web_return(web, store, status);
    return status == FL_E_NOTFOUND ? FL_OK : status; /* a store that is not there has none */
}

/* The first page follows what happens; older ones would only shift under the reader. */
void web_list(void *context, const fl_http_request *request, fl_http_reply *reply)
{
    fl_web *web = context;
    fl_error err = {0};
    writing w;
    if (web_refuse(web, request, reply))
        return;
    asked by = {.service = given(request, "service"), .state = given(request, "state")};
    by.question = (fl_store_question){.limit = ROWS + 1, .service = by.service, .state = by.state};
    if (!read_place(&by, given(request, "after"))) {
        web_complain(web, request, reply, 400, "This is not a place in the list.");
        return;
    }
    fl_buf rows = fl_buf_of(WEB_MAX_PAGE), page = fl_buf_of(WEB_MAX_PAGE);
    fl_status status = put_rows(&rows, &w, web, &by, &err);
    if (status != FL_OK) {
        fl_buf_dispose(&rows);
        web_complain(web, request, reply, web_code_of(status), err.message);
        return;
    }
    const web_frame frame = {
        .title = "Incidents", .here = "/", .is_live = by.question.behind_id == NULL};
    web_begin(&page, web, &frame);
    fl_buf_text(&page, "<div class=\"bar-row\"><h1>Incidents</h1>\n");
    put_filter(&page, &by);
    fl_buf_text(&page, "</div>\n<div data-part=\"rows\">\n");
    if (w.rows == 0) {
        put_none(&page, &by);
    } else {
        fl_buf_text(&page, table_head);
        fl_buf_add(&page, fl_buf_slice(&rows));
        fl_buf_text(&page,
                    "</tbody></table>\n<nav class=\"pages\" aria-label=\"Pages of the list\">");
        put_more(&page, &by, &w);
        fl_buf_text(&page, "</nav>\n");
    }
    fl_buf_text(&page, "</div>\n");
    web_end(&page);
    fl_buf_dispose(&rows);
    web_send(reply, request, &page);
}
