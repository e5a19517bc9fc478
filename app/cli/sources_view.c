/*
 * sources_view.c - a paragraph for each source, or an object of JSON.
 *
 * A clock that is off by more than it is known to, and by more than the second that most tools keep
 * to, is marked: the order of what happened within it means nothing.
 */
#include "sources_view.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "fetch.h"
#include "json_put.h"
#include "page.h"
#include "timestamp.h"

static const fl_page_row row = {.label = 2, .text = 14};

/* The URL without what a user may have written into it. */
static const char *shown(char out[FL_FETCH_URL], const fl_source *source)
{
    char scheme[8];
    fl_error err = {0};
    return fl_fetch_show_url(out, scheme, source->how.url, &err) == FL_OK ? out : "?";
}

static bool is_clock_off(const fl_probed *found)
{
    int64_t off_ns = found->clock_offset_ns < 0 ? -found->clock_offset_ns : found->clock_offset_ns;
    return found->has_clock && off_ns > found->clock_error_ns && off_ns > FL_NS_PER_S;
}

static void write_clock(fl_page *page, fl_buf *text, const fl_probed *found)
{
    double offset_s = (double)found->clock_offset_ns / (double)FL_NS_PER_S;
    if (!found->has_clock)
        return;
    fl_buf_clear(text);
    fl_buf_printf(text, "%+.3f s from ours, known to %.3f s", offset_s,
                  (double)found->clock_error_ns / (double)FL_NS_PER_S);
    fl_page_labelled(page, row, "clock", is_clock_off(found) ? FL_INK_WARN : FL_INK_PLAIN,
                     text->ptr);
}

/* "1,234 series, 3 services: a, b, c" */
static void write_holdings(fl_page *page, fl_buf *text, const fl_source *source,
                           const fl_probed *found)
{
    fl_buf_clear(text);
    if (found->series > 0)
        fl_buf_printf(text, "%" PRIu64 " series, ", found->series);
    fl_buf_printf(text, "%" PRIu64 " %s%s", found->services,
                  source->kind == FL_SOURCE_PROMETHEUS ? "job" : "service",
                  found->services == 1 ? "" : "s");
    for (size_t i = 0; i < found->services && i < FL_PROBE_NAMES; i++)
        fl_buf_printf(text, "%s%s", i == 0 ? ": " : ", ", found->names[i]);
    if (found->services > FL_PROBE_NAMES)
        fl_buf_text(text, " ...");
    fl_page_labelled(page, row, "holds", FL_INK_PLAIN, text->ptr);
}

static void write_reach(fl_page *page, fl_buf *text, const fl_probed *found)
{
    char back[FL_TIME_TEXT], none[FL_TIME_TEXT];
    fl_buf_clear(text);
    if (found->back_ns == 0)
        fl_buf_text(text, "nothing of the last hour");
    else
        fl_buf_printf(text, "at least %s", fl_duration_format(back, found->back_ns));
    if (found->back_ns != 0 && found->none_ns != 0)
        fl_buf_printf(text, ", not %s", fl_duration_format(none, found->none_ns));
    fl_page_labelled(page, row, "back", found->back_ns == 0 ? FL_INK_WARN : FL_INK_PLAIN,
                     text->ptr);
}

fl_status fl_sources_text(fl_buf *out, const fl_sources_found *all, const fl_report_style *style,
                          fl_error *err)
{
    char url[FL_FETCH_URL], took[FL_TIME_TEXT];
    fl_buf text = fl_buf_of(1 << 16);
    fl_page page = fl_page_on(out, style);
    for (size_t i = 0; i < all->count; i++) {
        const fl_probed *found = &all->found[i];
        bool is_there = found->status == FL_OK;
        fl_page_put(&page, FL_INK_BOLD, fl_source_kind_name(all->sources[i].kind));
        fl_page_printf(&page, FL_INK_PLAIN, "  %s", shown(url, &all->sources[i]));
        fl_page_newline(&page);
        fl_buf_clear(&text);
        if (is_there)
            fl_buf_printf(&text, "yes%s%s, in %s", found->version[0] != '\0' ? ", version " : "",
                          found->version,
                          fl_duration_format(took, found->answer_ns - found->answer_ns % 1000000));
        else
            fl_buf_printf(&text, "no: %s", found->failure);
        fl_page_labelled(&page, row, "reachable", is_there ? FL_INK_GOOD : FL_INK_BAD, text.ptr);
        if (is_there) {
            write_clock(&page, &text, found);
            write_holdings(&page, &text, &all->sources[i], found);
            write_reach(&page, &text, found);
        }
    }
    fl_status status = fl_buf_check(&text, "the answer", err);
    fl_buf_dispose(&text);
    return status == FL_OK ? fl_buf_check(out, "the answer", err) : status;
}

/* Seconds as everywhere in the documents; null where it is not known. */
static json_t *seconds_of(int64_t ns, bool is_known)
{
    return is_known ? json_real((double)ns / (double)FL_NS_PER_S) : json_null();
}

static json_t *source_json(fl_put *w, const fl_source *source, const fl_probed *found)
{
    char url[FL_FETCH_URL];
    json_t *object = json_object(), *names = json_array();
    bool is_there = found->status == FL_OK;
    fl_put_text(w, object, "kind", fl_source_kind_name(source->kind));
    fl_put_text(w, object, "url", shown(url, source));
    fl_put_value(w, object, "reachable", json_boolean(is_there));
    fl_put_text(w, object, "failure", is_there ? NULL : found->failure);
    fl_put_text(w, object, "version", found->version[0] != '\0' ? found->version : NULL);
    fl_put_value(w, object, "answer_seconds", seconds_of(found->answer_ns, is_there));
    fl_put_value(w, object, "clock_offset_seconds",
                 seconds_of(found->clock_offset_ns, found->has_clock));
    fl_put_value(w, object, "clock_error_seconds",
                 seconds_of(found->clock_error_ns, found->has_clock));
    fl_put_value(w, object, "series",
                 found->series > 0 ? json_integer((json_int_t)found->series) : json_null());
    fl_put_count(w, object, "services", found->services);
    for (size_t i = 0; i < found->services && i < FL_PROBE_NAMES; i++)
        fl_put_item(w, names, fl_put_text_of(found->names[i]));
    fl_put_value(w, object, "names", names);
    fl_put_value(w, object, "back_seconds", seconds_of(found->back_ns, is_there));
    fl_put_value(w, object, "none_back_seconds", seconds_of(found->none_ns, found->none_ns > 0));
    return object;
}

fl_status fl_sources_json(fl_buf *out, const fl_sources_found *all, fl_error *err)
{
    fl_put w = {.status = FL_OK};
    json_t *document = json_object(), *sources = json_array();
    assert(all->count == 0 || all->found != NULL);
    fl_put_text(&w, document, "schema", "faultline.sources/1");
    for (size_t i = 0; i < all->count; i++)
        fl_put_item(&w, sources, source_json(&w, &all->sources[i], &all->found[i]));
    fl_put_value(&w, document, "sources", sources);
    return fl_put_document(out, &w, document, err);
}
