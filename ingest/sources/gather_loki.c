/*
 * gather_loki.c - the lines of some services.
 *
 *   (1) /loki/api/v1/labels               which labels there are
 *   (2) /loki/api/v1/label/NAME/values    for each that may name a service, until one does
 *       /loki/api/v1/query_range          LABEL=~"services", minute by minute, in pages
 *
 * A page that is full is followed by one that begins with its last moment: lines of one moment may
 * be on two pages, and the timeline keeps equal lines once.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "answers.h"
#include "gather_priv.h"
#include "loki.h"
#include "slice.h"

/* Loki's own default for the most that one answer may hold. */
enum { PAGE_LINES = 5000, DEFAULT_LINES = 200000, AT_ONCE = 4, MAX_LABELS = 16 };

/* One minute at a time, and several of these side by side. */
typedef struct runner {
    gather_source *source;
    const gather_slice *slice;
    int64_t next_ns; /* from here on */
    uint64_t lines;  /* of the minute */
    fl_sink sink;    /* in front of the counting one: looks at the times */
    fl_intake intake;
    int64_t last_ns;
    uint64_t page;
} runner;

typedef struct loki_own {
    bool has[MAX_LABELS]; /* labels that may name a service and are there */
    uint32_t label;       /* in hand */
    bool is_found;
    size_t matches; /* services that the label names */
    runner runners[AT_ONCE];
    uint64_t begun_lines;
} loki_own;

static fl_status next_label(gather_source *source, fl_error *err);

/* Only labels that may name a service are of interest. */
static fl_status keep_label(void *payload, fl_slice name, fl_error *err)
{
    gather_source *source = payload;
    loki_own *own = source->own;
    const fl_slice *known;
    (void)err;
    for (size_t i = 0; i < MAX_LABELS && (known = fl_labels_service_label(i)) != NULL; i++)
        own->has[i] |= fl_slice_equal(name, *known);
    return FL_OK;
}

static fl_status on_label_names(void *payload, const fl_pull_answer *answer, fl_error *err)
{
    gather_source *source = payload;
    fl_error why = {0};
    if (!gather_answered(source, answer))
        return FL_OK;
    fl_status status = fl_answer_names(answer->body, &source->all->text, keep_label, source, &why);
    return gather_decoded(source, status, &why, err);
}

static void put_range(gather *all, int64_t from_ns, int64_t to_ns)
{
    fl_buf_printf(&all->path, "start=%lld&end=%lld", (long long)from_ns, (long long)to_ns);
}

static fl_status first(gather_source *source, fl_error *err)
{
    gather *all = source->all;
    source->own = fl_arena_alloc(&all->arena, 1, sizeof(loki_own));
    if (source->own == NULL)
        return fl_fail(err, FL_E_NOMEM, FL_NO_OFFSET, "no memory for the labels of a Loki");
    fl_buf_text(&all->path, "/loki/api/v1/labels?");
    put_range(all, all->request->from_ns, all->request->to_ns);
    return gather_get(source, on_label_names, source, err);
}

/* ---- pages ---- */

static fl_status next_page(runner *run, fl_error *err);

/* 200,000 lines are 40 full pages: some seconds, and a fifth of what the timeline keeps. */
static uint64_t max_lines(const gather *all)
{
    return all->request->max_lines > 0 ? all->request->max_lines : DEFAULT_LINES;
}

/* A minute that alone has an eighth of what may be read is cut: it is the others' turn. */
static fl_status end_page(runner *run, fl_error *err)
{
    gather_source *source = run->source;
    const char *url = fl_pull_source_url(source->server);
    run->lines += run->page;
    if (run->page < PAGE_LINES)
        run->slice = NULL;
    else if (run->lines >= max_lines(source->all) / 8) {
        gather_note(source, "%s: a minute has more than %llu lines, of which the first were read",
                    url, (unsigned long long)run->lines);
        run->slice = NULL;
    } else
        run->next_ns = run->last_ns > run->next_ns ? run->last_ns : run->next_ns + 1;
    return next_page(run, err);
}

static fl_status on_page(void *payload, const fl_pull_answer *answer, fl_error *err)
{
    runner *run = payload;
    gather_source *source = run->source;
    fl_error why = {0};
    if (!gather_answered(source, answer)) {
        run->slice = NULL;
        return next_page(run, err);
    }
    run->page = 0;
    run->last_ns = 0;
    fl_status status = fl_loki_answer(&run->intake, answer->body, &why);
    status = gather_decoded(source, status, &why, err);
    return status == FL_OK ? end_page(run, err) : status;
}

static fl_status on_line(void *payload, uint32_t resource, const fl_log *log, fl_error *err)
{
    runner *run = payload;
    run->page++;
    if (log->time_ns > run->last_ns)
        run->last_ns = log->time_ns;
    return run->source->sink.log(run->source->sink.payload, resource, log, err);
}

static fl_status on_line_resource(void *payload, const fl_resource *resource, uint32_t *handle,
                                  fl_error *err)
{
    const fl_sink *sink = &((runner *)payload)->source->sink;
    return sink->resource(sink->payload, resource, handle, err);
}

static fl_status on_line_reject(void *payload, const fl_reject *reject, fl_error *err)
{
    runner *run = payload;
    run->page += reject->records;
    return run->source->sink.reject(run->source->sink.payload, reject, err);
}

/* Which minutes these are follows from their order: the incident, then evenly. */
static void tell_unread(gather_source *source)
{
    gather_note(source, "%s: lines of %zu of %zu minutes were read: more than %llu",
                fl_pull_source_url(source->server), source->next_slice, source->all->slice_count,
                (unsigned long long)max_lines(source->all));
}

/* Of the minute in hand, or the first of the next one while there is room for more lines. */
static fl_status next_page(runner *run, fl_error *err)
{
    gather_source *source = run->source;
    gather *all = source->all;
    loki_own *own = source->own;
    if (run->slice == NULL) {
        if (source->out->logs >= max_lines(all) && source->next_slice < all->slice_count) {
            tell_unread(source);
            return FL_OK;
        }
        run->slice = gather_next_slice(source);
        if (run->slice == NULL)
            return FL_OK;
        run->next_ns = run->slice->from_ns;
        run->lines = 0;
    }
    const fl_slice *label = fl_labels_service_label(own->label);
    assert(own->is_found && label != NULL);
    fl_buf_text(&all->path, "/loki/api/v1/query_range?query=");
    gather_put(all, "{");
    fl_pull_escape(&all->path, *label);
    gather_put(all, all->services.count > 0 ? "=~\"" : "=~\".+");
    gather_put_pattern(all, 0, all->services.count);
    gather_put(all, "\"}");
    fl_buf_printf(&all->path, "&limit=%d&direction=forward&", PAGE_LINES);
    put_range(all, run->next_ns, run->slice->to_ns);
    return gather_get(source, on_page, run, err);
}

/* Each runner has a sink of its own, since the pages of several are on their way at once. */
static fl_status begin_pages(gather_source *source, fl_error *err)
{
    loki_own *own = source->own;
    fl_status status = FL_OK;
    for (size_t i = 0; i < AT_ONCE && status == FL_OK; i++) {
        runner *run = &own->runners[i];
        *run = (runner){.source = source, .intake = source->intake};
        run->sink = (fl_sink){.payload = run,
                              .resource = on_line_resource,
                              .log = on_line,
                              .span = source->sink.span,
                              .point = source->sink.point,
                              .reject = on_line_reject};
        run->intake.sink = &run->sink;
        status = next_page(run, err);
    }
    return status;
}

/* ---- the label ---- */

static fl_status keep_value(void *payload, fl_slice value, fl_error *err)
{
    gather_source *source = payload;
    loki_own *own = source->own;
    const gather_services *services = &source->all->services;
    (void)err;
    own->matches += services->count == 0;
    for (size_t i = 0; i < services->count; i++)
        own->matches += fl_slice_equal(value, services->names[i]);
    return FL_OK;
}

static fl_status on_values(void *payload, const fl_pull_answer *answer, fl_error *err)
{
    gather_source *source = payload;
    loki_own *own = source->own;
    fl_error why = {0};
    if (!gather_answered(source, answer))
        return FL_OK;
    fl_status status = fl_answer_names(answer->body, &source->all->text, keep_value, source, &why);
    status = gather_decoded(source, status, &why, err);
    if (status != FL_OK)
        return status;
    own->is_found = own->matches > 0;
    if (own->is_found)
        return begin_pages(source, err);
    own->label++;
    return next_label(source, err);
}

/* Ask for the values of the next label that is there. */
static fl_status next_label(gather_source *source, fl_error *err)
{
    gather *all = source->all;
    loki_own *own = source->own;
    const fl_slice *label;
    while (own->label < MAX_LABELS && !own->has[own->label])
        own->label++;
    label = own->label < MAX_LABELS ? fl_labels_service_label(own->label) : NULL;
    if (label == NULL) {
        gather_note(source, "%s: no label there names any of these services",
                    fl_pull_source_url(source->server));
        return FL_OK;
    }
    fl_buf_text(&all->path, "/loki/api/v1/label/");
    fl_pull_escape(&all->path, *label);
    fl_buf_text(&all->path, "/values?");
    put_range(all, all->request->from_ns, all->request->to_ns);
    return gather_get(source, on_values, source, err);
}

/* A Loki that did not answer the first question is not asked the second. */
static fl_status second(gather_source *source, fl_error *err)
{
    return source->out->failures > 0 ? FL_OK : next_label(source, err);
}

const gather_kind gather_loki = {.name = "Loki", .first = first, .second = second};
